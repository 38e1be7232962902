"""Converted models where people meet them, beside ``predict``: studies, and :class:`detectattn.Model`."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectattn import Model
from detectattn.compare.conversions import Conversions
from detectattn.compare.entrants import ModelEntrant
from detectattn.conversion import make
from detectattn.conversion.record import load_record, write_record
from detectattn.conversion.work import Tell
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError
from detectattn.types import WeightsFile
from tests.conversion.conftest import SIDE_PX

_LIST_MODULES = """
import sys
from detectattn.cli.app import run
if __name__ == "__main__":
    code = run(sys.argv[1:])
    print([name for name in ("torch", "ultralytics") if sys.modules.get(name)], file=sys.stderr)
    sys.exit(code)
"""


def test_a_study_runs_on_what_was_converted(own_cache: Path, noon: Path, tmp_path: Path) -> None:
    """Nothing is converted again, so the study needs no PyTorch; report and ``run.json`` have the gate's figures."""
    program = tmp_path / "study.py"
    program.write_text(_LIST_MODULES)
    words = ["compare", noon, "-m", "demo-yolo", "--imgsz", SIDE_PX, "--device", "cpu", "--engine", "openvino"]
    words += ["--rounds", "0", "--truth", "none", "--no-images", "-o", tmp_path / "run"]
    done = subprocess.run([sys.executable, str(program), *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
    [described] = json.loads((tmp_path / "run" / "run.json").read_text())["models"]
    model = json.loads((tmp_path / "run" / "report.json").read_text())["models"]["demo-yolo"]
    assert (described["engine"], model["engine"], model["net_hw"]) == ("openvino", "openvino", [SIDE_PX, SIDE_PX])
    assert described["weights"]["origin"] == "embedded"
    assert described["conversion"]["gate"]["matched_share"] == model["conversion"]["matched_share"] == 1
    assert "  run on openvino (cpu, fp32), converted" in done.stdout.splitlines()


def test_an_export_tells_a_study_what_its_gate_said(own_cache: Path) -> None:
    [folder] = own_cache.glob("openvino-*")
    weights = WeightsFile(folder, "5e" * 32, "openvino", "local")
    entrant = ModelEntrant("mine", weights, EngineOptions(), "auto", "mine")
    prepare = Conversions((), "", Tell())
    ready = prepare(entrant, (SIDE_PX, SIDE_PX))
    record = load_record(folder)
    assert record is not None
    assert ready.runs is not None
    assert (ready.runs.weights, ready.runs.record, ready.notes) == (weights, record, ())
    write_record(folder, replace(record, refused=("boxes moved by 9 px",)))
    assert prepare(entrant, None).notes == (
        "it did not pass its parity gate and was kept with --force: boxes moved by 9 px",
    )


def test_a_model_runs_on_a_cached_engine_and_is_explained_by_its_weights(
    own_cache: Path, noon: Path, caplog: pytest.LogCaptureFixture
) -> None:
    picture = cv2.imread(str(noon))
    with Model("demo-yolo", imgsz=SIDE_PX, device="cpu") as model, caplog.at_level(logging.INFO, "detectattn"):
        assert (model.info.engine, model.info.net_hw) == ("openvino", (SIDE_PX, SIDE_PX))
        [shot] = model.predict(picture)
        explained = model.explain(picture, maps=["layercam"], top=1)
        assert any("torch on cpu, 160×160" in line for line in caplog.messages)
    with Model("demo-yolo", imgsz=SIDE_PX, device="cpu", engine="torch") as model:
        [same] = model.predict(picture)
    np.testing.assert_allclose(shot.detections.xyxy, same.detections.xyxy, atol=0.01)
    np.testing.assert_allclose(explained.detections.xyxy[0], same.detections.xyxy[0], atol=0.01)
    assert len(explained.maps["layercam"]) == 1


@pytest.mark.usefixtures("empty_cache")
def test_a_model_converts_nothing_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make.Maker, "make", lambda *_, **__: pytest.fail("converted"))
    with Model("demo-yolo", imgsz=SIDE_PX, device="cpu") as model:
        assert model.info.engine == "torch"


@pytest.mark.usefixtures("empty_cache")
def test_what_a_model_cannot_be_is_told() -> None:
    with pytest.raises(ConfigError, match="none were named"):
        Model("demo-yolo", device="cpu", precision="int8")
    with pytest.raises(ConfigError, match="calibrate= is for INT8"):
        Model("demo-yolo", calibrate="street")
    with pytest.raises(ConfigError, match="hint is 'fast'"):
        Model("demo-yolo", hint="fast")  # type: ignore[arg-type]  # what the test is about
