from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from detectattn.errors import ChecksumMismatch, CorruptWeights, ObjectNotFound, Offline, UnknownModel
from detectattn.types import WeightsFile
from detectattn.weights.locate import locate_weights
from tests.object_store import Bucket, FailingFront, front, s3, s3_endpoint

__all__ = ["front", "s3", "s3_endpoint"]


@pytest.fixture
def locate(cache: Path) -> Callable[..., WeightsFile]:
    """Locates weights in a cache of the test's own."""
    notices: list[str] = []

    def find(url: str, *, offline: bool = False) -> WeightsFile:
        return locate_weights(url, offline=offline, on_notice=notices.append)

    return find


@pytest.mark.parametrize(("name", "form"), [("m.pt", "pt"), ("m.onnx", "onnx"), ("m.engine", "tensorrt")])
def test_a_model_is_downloaded_once(
    front: FailingFront, s3: Bucket, locate: Callable[..., WeightsFile], name: str, form: str
) -> None:
    url = s3.put(f"models/{name}", b"weights")
    found = locate(url)
    assert (found.format, found.origin, found.path.read_bytes()) == (form, url, b"weights")
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()
    front.asked.clear()
    assert locate(url) == locate(url, offline=True) == found
    assert front.asked == []


def test_another_file_than_at_first_is_refused(s3: Bucket, locate: Callable[..., WeightsFile]) -> None:
    url = s3.put("m.pt", b"first")
    locate(url).path.unlink()
    s3.put("m.pt", b"second")
    with pytest.raises(ChecksumMismatch, match="not the file that was seen first"):
        locate(url)


def test_a_large_model_comes_in_pieces_and_never_from_two_versions(
    front: FailingFront, s3: Bucket, locate: Callable[..., WeightsFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detectattn.storage.read.PIECE_BYTES", 1000)
    content = bytes(range(250)) * 10
    url = s3.put("m.pt", content)
    front.answers = ["pass", "half", 503]  # the look at it, then its first piece
    assert locate(url).path.read_bytes() == content

    other = s3.put("n.pt", content)
    asked: list[str] = []

    def replace_midway(request: str) -> None:
        asked.append(request)
        if len(asked) == 3:
            s3.put("n.pt", content[::-1])

    front.always = replace_midway
    with pytest.raises(Exception, match="was replaced while it was read"):
        locate(other)
    assert not list(Path(locate(url).path.parents[1]).glob("*/n.pt*"))


@pytest.mark.parametrize("named", ["models/ov", "models/ov/", "models/ov/a.xml"])
def test_an_openvino_folder_comes_whole(s3: Bucket, locate: Callable[..., WeightsFile], named: str) -> None:
    for name in ("a.xml", "a.bin", "metadata.yaml", "notes.txt", "other.bin", "deep/b.xml"):
        s3.put(f"models/ov/{name}", f"<{name}/>".encode())
    found = locate(f"{s3.url}/{named}")
    files = {path.name for path in found.path.iterdir() if not path.name.startswith(".")}
    receipts = {f"{name}.json" for name in ("a.xml", "a.bin", "metadata.yaml")}
    assert files == {"a.xml", "a.bin", "metadata.yaml", *receipts}
    assert (found.format, found.origin) == ("openvino", f"{s3.url}/{named}")
    assert found.sha256 == hashlib.sha256(b"<a.xml/><a.bin/>").hexdigest()
    assert locate(f"{s3.url}/{named}", offline=True) == found
    receipt = json.loads((found.path / "a.bin.json").read_text())
    assert receipt["url"] == f"{s3.url}/models/ov/a.bin"


def test_what_is_no_model_is_named(s3: Bucket, locate: Callable[..., WeightsFile]) -> None:
    for name in ("a.xml", "b.xml"):
        s3.put(f"two/{name}", b"x")
    cases = SimpleNamespace(
        gone=(f"{s3.url}/m.pt", ObjectNotFound, "does not exist"),
        two=(f"{s3.url}/two", UnknownModel, r"several models \(a\.xml, b\.xml\)"),
        none=(f"{s3.url}/empty", UnknownModel, "holds no OpenVINO model"),
        page=(s3.put("page.pt", b"<!doctype html><p>sign in"), CorruptWeights, "is a web page"),
    )
    for url, kind, words in vars(cases).values():
        with pytest.raises(kind, match=words):
            locate(url)
    with pytest.raises(Offline, match="not in the cache"):
        locate(f"{s3.url}/two", offline=True)


def test_a_run_is_no_model(s3: Bucket, locate: Callable[..., WeightsFile]) -> None:
    s3.put("run/run.json", b"{}")
    s3.put("run/predictions/predictions-00000.jsonl", b"")
    with pytest.raises(UnknownModel, match="is a run and no model") as error:
        locate(f"{s3.url}/run/")
    assert "Copy its folder predictions here" in error.value.hint
