from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from detectattn.errors import ChecksumMismatch, CorruptWeights, DetectattnError, ForbiddenAddress, Offline, UnknownModel
from detectattn.types import WeightsFile
from detectattn.weights import embedded
from detectattn.weights.embedded import embedded_names
from detectattn.weights.locate import locate_weights

# An ONNX model of no more than its version and its maker, so that it may go by any suffix.
CONTENT = b"\x08\x08\x12\x07weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def _locate(model: str | Path, *, offline: bool = True) -> WeightsFile:
    return locate_weights(str(model), offline=offline, on_notice=[].append)


def _refuse(model: str | Path, kind: type[DetectattnError] = UnknownModel) -> DetectattnError:
    with pytest.raises(kind) as caught:
        _locate(model)
    return caught.value


@pytest.fixture(autouse=True)
def _empty_folder(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("name", "form"), [("m.pt", "pt"), ("m.ONNX", "onnx"), ("m.engine", "tensorrt")])
def test_a_file_is_taken_by_its_suffix(name: str, form: str) -> None:
    Path(name).write_bytes(CONTENT)
    assert _locate(name) == WeightsFile(Path(name), SHA256, form, "local")


def test_an_openvino_folder_is_known_by_its_two_files() -> None:
    folder = Path("m_openvino_model")
    folder.mkdir()
    (folder / "m.xml").write_bytes(b"<?xml?><net/>")
    assert "lacks its weights, m.bin" in str(_refuse(folder, CorruptWeights))
    (folder / "m.bin").write_bytes(b"weights")
    expected = hashlib.sha256(b"<?xml?><net/>weights").hexdigest()
    assert _locate(folder) == WeightsFile(folder, expected, "openvino", "local")
    assert _locate(folder / "m.xml").sha256 == expected
    (folder / "n.xml").write_bytes(b"<net/>")
    assert "several models (m.xml, n.xml)" in str(_refuse(folder))
    assert _locate(folder / "m.xml").format == "openvino"


def test_a_folder_with_one_onnx_model_is_that_model() -> None:
    folder = Path("exported")
    folder.mkdir()
    (folder / "m.onnx").write_bytes(CONTENT)
    (folder / "metadata.yaml").write_text("task: detect")
    assert _locate(folder) == WeightsFile(folder / "m.onnx", SHA256, "onnx", "local")


def test_a_folder_that_is_no_model_says_what_is_in_it() -> None:
    Path("weights").mkdir()
    assert "no OpenVINO model" in str(_refuse("weights"))
    Path("weights/best.pt").write_bytes(CONTENT)
    assert _refuse("weights").hint == "Name a model in it: best.pt"


def test_a_registry_name_is_downloaded_and_says_so(mirror: Any, cache: Path) -> None:
    url = mirror.serve("/mirror/v8.4.0/rtdetr-x.pt", CONTENT)
    notices: list[str] = []
    steps: list[tuple[int, int | None]] = []
    found = locate_weights("rtdetr-x", offline=False, on_notice=notices.append, on_progress=lambda *s: steps.append(s))
    assert found == WeightsFile(cache / "rtdetr-x.pt", SHA256, "pt", url, "AGPL-3.0")
    assert url in notices[0]
    assert steps == [(len(CONTENT), len(CONTENT))]
    assert _locate("rtdetr-x") == found


def test_a_mirror_is_held_to_the_published_checksum(mirror: Any, cache: Path) -> None:
    mirror.serve("/mirror/v8.4.0/rtdetr-l.pt", CONTENT)
    with pytest.raises(ChecksumMismatch, match="6de60b10"):
        _locate("rtdetr-l", offline=False)
    assert not (cache / "rtdetr-l.pt").exists()


def test_a_file_wins_over_the_registry_only_when_it_is_there(cache: Path) -> None:
    assert "not in the cache" in str(_refuse("yolo11n.pt", Offline))
    Path("yolo11n.pt").write_bytes(CONTENT)
    assert _locate("yolo11n.pt").origin == "local"
    assert "not in the cache" in str(_refuse("yolo11n", Offline))


def test_a_url_is_downloaded_under_its_own_name(http_server: Any) -> None:
    url = http_server.serve("/best.onnx", CONTENT)
    found = _locate(url, offline=False)
    assert (found.path.name, found.sha256, found.format, found.origin) == ("best.onnx", SHA256, "onnx", url)
    assert "format" in str(_refuse(f"{http_server.url}/best.zip"))
    assert "file:" in str(_refuse("file:///tmp/best.pt", ForbiddenAddress))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("rtdetr-s", "rtdetr-l"),
        ("yolov11n", "yolo11n"),
        ("demo-rtder", "Did you mean demo-rtdetr or"),
        ("demo-yol", "Did you mean demo-yolo or"),
        ("demo", "Did you mean demo-yolo or demo-rtdetr?"),
        ("yolo99z.pt", "models list"),
        ("nothing-alike", "See `detectattn models list`"),
        ("runs/best.pt", "Check the path"),
        ("weights/beast.pt", "In that folder there is best.pt"),
    ],
)
def test_an_unknown_model_gets_the_nearest_suggested(typed: str, words: str) -> None:
    Path("weights").mkdir()
    Path("weights/best.pt").write_bytes(CONTENT)
    error = _refuse(typed)
    assert typed in error.problem
    assert words in error.hint


def test_a_path_with_a_registry_name_is_not_downloaded_elsewhere() -> None:
    assert "There is no model file weights/yolo11n.pt" in str(_refuse("weights/yolo11n.pt"))


@pytest.mark.parametrize("name", ["model.pth", "model.yaml"])
def test_another_format_is_named_with_those_that_work(name: str) -> None:
    Path(name).write_bytes(CONTENT)
    hint = _refuse(name).hint
    assert ".onnx" in hint
    assert ".engine" not in hint, "nothing here runs one"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (b"\xef\xbb\xbf <!doctype HTML>", "web page"),
        (b"<html><body>404", "web page"),
    ],
)
@pytest.mark.parametrize("name", ["best.pt", "best.onnx", "best.engine"])
def test_what_is_no_model_is_named(content: bytes, words: str, name: str) -> None:
    Path(name).write_bytes(content)
    error = _refuse(name, CorruptWeights)
    assert words in error.problem
    assert name in error.problem


def test_embedded_models_are_those_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_ASSETS", tmp_path)
    assert embedded_names() == []
    (tmp_path / "demo-rtdetr.safetensors").write_bytes(CONTENT)
    assert embedded_names() == ["demo-rtdetr"]
    assert _locate("demo-rtdetr") == WeightsFile(
        tmp_path / "demo-rtdetr.safetensors", SHA256, "safetensors", "embedded", "AGPL-3.0-or-later"
    )
