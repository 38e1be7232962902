"""``detectattn export``: convert, compare, keep what passed."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from detectattn.conversion.convert import Job
from detectattn.conversion.gate import GateFigures
from detectattn.conversion.record import ConversionRecord, hash_files
from detectattn.errors import EngineError
from tests.conversion import fake_gpu
from tests.conversion.fake_gpu import InstallGpu
from tests.object_store import Bucket, s3, s3_endpoint

__all__ = ["install_gpu", "s3", "s3_endpoint"]

install_gpu = fake_gpu.install_gpu

SIDE_PX = 160


def test_export_is_compared_and_runs(detectattn: Any, street_images: Path, noon: Path) -> None:
    """Every figure stands beside its limit; the folder that it leaves is a model like any other."""
    truth = street_images.parent / "annotations.json"
    words = ("--engine", "onnx", "--imgsz", SIDE_PX, "--pictures", street_images, "--limit", 4, "--truth", truth)
    done = detectattn("export", "demo-yolo", *words)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "demo-yolo for ONNX: fp32, any shape within 160×160, any batch"
    assert max(map(len, lines)) <= 80 or str(street_images) in done.out
    for figure in ("detections found by both", "box drift, 99 of 100", "score drift, median", "AP50-95 of the conv"):
        assert figure in done.out
    assert "passed: it is the same model" in lines
    assert lines[-1] == "next      detectattn predict SOURCE -m runs/export-001"
    assert sorted(path.name for path in Path("runs/export-001").iterdir()) == [
        "conversion.json",
        "demo-yolo-onnx-fp32.onnx",
        "metadata.yaml",
    ]
    ran = detectattn("predict", noon, "-m", "runs/export-001", "--no-images")
    assert ran.code == 0, ran.err
    [model] = json.loads(Path("runs/predict-001/run.json").read_text())["models"]
    assert (model["name"], model["engine"], model["fit"]) == ("demo-yolo-onnx-fp32", "onnx", "letterbox_rect")
    assert model["conversion"]["gate"]["accuracy"]["object_count"] > 20
    record = json.loads(Path("runs/predict-001/predictions.jsonl").read_text())
    assert all(found["query_id"] is not None for found in record["detections"])


def test_tensorrt_is_judged_and_run_as_one_build(detectattn: Any, noon: Path, install_gpu: InstallGpu) -> None:
    """The CPU stands in for it: what the gate had built is what runs; another engine says that it was not judged."""
    runtime = install_gpu()
    done = detectattn("export", "demo-yolo", "--engine", "tensorrt", "--imgsz", SIDE_PX, "--pictures", noon)
    assert done.code == 0, done.err
    assert done.out.startswith("demo-yolo for TensorRT: fp32, any shape within 160×160, batch 8")
    words = ("predict", noon, "-m", "runs/export-001", "--no-images")
    ran = detectattn(*words)
    assert ran.code == 0, ran.err
    assert "nothing is known" not in ran.err
    [model] = json.loads(Path("runs/predict-001/run.json").read_text())["models"]
    assert (model["engine"], model["device"], model["batch"]) == ("tensorrt", "cuda:0", 8)
    assert (model["conversion"]["passed"], model["conversion"]["conditions"]["gpu"]) == (True, fake_gpu.NAME)
    built = [providers[0][1] for providers in runtime.asked if providers[0][0] == "TensorrtExecutionProvider"]
    shapes = [(settings["trt_profile_min_shapes"], settings["trt_profile_max_shapes"]) for settings in built]
    assert shapes == [("images:8x3x32x32", "images:8x3x160x160")] * 2
    other = detectattn(*words, "--engine", "onnx", "--device", "cpu")
    assert other.code == 0, other.err
    assert "warning: nothing is known of how exact demo-yolo-tensorrt-fp32 is here" in other.err
    [model] = json.loads(Path("runs/predict-002/run.json").read_text())["models"]
    assert model["conversion"]["passed"] is False
    assert "judged it as tensorrt on cuda, fp32" in model["conversion"]["unjudged"]


@pytest.fixture
def failing_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of a conversion, one whose boxes are off, made at once."""

    def convert(job: Job, original: object, folder: Path) -> ConversionRecord:
        (folder / f"{job.name}.onnx").write_text("model")
        files, size_bytes = hash_files(folder)
        figures = GateFigures(2, 0.25, 60, 60, 0, 60, 8.0, 9.0, 0.1, 0.2, 1e-5, 1e-4).to_dict()
        settings = job.settings.resolve("yolo_dense", (320, 320))
        return ConversionRecord(
            job.name, job.weights.sha256, settings, (320, 320), {}, f"{job.name}.onnx", files, size_bytes, 1.0, 1.0,
            figures, job.evidence.pictures.said, ("boxes moved by 9 px (at most 0.5)",),
        )  # fmt: skip

    monkeypatch.setattr("detectattn.conversion.convert.convert", convert)
    monkeypatch.setattr("detectattn.conversion.convert.open_original", lambda job: nullcontext())


