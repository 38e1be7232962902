"""``report`` as a user runs it: reports built anew, and what changed from one run to another."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.cli.app import run
from detectattn.records import record_line
from detectattn.report.columns import WIDTH, measure
from detectattn.types import Detections, Prediction

IMAGES = 8
BOX = np.array([[10, 10, 50, 50]], np.float32)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three runs on the same images: ``a``; ``b``, in which yolo is off; ``c``, as ``a``."""
    folder = tmp_path_factory.mktemp("report")
    truth = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 100, "height": 80} for i in range(IMAGES)],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [10, 10, 40, 40]} for i in range(IMAGES)],
        "categories": [{"id": 1, "name": "car"}],
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    for name, shift in (("a", 0.0), ("b", 9.0), ("c", 0.0)):
        models = [f"-m{model}={_write_records(folder, name, model, shift)}" for model in ("yolo", "detr")]
        options = ["--truth", str(folder / "truth.json"), "-o", str(folder / name), "--quiet"]
        assert run(["compare", *models, *options]) == 0
    return folder


def _write_records(folder: Path, study: str, model: str, shift: float) -> Path:
    moved = shift if model == "yolo" else 0.0
    lines = []
    for i in range(IMAGES):
        boxes = BOX + np.float32(moved * (1 + i % 3 / 4))
        found = Detections(boxes, np.array([0.9], np.float32), np.array([0], np.int32))
        lines.append(record_line(Prediction(f"{i}.png", 0, (80, 100), found, model, {0: "car"})))
    path = folder / f"{study}-{model}.jsonl"
    path.write_text("".join(lines))
    return path


def read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "changes.json").read_text(encoding="utf-8"))
    return content


def test_two_runs_are_compared(detectattn: Any, studies: Path) -> None:
    before = (studies / "a" / "report.json").read_bytes()
    done = detectattn("report", studies / "a", studies / "b", "-o", "out")
    assert done.code == 0
    assert {path.name for path in Path("out").iterdir()} == {"changes.html", "changes.md", "changes.json"}
    content = read(Path("out"))
    assert content["models"]["yolo"]["accuracy"]["paired"] is True
    assert content["findings"][0]["weight"] == "worse"
    assert done.out.startswith("yolo lost ")
    assert max(map(measure, done.out.splitlines())) <= WIDTH
    assert done.out.splitlines()[-1].endswith("changes.json")
    assert (studies / "a" / "report.json").read_bytes() == before
    assert "built the report of" in done.err


def test_the_order_says_which_came_first(detectattn: Any, studies: Path) -> None:
    assert detectattn("report", studies / "b", studies / "a").code == 0
    assert read(Path("runs/report-001"))["findings"][0]["weight"] == "better"
    assert detectattn("report", studies / "a", studies / "b").code == 0
    assert read(Path("runs/report-002"))["findings"][0]["weight"] == "worse"


@pytest.mark.parametrize("second", ["a", "c"])
def test_equal_runs_have_not_changed(detectattn: Any, studies: Path, second: str) -> None:
    done = detectattn("report", studies / "a", studies / second)
    assert done.code == 0
    changed = [c["what"] for c in read(Path("runs/report-001"))["conditions"]]
    if second == "a":
        assert done.out.startswith("Nothing changed")
        assert changed == []
    else:
        assert done.out.startswith("Every detection is the same")
        assert {"file of yolo", "file of detr"} <= set(changed)


def test_nothing_that_is_there_is_overwritten(detectattn: Any, studies: Path) -> None:
    Path("out").mkdir()
    done = detectattn("report", studies / "a", studies / "b", "-o", "out")
    assert done.code == 1
    assert "there already" in done.err
    assert not list(Path("out").iterdir())


def test_json_is_one_object_with_an_entry_for_each_folder(detectattn: Any, studies: Path) -> None:
    done = detectattn("report", studies / "a", studies / "b", "--json")
    assert done.code == 0
    printed = json.loads(done.out)
    assert (printed["schema"], printed["command"]) == (1, "report")
    assert [sorted(entry) for entry in printed["data"]] == [["report", "run"], ["report", "run"], ["changes", "run"]]
    assert printed["data"][2]["changes"] == read(Path(printed["data"][2]["run"]))
    assert len(detectattn("report", studies / "a", "--json").data) == 1


