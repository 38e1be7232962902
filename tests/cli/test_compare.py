"""``compare`` and ``report`` as a user runs them: the embedded pair on shipped samples.

In real child processes, but for tests that are about what comes before or after them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detectattn.cli import compare_run
from detectattn.cli.app import run
from detectattn.errors import SourceError
from detectattn.pipeline.run_folder import lock_run_folder
from detectattn.records import iter_records
from detectattn.sources import iter_frames
from detectattn.sources.base import ReadOptions
from detectattn.types import Media

IMAGES = 6
# As `real_study` is made.
FEW = ["--limit", str(IMAGES), "--rounds", "2"]


@pytest.fixture(scope="module")
def study(real_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded pair on six shipped samples, measured with the options ``FEW``."""
    folder = tmp_path_factory.mktemp("compare") / "study"
    shutil.copytree(real_study, folder)
    return folder


@pytest.fixture(scope="module")
def report(study: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((study / "report.json").read_text())
    return content


def test_the_run_folder_is_whole(study: Path) -> None:
    for name in ("run.json", "pictures.json", "truth.json", "report.json", "report.md", "disputed/disputed.csv"):
        assert (study / name).stat().st_size > 0, name
    for model in ("demo-rtdetr", "demo-yolo"):
        assert len(list(iter_records(study / "predictions" / f"{model}.jsonl"))) == IMAGES
        assert json.loads((study / "measured" / f"{model}.json").read_text())["status"] == "finished"
    assert json.loads((study / "run.json").read_text())["status"] == "finished"
    assert not list(study.rglob("*.part"))


@pytest.mark.parametrize("model", ["demo-rtdetr", "demo-yolo"])
def test_accuracy_equals_pycocotools(study: Path, report: dict[str, Any], street_images: Path, model: str) -> None:
    truth = COCO(str(street_images.parent / "annotations.json"))
    ids = {image["file_name"].rpartition("/")[2]: image["id"] for image in truth.dataset["images"]}
    categories = {c["name"]: c["id"] for c in truth.dataset["categories"]}
    records = list(iter_records(study / "predictions" / f"{model}.jsonl"))
    results = [
        {
            "image_id": ids[p.source],
            "category_id": categories[p.class_name(int(c))],
            "bbox": [float(x1), float(y1), float(x2) - float(x1), float(y2) - float(y1)],
            "score": float(s),
        }
        for p in records
        for (x1, y1, x2, y2), s, c in zip(p.detections.xyxy, p.detections.score, p.detections.class_id, strict=True)
    ]
    evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
    evaluation.params.imgIds = [ids[p.source] for p in records]
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    found = report["models"][model]["accuracy"]
    names = ("ap50_95", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    assert [found[n] for n in names] == pytest.approx(evaluation.stats[:6].tolist(), abs=1e-6)


def test_models_are_timed_alike(report: dict[str, Any]) -> None:
    assert report["conditions"]["rounds"] == 2
    assert report["conditions"]["matched_pixels"]
    for model in report["models"].values():
        speed = model["speed"]
        assert 0 < speed["forward_p50_ms"] < speed["p50_ms"] <= speed["p95_ms"] <= speed["p99_ms"]
        assert len(speed["total_ms"]) == 2 * IMAGES
        assert model["size"]["gflops"] > 1
        assert model["size"]["params_m"] > 2
        assert model["memory"]["peak_rss_mb"] > 100


def test_every_pair_has_its_interval(report: dict[str, Any]) -> None:
    pairs = [p for p in report["pairs"] if p.get("class_name") is None]
    assert {p["metric"] for p in pairs} == {"ap50_95", "ap50", "p50_ms", "forward_p50_ms"}
    for pair in pairs:
        value = pair.get("difference", pair.get("ratio"))
        assert pair["low"] <= value <= pair["high"]


def test_disputed_pictures_are_drawn(study: Path, report: dict[str, Any]) -> None:
    drawn = [image["picture"] for image in report["disputed"] if image["picture"]]
    assert drawn
    assert all((study / path).stat().st_size > 10_000 for path in drawn)


def test_a_report_is_rebuilt_without_a_model(study: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(study, copy)
    for name in ("report.json", "report.md"):
        (copy / name).unlink()
    program = (
        "import sys; from detectattn.cli.app import run; code = run(['report', sys.argv[1]]); "
        "loaded = {'torch', 'ultralytics'} & set(sys.modules); sys.exit(f'{code} {loaded}' if code or loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (copy / "report.json").read_bytes() == (study / "report.json").read_bytes()
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "AP" in done.stdout


@pytest.mark.usefixtures("light_studies")
def test_what_models_disagree_on_is_explained(tmp_path: Path) -> None:
    out = tmp_path / "explained"
    assert run(["compare", "--limit", "1", "--rounds", "0", "--imgsz", "320", "--explain", "-o", str(out), "-q"]) == 0
    (picture,) = json.loads((out / "pictures" / "explained" / "index.json").read_text())["pictures"]
    assert {shown["model"] for shown in picture["maps"]} <= {"demo-rtdetr", "demo-yolo"}
    assert {shown["title"].partition(":")[0] for shown in picture["maps"]} == {"LayerCAM"}
    page = (out / "report.html").read_text()
    for shown in picture["maps"]:
        assert (out / shown["path"]).stat().st_size > 1_000
        assert shown["path"] in page
    assert picture["maps"]
    assert (out / picture["sheet"]).stat().st_size > 1_000
    (out / "report.html").unlink()
    assert run(["report", str(out), "-q"]) == 0
    assert (out / "report.html").read_text() == page


def test_another_folder_is_no_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path)]) == 1
    assert "no run of compare" in capsys.readouterr().err


def _compare_records(study: Path, out: Path, *more: str) -> list[str]:
    files = [f"-m{name}={study / 'predictions' / f'demo-{name}.jsonl'}" for name in ("rtdetr", "yolo")]
    truth = study.parent / "truth.json"
    return ["compare", *files, "--truth", str(truth), "-o", str(out), *more]


@pytest.fixture(scope="module")
def truth(study: Path, street_images: Path) -> Path:
    """The ground truth of the six samples alone."""
    content = json.loads((street_images.parent / "annotations.json").read_text())
    names = {p.source for p in iter_records(study / "predictions" / "demo-yolo.jsonl")}
    content["images"] = [i for i in content["images"] if i["file_name"].rpartition("/")[2] in names]
    ids = {image["id"] for image in content["images"]}
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] in ids]
    path = study.parent / "truth.json"
    path.write_text(json.dumps(content))
    return path