@pytest.mark.usefixtures("failing_conversion")
def test_what_differs_too_much_is_refused_with_the_figures(detectattn: Any) -> None:
    """Nothing is kept; with ``--force`` it is, marked as what it is."""
    words = ("export", "demo-yolo", "--engine", "onnx")
    done = detectattn(*words, "--json")
    assert done.code == 1
    assert done.data["folder"] is None
    assert done.data["conversion"]["passed"] is False
    assert done.data["conversion"]["gate"]["box_px_p99"] == 9
    assert "is not used: boxes moved by 9 px (at most 0.5)" in done.err
    assert not Path("runs").exists()
    shown = detectattn(*words)
    assert shown.code == 1
    assert re.search(r"box drift, 99 of 100 +9.000 px, 20.000% of a side +≤ 1%", shown.out)
    assert max(map(len, shown.out.splitlines())) <= 80
    forced = detectattn(*words, "--force", "-o", "kept")
    assert forced.code == 0, forced.err
    assert "refused, and kept with --force:" in forced.out
    assert json.loads(Path("kept/conversion.json").read_text())["passed"] is False
    assert sorted(path.name for path in Path("kept").iterdir()) == ["conversion.json", "demo-yolo-onnx-fp32.onnx"]


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["demo-yolo", "--engine", "tensorflow"], 2, "--engine is 'tensorflow'"),
        (["demo-yolo", "--precision", "fp8"], 2, "--precision is 'fp8'"),
        (["demo-yolo", "--precision", "int8"], 2, "calibrated on images of the kind that it will see"),
        (["demo-yolo", "--calibrate", "x"], 2, "--calibrate is for INT8"),
        (["demo-yolo", "--engine", "onnx", "--precision", "int8", "--calibrate", "x"], 2, "not converted to int8"),
        (["demo-yolo", "--limit", "0"], 2, "--limit 0"),
        (["demo-yolo", "--imgsz", "333"], 2, "each side must be a multiple of 32"),
        (["demo-yolo", "--queries", "5"], 2, "has no decoder layers or queries"),
        (["demo-yolo", "--pictures", "{empty}"], 1, "holds 0 usable pictures"),
        (["demo-yolo", "--precision", "int8", "--calibrate", "{one}"], 1, "holds 1 usable picture, and at least 6"),
        (["demo-yolo", "-o", "{one}"], 1, "is there already"),
        (["{onnx}"], 1, "is an export already"),
        (["no-such-model"], 1, "no model or file"),
    ],
)
def test_what_cannot_be_exported_leaves_nothing(
    words: list[str], code: int, problem: str, detectattn: Any, noon: Path, tmp_path: Path
) -> None:
    one, empty = tmp_path / "one", tmp_path / "empty"
    one.mkdir()
    empty.mkdir()
    (one / "noon.jpg").write_bytes(noon.read_bytes())
    (empty / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "model.onnx").write_bytes(b"anything")
    places = {"one": one, "empty": empty, "onnx": tmp_path / "model.onnx"}
    done = detectattn("export", *(word.format(**places) for word in words))
    assert done.code == code
    assert problem in done.err
    assert list(Path().iterdir()) == []


def test_pictures_and_truth_from_object_storage(
    detectattn: Any, street_images: Path, s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They serve as local ones do, are named by their addresses, and nothing of the pictures is left behind."""
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    names = [path.name for path in sorted(street_images.iterdir())[:8]]
    for name in names:
        s3.put(f"street/images/{name}", street_images / name)
    s3.put("street/images/clip.mp4", b"a video, which is never read")
    truth = s3.put("street/annotations.json", street_images.parent / "annotations.json")
    jobs = list[Job]()

    def convert(job: Job, original: object, folder: Path) -> ConversionRecord:
        assert len(list(job.evidence.pictures.iter_frames())) == len(names)
        jobs.append(job)
        raise EngineError("seen enough", hint="Leave it")

    monkeypatch.setattr("detectattn.conversion.convert.convert", convert)
    monkeypatch.setattr("detectattn.conversion.convert.open_original", lambda job: nullcontext())
    for words in (
        ["--pictures", f"{s3.url}/street/images"],
        ["--precision", "int8", "--calibrate", f"{s3.url}/street/"],
    ):
        done = detectattn("export", "demo-yolo", *words, "--truth", truth)
        assert done.err.endswith("error: seen enough. Leave it.\n")
        evidence = jobs.pop().evidence
        assert evidence.pictures.said == words[-1]
        assert evidence.truth is not None
        assert {Path(source).name for source, _ in evidence.truth.truth.images} == set(names)
        assert (evidence.calibration is not None) == ("int8" in words)
    assert not list(tmp_path.glob("detectattn-*"))
    assert "the network is forbidden" in detectattn("export", "demo-yolo", *words, "--offline").err
    assert "holds no pictures" in detectattn("export", "demo-yolo", "--pictures", f"{s3.url}/street/images/*.mp4").err
    assert f"there is no {s3.url}/none.json" in detectattn("export", "demo-yolo", "--truth", f"{s3.url}/none.json").err
