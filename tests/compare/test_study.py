"""A study with models that answer at once: what is kept, what is done again, and what one that fails costs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.compare import measure
from detectattn.compare.entrants import FileEntrant
from detectattn.compare.finish import finish_study
from detectattn.compare.judge import build_report
from detectattn.compare.judge.single_label import keep_best_label
from detectattn.compare.noise import MachineState
from detectattn.compare.study import require_rereadable
from detectattn.config import CompareConfig
from detectattn.errors import BrokenPredictions, ConfigError, EmptySource, SourceError, TruthMismatch
from detectattn.report.html import render_html
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.types import Detections, Prediction
from tests.compare.conftest import IMAGES, Bench
from tests.compare.fake_models import NAMES


def test_everything_is_recorded_and_can_be_judged(bench: Bench) -> None:
    bench.run(bench.plan("a", "b"))
    report, agreement = build_report(bench.folder.load())
    assert [m.name for m in report.models] == ["a", "b"]
    assert all(m.status == "finished" and m.judgement is not None for m in report.models)
    assert [m.judgement.accuracy.ap50_95 for m in report.models if m.judgement] == pytest.approx([1.0, 1.0])
    assert report.conditions.images == IMAGES
    assert report.conditions.rounds == 2
    assert report.conditions.matched_pixels
    assert agreement is not None
    assert agreement.pairs[0].both == IMAGES
    assert {r.figures.metric for r in report.ratios} == {"p50_ms", "forward_p50_ms"}


@pytest.mark.parametrize("truth", ["", "none"])
def test_a_budget_is_settled_by_what_fits_and_tells_times_that_are_not_to_be_trusted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, truth: str
) -> None:
    monkeypatch.setattr(measure, "read_machine_state", lambda: MachineState(1.2, None))
    config = CompareConfig(model=("a", "b"), rounds=2, truth=truth, budget=("1ms", "1s", "1MB"))
    bench.run(bench.plan("a", "b", config=config))
    report, _ = build_report(bench.folder.load())
    short, long, memory = (sentence for sentence in report.verdict if sentence.question == "budget")
    assert (short.decided, long.decided, memory.decided) == (True, truth == "", True)
    caution = "These timings are not to be trusted: other work kept 1.2 processor cores busy."
    assert [sentence.text.endswith(caution) for sentence in (short, long, memory)] == [True, True, False]
    page = render_html(report)
    states = re.findall(r'class="state ([a-z]*)', page)
    assert states[:3] == ["doubted", "doubted", "decided"]


def test_one_figure_for_several_models_is_the_worst_of_them(bench: Bench) -> None:
    bench.run(bench.plan("a", "b"))
    for name, slower in (("a", 1.3), ("b", 1.2)):
        measured = bench.folder.read_measured(name)
        assert measured is not None
        assert measured.timed is not None
        first, *others = measured.timed.rounds
        slow = replace(first, forward_ms=tuple(slower * ms for ms in (100.0,) * len(first.forward_ms)))
        rounds = (slow, *(replace(turn, forward_ms=(100.0,) * len(turn.forward_ms)) for turn in others))
        bench.folder.write_measured(replace(measured, timed=replace(measured.timed, rounds=rounds)))
    report, _ = build_report(bench.folder.load())
    (caveat,) = (c for c in report.caveats if c.topic == "speed" and "rounds differ" in c.text)
    assert caveat.text.startswith("Timings of a and b are not to be trusted: rounds differ by up to ")


def test_a_second_run_measures_nothing_again(bench: Bench) -> None:
    plan = bench.plan("a", "b")
    bench.run(plan)
    before = (bench.folder.root / "predictions" / "a.jsonl").read_bytes()
    bench.diary.clear()
    bench.run(plan)
    assert bench.diary == []
    assert (bench.folder.root / "predictions" / "a.jsonl").read_bytes() == before


def test_a_resumed_study_does_only_what_is_missing(bench: Bench) -> None:
    plan = bench.plan("a", "b")
    bench.run(plan)
    whole = bench.folder.load()
    # As an interrupt leaves it: b was timed, has two records and half of a third.
    measured = bench.folder.read_measured("b")
    assert measured is not None
    bench.folder.write_measured(replace(measured, status="timed"))
    records = bench.folder.records_path("b")
    lines = records.read_text().splitlines(keepends=True)
    records.write_text("".join(lines[:2]) + lines[2][:40])
    bench.diary.clear()
    bench.run(plan)
    assert {name for name, _ in bench.diary} == {"b"}
    assert [what for _, what in bench.diary] == ["Load", "Detect"]
    again = bench.folder.load()
    assert [p.source for p in again.predictions["b"]] == [p.source for p in whole.predictions["b"]]
    assert again.measured["b"].timed == whole.measured["b"].timed


def _fails_at(kind: str, number: int = 0) -> Callable[[Any, int], bool]:
    return lambda request, seen: (
        (request if isinstance(request, str) else type(request).__name__) == kind and seen == number
    )


@pytest.mark.parametrize("when", ["load", "TimePictures", "AskMemory", "Detect"])
def test_a_model_that_fails_does_not_cost_the_others(bench: Bench, when: str) -> None:
    bench.special["b"] = {"fails_on": _fails_at(when)}
    bench.run(bench.plan("a", "b", "c"))
    report, _ = build_report(bench.folder.load())
    assert [(m.name, m.status) for m in report.models] == [("a", "finished"), ("b", "failed"), ("c", "finished")]
    failed = report.models[1]
    assert failed.error is not None
    assert "b" in failed.error
    assert failed.judgement is None
    assert any(c.topic == "model" and c.models == ("b",) for c in report.caveats)
    assert len(bench.events.warnings) == 1
    assert {(d.a, d.b) for d in report.differences} == {("a", "c")}


def test_models_run_at_the_size_of_the_first(bench: Bench) -> None:
    bench.special = {"b": {"own_hw": (96, 96)}, "c": {"own_hw": (32, 32), "fixed": True}}
    bench.run(bench.plan("a", "b", "c"))
    report, _ = build_report(bench.folder.load())
    assert [m.net_hw for m in report.models] == [(64, 64), (64, 64), (32, 32)]
    assert not report.conditions.matched_pixels
    texts = [c.text for c in report.caveats]
    assert any("c: it cannot run at 64×64" in text and "own 32×32" in text for text in texts)
    assert any("b: it runs at 64×64" in text for text in texts)
    assert any("do not work on as many pixels" in text for text in texts)


def test_models_may_run_at_their_own_size(bench: Bench) -> None:
    bench.special = {"b": {"own_hw": (96, 96)}}
    bench.run(bench.plan("a", "b", match_size=False))
    report, _ = build_report(bench.folder.load())
    assert [m.net_hw for m in report.models] == [(64, 64), (96, 96)]
    assert not report.conditions.matched_pixels


def test_no_rounds_means_no_timing(bench: Bench) -> None:
    bench.run(bench.plan("a", rounds=0))
    report, _ = build_report(bench.folder.load())
    assert report.models[0].speed is None
    assert ("a", "TimePictures") not in bench.diary


def test_variants_are_paired_with_their_model_alone(bench: Bench) -> None:
    bench.run(bench.plan("a", "a@queries-50", "b", "b@queries-50"))
    report, agreement = build_report(bench.folder.load())
    assert {(d.a, d.b) for d in report.differences} == {("a", "b"), ("a", "a@queries-50"), ("b", "b@queries-50")}
    assert agreement is not None
    assert agreement.models == ("a", "b")
    assert report.frontier is not None
    assert len(report.frontier.points) == 4


def test_a_variant_that_cannot_be_is_refused_by_name(bench: Bench) -> None:
    bench.special["a@queries-50"] = {"fails_on": _fails_at("load")}
    plan = bench.plan("a", "a@queries-50")
    variant = replace(plan.models[1], variant={"queries": 50})
    with pytest.raises(ConfigError, match="--sweep queries=50 is impossible for a"):
        bench.run(replace(plan, models=(plan.models[0], variant)))
    assert ("a", "TimePictures") not in bench.diary


def test_pictures_with_more_objects_than_queries_are_said(bench: Bench) -> None:
    bench.special["a"] = {"max_det": 0}
    bench.run(bench.plan("a"))
    report, _ = build_report(bench.folder.load())
    assert any(c.topic == "queries" and "5 images hold more objects than the 0" in c.text for c in report.caveats)


def test_what_cannot_be_read_costs_no_model(bench: Bench) -> None:
    (bench.images / "2.png").write_bytes(b"no picture")
    bench.run(bench.plan("a"))
    report, _ = build_report(bench.folder.load())
    assert report.conditions.images == IMAGES - 1
    assert report.conditions.image_failures == 1
    assert any(c.topic == "images" for c in report.caveats)
    assert "2.png" in (bench.folder.root / "failures.jsonl").read_text()


def test_without_a_single_picture_it_says_why(bench: Bench) -> None:
    for path in bench.images.iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(EmptySource, match=r"not one picture could be read.*0\.png"):
        bench.run(bench.plan("a"))


def test_a_limit_takes_the_first(bench: Bench) -> None:
    bench.run(bench.plan("a", limit=3))
    records = bench.folder.load()
    assert [p.source for p in records.predictions["a"]] == ["0.png", "1.png", "2.png"]


def test_models_of_other_classes_are_refused_before_they_are_timed(bench: Bench) -> None:
    path = bench.images.parent / "annotations.json"
    path.write_text(path.read_text().replace('"car"', '"zebra"').replace('"bus"', '"giraffe"'))
    with pytest.raises(TruthMismatch, match="no class in common"):
        bench.run(bench.plan("a", "b"))
    assert ("a", "TimePictures") not in bench.diary


def test_ground_truth_of_other_images_is_refused_before_a_model_is_loaded(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    text = (bench.images.parent / "annotations.json").read_text()
    other.write_text(text.replace('.png"', '-elsewhere.png"'))
    plan = bench.plan("a", config=CompareConfig(model=("a",), truth=str(other)))
    assert plan.truth is not None
    with pytest.raises(TruthMismatch, match="of other images"):
        plan.truth.check_names([m for m in plan.media if hasattr(m, "kind")])
    assert bench.diary == []


def test_the_truth_by_the_images_can_be_left_aside(bench: Bench) -> None:
    bench.run(bench.plan("a", "b", config=CompareConfig(model=("a", "b"), truth="none", rounds=2)))
    report, _ = build_report(bench.folder.load())
    assert all(m.judgement is None for m in report.models)
    assert report.conditions.truth is None
    assert any(s.question == "agreement" for s in report.verdict)
    assert report.frontier is not None
    assert (report.frontier.gain, report.frontier.reference) == ("agreement", "a")


def test_predictions_made_elsewhere_take_part(bench: Bench, tmp_path: Path) -> None:
    results = [{"image_id": i, "category_id": 1, "bbox": [15, 10, 30, 20], "score": 0.5} for i in range(IMAGES)]
    path = tmp_path / "elsewhere.json"
    path.write_text(json.dumps(results))
    bench.run(bench.plan("a", files=(FileEntrant("other", path, "1" * 64),)))
    report, agreement = build_report(bench.folder.load())
    other = report.models[1]
    assert (other.kind, other.speed, other.size) == ("predictions", None, None)
    assert other.judgement is not None
    assert other.judgement.accuracy.ap50_95 == pytest.approx(1.0)
    assert agreement is not None
    assert agreement.pairs[0].both == IMAGES


def test_predictions_alone_need_no_sources(bench: Bench, tmp_path: Path) -> None:
    results = [{"image_id": i, "category_id": 1, "bbox": [15, 10, 30, 20], "score": 0.5} for i in range(2)]
    path = tmp_path / "elsewhere.json"
    path.write_text(json.dumps(results))
    bench.run(bench.plan(media=(), files=(FileEntrant("other", path, "1" * 64),)))
    report = finish_study(bench.folder)
    assert report.models[0].judgement is not None
    assert report.models[0].judgement.accuracy.ap50_95 == pytest.approx(2 / 5, abs=0.02)
    assert report.conditions.images == IMAGES
    assert bench.diary == []


def test_predictions_of_other_images_are_refused(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.json"
    path.write_text(json.dumps([{"image_id": 99, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}]))
    with pytest.raises(BrokenPredictions, match="other images"):
        bench.run(bench.plan("a", files=(FileEntrant("other", path, "1" * 64),)))


def test_a_box_of_two_classes_counts_once_at_the_operating_point() -> None:
    xyxy = np.array([[0, 0, 9, 9], [0, 0, 9, 9], [20, 20, 30, 30]], np.float32)
    score, classes = np.array([0.9, 0.6, 0.5], np.float32), np.array([1, 0, 0], np.int32)
    traced = Detections(xyxy, score, classes, np.array([4, 4, 2], np.int32))
    record = Prediction("a.png", 0, (40, 60), traced, "a", NAMES)
    assert keep_best_label(record).detections.class_id.tolist() == [1, 0]
    untraced = replace(record, detections=replace(traced, query_id=None))
    assert keep_best_label(untraced) is untraced


def test_live_streams_are_refused(bench: Bench) -> None:
    media = tuple(open_sources(["rtsp://camera.invalid/1"], ReadOptions()).iter_media(ReadCounts()))
    with pytest.raises(SourceError, match="live stream"):
        require_rereadable(media)


def test_the_report_is_written_and_rebuilt_alike(bench: Bench) -> None:
    plan = bench.plan("a", "b")
    bench.run(plan)
    finish_study(bench.folder, plan.media, plan.read)
    first = (bench.folder.root / "report.json").read_bytes()
    finish_study(bench.folder)
    assert (bench.folder.root / "report.json").read_bytes() == first
    assert (bench.folder.root / "report.md").stat().st_size > 1000
    assert not list(bench.folder.root.rglob("*.part"))
