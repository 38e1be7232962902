"""What a newcomer gets from ``detectattn demo``, on fewer pictures than there are."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import av
import pytest

from detectattn import shipped
from detectattn.cli import demo_explain, demo_run
from detectattn.cli.demo_step import MODELS, Shown, Stage
from detectattn.records import iter_records
from detectattn.weights import embedded

FOLDER = Path("runs/demo-001")


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_pictures: Path, clips: Any) -> Path:
    """Two pictures and five frames in place of the samples."""
    folder = tmp_path / "package" / "assets" / "samples"
    shutil.copytree(two_pictures, folder / "street" / "images")
    shutil.move(clips.make("street.mp4", frames=5), folder)
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "package")
    return folder


@pytest.fixture
def predict_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step without those that take longer."""
    monkeypatch.setattr(demo_run, "STEPS", {"predict": demo_run.STEPS["predict"]})


@pytest.mark.usefixtures("light_studies")
def test_every_step_is_shown(
    detectattn: Any, samples: Path, street_images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_explain, "PICTURES", 1)
    monkeypatch.setattr(demo_explain, "_TOP", 1)
    shutil.copyfile(street_images.parent / "annotations.json", samples / "street" / "annotations.json")
    done = detectattn("demo")
    assert done.code == 0, done.err
    assert re.search(
        r"^demo-\w+ is [\d.]+× faster than demo-\w+ |^Which is faster is not decided", done.out, re.MULTILINE
    )
    assert "AP 0." in done.out
    report = json.loads((FOLDER / "compare" / "report.json").read_text())
    assert set(report["models"]) == set(MODELS)
    for label, path in (("report", "report.html"), ("disputed", "pictures/")):
        assert re.search(rf"^{label:<9} \S+/compare/{path}$", done.out, re.MULTILINE)


@pytest.mark.usefixtures("predict_alone")
def test_both_models_detect_and_draw_and_the_end_says_what_to_open_and_to_type(detectattn: Any, samples: Path) -> None:
    done = detectattn("demo")
    assert done.code == 0, done.err
    for model in MODELS:
        found = list(iter_records(FOLDER / model / "predictions.jsonl"))
        assert {(record.model, len(record.detections) > 0) for record in found[:2]} == {(model, True)}
        assert {path.name for path in (FOLDER / model / "images").iterdir()} == {"noon.jpg", "yellow-bus.jpg"}
        with av.open(FOLDER / model / "videos" / "street.mp4") as video:
            assert sum(1 for _ in video.decode(video=0)) == 5
        total = sum(len(record.detections) for record in found)
        assert re.search(rf"^{model} +2 +5 +{total:,} +[\d.]+ +[\d.,]+$", done.out, re.MULTILINE)
    lines = done.out.splitlines()
    listed = [line[10:] for line in lines if re.match(r"(pictures |videos   |records  |samples  | {9}) \S+$", line)]
    assert len(listed) == 7
    assert all(Path(path).exists() for path in listed)
    assert listed[-1] == f"{samples}/"
    assert max(len(line) for line in lines if str(samples) not in line) <= 80
    assert "These models know drawn scenes, not photographs." in done.out
    assert "detectattn models pull rtdetr-l" in done.out
    assert lines[-1] == "next      detectattn predict YOUR-PICTURES/ -m rtdetr-l"


@pytest.mark.usefixtures("predict_alone")
def test_json_alone_on_standard_output(detectattn: Any, samples: Path, tmp_path: Path) -> None:
    done = detectattn("demo", "--json", "-o", tmp_path / "out")
    assert (json.loads(done.out)["schema"], json.loads(done.out)["command"]) == (1, "demo")
    assert done.data["run"] == str(tmp_path / "out")
    models = done.data["steps"]["predict"]["models"]
    assert [(m["model"], m["images"], m["frames"]) for m in models] == [(name, 2, 5) for name in MODELS]
    assert min(m["network_ms"] for m in models) > 0
    assert "not photographs" in done.data["limit"]
    assert not Path("runs").exists()


@pytest.mark.usefixtures("predict_alone")
def test_quiet_says_nothing(detectattn: Any, samples: Path) -> None:
    done = detectattn("demo", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.usefixtures("predict_alone")
def test_a_picture_that_cannot_be_read_costs_only_itself(detectattn: Any, samples: Path) -> None:
    (samples / "street/images/zero.jpg").write_bytes(b"")
    done = detectattn("demo")
    assert done.code == 4
    assert "1 input failed" in done.err
    assert len(re.findall(r"^demo-\w+ +2 +5 ", done.out, re.MULTILINE)) == 2


def test_a_folder_that_exists_is_refused(detectattn: Any, samples: Path, tmp_path: Path) -> None:
    done = detectattn("demo", "-o", samples)
    assert done.code == 1
    assert "never writes into a folder that exists" in done.err


@pytest.mark.parametrize("lacking", ["models", "samples"])
def test_an_installation_without_models_or_samples_says_so_and_leaves_nothing(
    detectattn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    part = (embedded, "_ASSETS") if lacking == "models" else (shipped, "_PACKAGE")
    monkeypatch.setattr(*part, tmp_path / "nowhere")
    done = detectattn("demo")
    assert done.code == 1
    assert "this installation lacks" in done.err
    assert "Install the package again" in done.err
    assert not Path("runs").exists()


def test_steps_follow_one_another_and_the_worst_exit_code_counts(
    detectattn: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(stage: Stage) -> Shown:
        return Shown((f"looked at {stage.clip.name}",), (("pictures", stage.folder),), {"looked": True}, 4)

    def think(stage: Stage) -> Shown:
        return Shown(("thought",), (), {})

    monkeypatch.setattr(demo_run, "STEPS", {"look": look, "think": think})
    done = detectattn("demo")
    assert done.code == 4
    assert (
        done.out.index("looked at street.mp4") < done.out.index("thought") < done.out.index("pictures  runs/demo-001/")
    )