def test_records_give_the_accuracy_of_the_models(
    study: Path, report: dict[str, Any], truth: Path, tmp_path: Path
) -> None:
    assert run(_compare_records(study, tmp_path / "again", "--quiet")) == 0
    again = json.loads((tmp_path / "again" / "report.json").read_text())["models"]
    for name in ("rtdetr", "yolo"):
        was, now = report["models"][f"demo-{name}"]["accuracy"], again[name]["accuracy"]
        assert now["ap50_95"] == pytest.approx(was["ap50_95"], abs=1e-9)


@pytest.mark.parametrize(
    ("condition", "code"), [("yolo.ap50_95 < 1", 1), ("yolo.ap50_95 < 0", 0), ("yolo.ap50 >= yolo.ap50_95", 1)]
)
def test_a_condition_decides_the_exit_code(
    study: Path, truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], condition: str, code: int
) -> None:
    assert run(_compare_records(study, tmp_path / "gated", "--fail-if", condition)) == code
    assert (f"failed: {condition}" in capsys.readouterr().out) == bool(code)


def test_a_study_does_not_fall_short_of_itself(study: Path, truth: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert run(_compare_records(study, first, "--quiet")) == 0
    assert run(_compare_records(study, tmp_path / "second", "--quiet", "--baseline", str(first / "report.json"))) == 0
    gates = json.loads((tmp_path / "second" / "report.json").read_text())["gates"]
    assert gates
    assert not any(gate["failed"] for gate in gates)


def test_json_is_one_object(study: Path, truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(_compare_records(study, tmp_path / "json", "--json")) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["schema"], printed["command"]) == (1, "compare")
    assert set(printed["data"]["report"]["models"]) == {"rtdetr", "yolo"}


@pytest.mark.usefixtures("light_studies")
@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["-m", "demo-yolo", "-m", "demo-yolo"], 2, "two of the models are called demo-yolo"),
        (["-m", "demo-yolo", "--budget", "5parsecs"], 2, "parsecs"),
        (["-m", "demo-yolo", "--fail-if", "demo-yolo.map < 3"], 2, "ap50_95"),
        (["-m", "demo-yolo", "--fail-if", "demo-rtdetr.ap50 < 3"], 2, "demo-yolo"),
        (["-m", "demo-yolo", "--baseline", "nowhere.json"], 2, "nowhere.json"),
        (["-m", "demo-yolo", "--sweep", "layers=2"], 2, "decoder_layers"),
        (["-m", "demo-rtdetr", "--sweep", "imgsz=321"], 2, "320"),
        (["-m", "demo-rtdetr", "--sweep", "decoder_layers=9", "--limit", "1"], 2, "decoder_layers=9"),
        (["-m", "demo-yolo", "--truth", "nowhere"], 1, "nowhere"),
        (["-m", "demo-yolo", "--difficult", "maybe"], 2, "ignore or count"),
        (["-m", "demo-yolo", "--engine", "tensorflow"], 2, "openvino"),
        (["-m", "demo-yolo", "--engine", "onnx", "--precision", "int8"], 2, "int8 is for OpenVINO"),
        (["-m", "demo-yolo", "--engine", "openvino", "--calibrate", "street"], 2, "--precision int8 too"),
        (["-m", "nowhere.json"], 2, "nowhere.json"),
        (["-m", "nosuchmodel", "--offline"], 1, "nosuchmodel"),
        (["--resume", "nowhere"], 1, "no run of compare"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_measured(
    options: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [] if "--resume" in options else ["-o", str(tmp_path / "out")]
    assert run(["compare", *options, *out]) == code
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert says in error
    assert not (tmp_path / "out").exists()


def test_broken_ground_truth_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"images": [],\n "annotations": [\n}')
    assert run(["compare", "-m", "demo-yolo", "--truth", str(broken), "-o", str(tmp_path / "out")]) == 1
    assert "line 3" in capsys.readouterr().err


@pytest.mark.usefixtures("light_studies")
def test_a_broken_model_does_not_cost_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x08 no graph")
    options = ["-m", "demo-yolo", "-m", str(broken), "--limit", "2", "--rounds", "0", "-o", str(tmp_path / "out")]
    assert run(["compare", *options]) == 4
    told = capsys.readouterr()
    assert "broken failed, the others go on" in told.err
    models = json.loads((tmp_path / "out" / "report.json").read_text())["models"]
    assert {name: m["status"] for name, m in models.items()} == {"demo-yolo": "finished", "broken": "failed"}


@pytest.mark.usefixtures("light_studies")  # what is interrupted has processes all the same
def test_two_studies_never_write_one_folder(
    study: Path, truth: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def look(*_: Any) -> None:
        # As another process, while the first has only just begun.
        assert run(_compare_records(study, out)) == 1
        assert run(["compare", "--resume", str(out)]) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(compare_run, "run_study", look)
    assert run(_compare_records(study, out, "--quiet")) == 130
    told = capsys.readouterr().err
    assert "is there already" in told
    assert "being written by another process" in told
    monkeypatch.undo()
    assert run(["compare", "--resume", str(out), "--quiet"]) == 0
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_an_address_that_answers_with_a_stream_is_a_failure(http_server: Any) -> None:
    """Each model would be shown another part of it, and none would come to its end."""
    url = http_server.serve("/cam", b"", content_type="multipart/x-mixed-replace; boundary=x")
    (media,) = compare_run.list_media([url], ReadOptions())
    assert isinstance(media, Media)
    with pytest.raises(SourceError, match="is a live stream"):
        next(iter_frames(media, ReadOptions()))


# `python -m detectattn`, which times real child processes for a shorter while, and waits once the first is measured.
HASTY = """
import runpy, time
from detectattn.compare import speed
from detectattn.compare.study_folder import StudyFolder
write, waits = StudyFolder.write_measured, iter([30])
StudyFolder.write_measured = lambda *what: (write(*what), time.sleep(next(waits, 0)))
speed._WARM_BLOCK, speed._WARM_SPREAD, speed._BATCHES = 1, 9.9, (1,)
runpy.run_module("detectattn", run_name="__main__", alter_sys=True)
"""


@pytest.mark.usefixtures("light_studies")  # the second sitting; what is interrupted is a program of its own
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupted_study_resumes(
    tmp_path: Path, report: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", HASTY, "compare", *FEW, "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out / "measured" / "demo-rtdetr.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert f"detectattn compare --resume {out}" in told
    assert json.loads((out / "run.json").read_text())["status"] == "interrupted"
    with lock_run_folder(out):
        assert run(["compare", "--resume", str(out)]) == 1
    assert "being written by another process" in capsys.readouterr().err
    assert run(["compare", "--resume", str(out), "--quiet"]) == 0
    again = json.loads((out / "report.json").read_text())
    for name, model in report["models"].items():
        assert again["models"][name]["accuracy"]["ap50_95"] == pytest.approx(model["accuracy"]["ap50_95"], abs=1e-9)
    assert run(["compare", "--resume", str(out)]) == 2  # it is complete now
