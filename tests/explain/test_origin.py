"""An export leads back to its weights, and nothing is downloaded on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detectattn.errors import EngineError
from detectattn.explain.origin import find_torch_weights, read_metadata
from detectattn.fetch import compute_sha256
from detectattn.types import WeightsFile
from detectattn.weights.embedded import embedded_path
from tests.explain.exports import write_engine, write_onnx, write_openvino, write_record

TOLD = {"names": "{0: 'car', 1: 'bus'}", "imgsz": "[320, 320]", "description": "Ultralytics YOLO11n model"}
PARSED = {"names": {0: "car", 1: "bus"}, "imgsz": [320, 320], "description": "Ultralytics YOLO11n model"}


def find(weights: WeightsFile) -> tuple[WeightsFile, list[str]]:
    said: list[str] = []
    return find_torch_weights(weights, said.append), said


def test_metadata_is_read_without_the_runtime(tmp_path: Path) -> None:
    assert read_metadata(write_onnx(tmp_path / "a.onnx", TOLD)) == PARSED
    assert read_metadata(write_openvino(tmp_path / "a_openvino_model", PARSED)) == PARSED
    assert read_metadata(write_engine(tmp_path / "a.engine", TOLD)) == PARSED


@pytest.mark.parametrize("content", [b"", b"\x08", b"\xff" * 30, b"\x72\xff\xff\xff\xff\x0f", b"\x72\x03\x0a\x09a"])
@pytest.mark.parametrize("kind", ["onnx", "tensorrt"])
def test_damaged_files_tell_nothing(content: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    told = read_metadata(WeightsFile(path, "", kind, "local"))  # type: ignore[arg-type]  # a text of the table above
    assert not {"names", "description", "imgsz"} & set(told)


def test_what_pytorch_opens_stays(tmp_path: Path) -> None:
    weights = WeightsFile(tmp_path / "a.pt", "", "pt", "local")
    assert find(weights) == (weights, [])


@pytest.mark.parametrize("export", ["best.onnx", "best.engine", "best_openvino_model", "best_int8_openvino_model"])
def test_the_weights_beside_an_export_are_taken_and_said(
    export: str, tmp_path: Path, save_checkpoint: Callable[[str], Path]
) -> None:
    writers = {".onnx": write_onnx, ".engine": write_engine}
    weights = writers.get(Path(export).suffix, write_openvino)(tmp_path / export, TOLD)
    (tmp_path / "best.pt").write_bytes(save_checkpoint("demo-yolo").read_bytes())
    found, said = find(weights)
    assert (found.path, found.format) == (tmp_path / "best.pt", "pt")
    assert len(said) == 1
    assert str(weights.path) in said[0]
    assert "best.pt" in said[0]


def test_an_export_of_an_embedded_model_leads_to_it(tmp_path: Path) -> None:
    found, said = find(write_onnx(tmp_path / "demo-yolo.onnx", TOLD))
    assert found.path == embedded_path("demo-yolo")
    assert said


def test_a_published_model_is_taken_from_the_cache_and_never_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    weights = write_onnx(tmp_path / "mine.onnx", TOLD)
    with pytest.raises(EngineError, match=r"ONNX Runtime.*Give -m yolo11n"):
        find(weights)


def test_an_export_of_ours_leads_to_the_weights_of_its_record_and_to_no_others(
    tmp_path: Path, save_checkpoint: Callable[[str], Path]
) -> None:
    """Its folder and its file are called otherwise; what lies beside it under the name may have been trained anew."""
    write_onnx(write_record(tmp_path / "exp", "best", "best-onnx-fp32.onnx", "ab" * 32) / "best-onnx-fp32.onnx", TOLD)
    export = WeightsFile(tmp_path / "exp" / "best-onnx-fp32.onnx", "", "onnx", "local")
    with pytest.raises(EngineError, match=r"put best\.pt beside it"):
        find(export)
    beside = tmp_path / "best.pt"
    beside.write_bytes(save_checkpoint("demo-yolo").read_bytes())
    with pytest.raises(EngineError, match=r"best\.pt is not what it was made from: .* SHA-256 abababababab…"):
        find(export)
    write_record(tmp_path / "exp", "best", "best-onnx-fp32.onnx", compute_sha256(beside))
    assert find(export)[0].path == beside


def test_an_openvino_export_of_an_embedded_model_leads_to_it_by_folder_and_by_file(tmp_path: Path) -> None:
    weights = embedded_path("demo-yolo")
    assert weights is not None
    folder = write_openvino(tmp_path / "export-001", {"names": ["car"]}).path
    write_record(folder, "demo-yolo", "model.xml", compute_sha256(weights))
    for path in (folder, folder / "model.xml"):
        assert find(WeightsFile(path, "", "openvino", "local"))[0].path == weights


def test_unknown_weights_are_asked_for(tmp_path: Path) -> None:
    weights = write_openvino(tmp_path / "mine_openvino_model", {"names": ["car"]})
    with pytest.raises(EngineError, match=r"OpenVINO.*mine\.pt"):
        find(weights)
