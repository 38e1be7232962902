"""Records that a threshold cut off: two models are compared from one score on, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.compare.entrants import FileEntrant
from detectattn.compare.finish import finish_study
from detectattn.compare.run_conf import read_run_conf
from detectattn.config import CompareConfig
from detectattn.records import manifest_to_json, record_line
from detectattn.report.content import Report
from detectattn.report.json_file import to_json
from detectattn.report.tables.conditions import condition_table
from detectattn.types import Detections, Prediction, RunManifest, StageTiming
from tests.compare.conftest import IMAGES, Bench
from tests.compare.fake_models import NAMES

CAR, BUS = [15, 10, 45, 30], [1, 1, 9, 9]


def write_records(path: Path, rows: list[tuple[list[int], float]]) -> Path:
    """Records of one car in each picture and whatever else, all called car."""
    found = Detections(
        np.array([box for box, _ in rows], np.float32),
        np.array([score for _, score in rows], np.float32),
        np.zeros(len(rows), np.int32),
        np.arange(len(rows), dtype=np.int32),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        record_line(Prediction(f"{i}.png", 0, (40, 60), found, "m", NAMES, StageTiming(1, 1, 1, 1)))
        for i in range(IMAGES)
    ]
    path.write_text("".join(lines))
    return path


def write_run(folder: Path, conf: float, rows: list[tuple[list[int], float]]) -> Path:
    """A run of predict."""
    path = write_records(folder / "predictions.jsonl", [row for row in rows if row[1] >= conf])
    write_manifest(folder, {"conf": conf})
    return path


def write_manifest(folder: Path, config: dict[str, Any]) -> None:
    (folder / "run.json").write_text(manifest_to_json(RunManifest(["detectattn"], config, [], {}, {})))


def study(bench: Bench, *fail_if: str, **files: Path) -> Report:
    config = CompareConfig(rounds=0, fail_if=fail_if)
    entrants = tuple(FileEntrant(name, path, "0" * 64) for name, path in files.items())
    bench.run(bench.plan(config=config, files=entrants))
    return finish_study(bench.folder)


def test_one_model_is_no_better_than_itself_with_a_higher_threshold(bench: Bench, tmp_path: Path) -> None:
    rows = [(BUS, 0.4), (CAR, 0.2)]
    files = {"low": write_run(tmp_path / "a", 0.001, rows), "high": write_run(tmp_path / "b", 0.25, rows)}
    report = study(bench, "high.ap50_95 < low.ap50_95", "high.ar_100 < low.ar_100", "high.ap50 < 0.1", **files)
    low, high = (model.judgement and model.judgement.accuracy.ap50_95 for model in report.models)
    assert low == pytest.approx(0.5, abs=0.01)
    assert high == 0
    (overall,) = (d for d in report.differences if d.figures.metric == "ap50_95" and d.figures.class_name is None)
    assert overall.min_score == 0.25
    assert overall.figures.difference == 0
    verdict = next(sentence for sentence in report.verdict if sentence.question == "accuracy")
    assert verdict.text.startswith("low and high are equally accurate")
    assert verdict.text.endswith("Both count from score 0.25 on, where the records of high begin.")
    assert any("the records of high begin at score 0.25" in caveat.text for caveat in report.caveats)
    assert "high from 0.25 on" in str(condition_table(report).rows)
    content = to_json(report)
    assert [content["models"][name]["scores_from"] for name in files] == [0.001, 0.25]
    assert content["pairs"][0]["min_score"] == 0.25
    equal, unlike, alone = report.gates
    assert (equal.failed, unlike.failed, alone.failed) == (False, True, True)
    assert "Both count from score 0.25 on" in equal.text
    assert "cannot be judged: the records of high begin at score 0.25 and those of low at 0.001" in unlike.text
    assert "begin at score 0.25, which cuts its AP short" in alone.text


def test_what_is_not_decided_from_a_common_score_fails_no_gate(bench: Bench, tmp_path: Path) -> None:
    files = {"low": write_run(tmp_path / "a", 0.001, [(CAR, 0.9), (BUS, 0.1)])}
    files["high"] = write_run(tmp_path / "b", 0.25, [(BUS, 0.9), (CAR, 0.8)])
    lines = files["high"].read_text().splitlines(keepends=True)
    files["high"].write_text("".join([lines[0], *files["low"].read_text().splitlines(keepends=True)[1:]]))
    report = study(bench, "high.ap50_95 < low.ap50_95", **files)
    (gate,) = report.gates
    assert not gate.failed
    assert "which is below that of low" in gate.text
    assert gate.text.endswith("that is not decided on these images, and so does not fail.")


@pytest.mark.parametrize(("better", "decided"), [("sure", True), ("whole", False)])
def test_scores_that_begin_high_by_themselves_decide_where_they_lead(
    bench: Bench, tmp_path: Path, better: str, decided: bool
) -> None:
    right, wrong = [(CAR, 1.0)], [(BUS, 1.0)]
    whole = [*(right if better == "whole" else wrong), (BUS, 0.005)]
    sure = right if better == "sure" else wrong
    report = study(
        bench, whole=write_records(tmp_path / "w.jsonl", whole), sure=write_records(tmp_path / "s.jsonl", sure)
    )
    (overall,) = (d for d in report.differences if d.figures.metric == "ap50_95" and d.figures.class_name is None)
    assert overall.min_score is None
    assert overall.figures.decided is decided
    verdict = next(sentence for sentence in report.verdict if sentence.question == "accuracy").text
    assert ("sure is more accurate than" in verdict) is decided
    assert ("cannot be said: the scores of sure begin at 1" in verdict) is not decided


@pytest.mark.parametrize(("config", "conf"), [({"conf": 0.3}, 0.3), ({"conf": None}, None), ({}, None)])
def test_threshold_of_a_run_is_read_from_beside_its_records(
    tmp_path: Path, config: dict[str, Any], conf: float | None
) -> None:
    write_manifest(tmp_path, config)
    for path in (tmp_path, tmp_path / "predictions.jsonl", tmp_path / "predictions/predictions-0.jsonl"):
        assert read_run_conf(path) == conf
    assert read_run_conf(tmp_path / "elsewhere/theirs.json") is None