def test_quiet_prints_nothing(detectattn: Any, studies: Path) -> None:
    done = detectattn("report", studies / "a", studies / "b", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("form", ["file", "folder"])
def test_a_report_alone_is_compared_by_its_figures(detectattn: Any, studies: Path, form: str) -> None:
    Path("old").mkdir()
    shutil.copy(studies / "a" / "report.json", "old/report.json")
    done = detectattn("report", "old/report.json" if form == "file" else "old", studies / "b")
    assert done.code == 0
    content = read(Path("runs/report-001"))
    assert (content["before"]["records"], content["after"]["records"]) == (False, True)
    accuracy = content["models"]["yolo"]["accuracy"]
    assert (accuracy["paired"], accuracy["differences"][0]["low"]) == (False, None)
    assert "without its records" in done.out
    assert list(Path("old").iterdir()) == [Path("old/report.json")]


def test_a_report_beside_its_records_stands_for_its_run(detectattn: Any, studies: Path) -> None:
    done = detectattn("report", studies / "a" / "report.json", studies / "b")
    assert done.code == 0
    assert read(Path("runs/report-001"))["before"]["records"] is True


def test_a_renamed_model_is_paired(detectattn: Any, studies: Path) -> None:
    records = studies / "b-yolo.jsonl"
    assert run(["compare", f"-mmine={records}", "--truth", str(studies / "truth.json"), "-o", "renamed", "-q"]) == 0
    done = detectattn("report", studies / "a", "renamed", "--pair", "yolo=mine")
    assert done.code == 0
    assert read(Path("runs/report-001"))["models"]["mine"]["before_name"] == "yolo"
    refused = detectattn("report", studies / "a", "renamed", "--pair", "yolo=nobody")
    assert refused.code == 2
    assert "mine" in refused.err
    assert not Path("runs/report-002").exists()


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"]])
def test_other_numbers_of_runs_are_built_anew_alone(detectattn: Any, studies: Path, names: list[str]) -> None:
    runs = [studies / name for name in names]
    done = detectattn("report", *runs)
    assert done.code == 0
    assert not Path("runs").exists()
    for option in (["-o", "out"], ["--pair", "yolo=detr"]):
        refused = detectattn("report", *runs, *option)
        assert refused.code == 2
        assert "two runs" in refused.err


def test_one_of_several_that_is_no_run_does_not_cost_the_others(detectattn: Any, studies: Path) -> None:
    assert detectattn("report", studies / "a", "nowhere", studies / "b").code == 4
    done = detectattn("report", "nowhere", studies / "a")
    assert done.code == 1
    assert "nowhere" in done.err
    assert not Path("runs").exists()


def test_a_report_alone_cannot_be_built_anew(detectattn: Any, studies: Path) -> None:
    shutil.copy(studies / "a" / "report.json", "report.json")
    done = detectattn("report", "report.json")
    assert done.code == 1
    assert "without its records" in done.err


@pytest.mark.parametrize(("text", "says"), [("{", "broken JSON at line 1"), ("{}", "holds no study")])
def test_a_broken_report_is_named(detectattn: Any, studies: Path, text: str, says: str) -> None:
    Path("broken.json").write_text(text)
    done = detectattn("report", studies / "a", "broken.json")
    assert done.code == 2
    assert "broken.json" in done.err
    assert says in done.err


def test_plots_are_written_for_slides(detectattn: Any, studies: Path) -> None:
    shutil.copytree(studies / "a", "run")
    Path("run/plots").mkdir()
    Path("run/plots/latency.png").write_text("of a time when this study was timed")
    Path("run/plots/mine.png").write_text("mine")
    done = detectattn("report", "run", "--plots")
    assert done.code == 0
    written = {path.name for path in Path("run/plots").iterdir()}
    assert {"precision-recall.png", "errors.png", "agreement.png", "mine.png"} <= written
    assert "latency.png" not in written
    assert Path("run/plots/mine.png").read_text() == "mine"
    assert Path("run/plots/errors.png").read_bytes().startswith(b"\x89PNG")
    assert f"wrote {len(written) - 1} plots to {Path('run/plots')}" in done.err


def test_a_gate_that_fails_is_the_exit_code(detectattn: Any, studies: Path) -> None:
    options = ["--truth", studies / "truth.json", "-o", "gated", "-q", "--fail-if", "yolo.ap50_95 < 1"]
    assert detectattn("compare", f"-myolo={studies / 'b-yolo.jsonl'}", *options).code == 1
    done = detectattn("report", studies / "a", "gated")
    assert done.code == 1
    assert "failed in gated: yolo.ap50_95 < 1: " in done.err
    assert Path("runs/report-001/changes.md").exists()


def test_no_model_is_loaded(studies: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from detectattn.cli.app import run; code = run(['report', *sys.argv[1:]]); "
        "loaded = {'torch', 'ultralytics'} & set(sys.modules); sys.exit(f'{code} {loaded}' if code or loaded else 0)"
    )
    words = [str(studies / "a"), str(studies / "b"), "-o", str(tmp_path / "out"), "-q"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("records", ["predictions.jsonl", "predictions/predictions-00000.jsonl"])
def test_run_of_predict_has_none(detectattn: Any, records: str) -> None:
    """In shards as in one file; the line says how it gets one."""
    config = {"model": "x", "conf": 0.25, "max_det": 300, "sources": ["a"], "cluster": "local"}
    full = {"schema": 1, "command": [], "models": [], "versions": {}, "machine": {}, "status": "finished"}
    Path("run", records).parent.mkdir(parents=True)
    Path("run/run.json").write_text(json.dumps({**full, "config": config}))
    Path("run", records).write_text("")
    for words in (["run"], ["run", "run"]):
        done = detectattn("report", *words)
        assert done.code == 1
        assert done.err == (
            "error: run is a run of predict, which has records and no report. "
            "Have them judged, and a report made, by `detectattn compare IMAGES -m NAME=run`. They begin at "
            "score 0.25, which cuts AP short: `predict --conf 0.001` writes what it needs.\n"
        )


@pytest.mark.parametrize(
    "words",
    [
        ("report", "s3://bucket/run"),
        ("report", "a", "b", "-o", "s3://bucket/out"),
        ("explain", "x.jpg", "-o", "s3://bucket/out"),
        ("export", "demo-yolo", "-o", "s3://bucket/out"),
        ("inspect", "demo-yolo", "-o", "s3://bucket/out"),
    ],
)
def test_address_where_a_path_is_expected(detectattn: Any, words: tuple[str, ...]) -> None:
    done = detectattn(*words)
    assert done.code == 2
    assert done.err.startswith(f"error: {words[-1]} is an address, and what stands here must be a path")
    assert done.err.count("\n") == 1
    assert list(Path().iterdir()) == []
