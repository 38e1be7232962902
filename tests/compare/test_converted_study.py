"""A study of converted models: what runs in their place, what is said of it, and what a failed conversion costs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from detectattn.cli.compare_manifest import describe_models
from detectattn.compare.conversions import find_target, require_engines
from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.explained import DisputedPicture, DisputeMap, ExplainedDisputes, tell_originals
from detectattn.compare.finish import finish_study
from detectattn.compare.judge import build_report
from detectattn.conversion import choose
from detectattn.errors import ConfigError, DetectattnError, EngineError, UnreadableRecord
from detectattn.types import WeightsFile
from tests.compare.conftest import Bench
from tests.compare.fake_models import fake_conversion

Size = tuple[int, int] | None


class Preparer:
    """Stands in for conversions, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Size]] = []
        self.own_hw: dict[str, tuple[int, int]] = {}
        self.errors: dict[str, DetectattnError] = {}
        self.as_is: set[str] = set()
        self.version = "1"

    def __call__(self, entrant: ModelEntrant, size_hw: Size) -> ModelEntrant:
        self.asked.append((entrant.name, size_hw))
        if entrant.name in self.errors:
            raise self.errors[entrant.name]
        if entrant.name in self.as_is:
            return entrant
        made = fake_conversion(entrant.weights, self.own_hw.get(entrant.name, (64, 64)), self.version)
        return replace(entrant, runs=made, notes=("it is INT8",))


@pytest.fixture
def preparer() -> Preparer:
    return Preparer()


def test_what_runs_in_a_models_place_is_told_everywhere(bench: Bench, preparer: Preparer) -> None:
    plan = bench.plan("a", "b", prepare=preparer)
    bench.run(plan)
    report = finish_study(bench.folder, plan.media, plan.read)
    model = report.models[0]
    assert (model.engine, model.sha256) == ("openvino", "0" * 64)
    assert model.conversion is not None
    assert (model.conversion.precision, model.conversion.matched_share) == ("int8", pytest.approx(200 / 201))
    assert (model.conversion.compared_on, model.conversion.calibrated_on) == ("street/images", "street/images")
    content = json.loads((bench.folder.root / "report.json").read_text())["models"]["a"]
    assert (content["engine"], content["conversion"]["box_share_p99"]) == ("openvino", 0.094)
    for name in ("report.md", "report.html"):
        text = (bench.folder.root / name).read_text()
        assert "99.50%" in text
        assert "1.2%, 9.4%" in text
        assert model.conversion.sha256[:8] in text
    [described, _] = describe_models(plan.models, bench.folder)
    assert (described["engine"], described["net_hw"]) == ("openvino", (64, 64))
    assert described["conversion"]["gate"]["matched_share"] == pytest.approx(200 / 201)
    assert "a and b: it is INT8." in [c.text for c in report.caveats]
    assert not any("did not run alike" in c.text for c in report.caveats)


def test_models_are_converted_at_the_size_of_the_first(bench: Bench, preparer: Preparer) -> None:
    preparer.own_hw = {"b": (96, 96)}
    bench.run(bench.plan("a", "b", prepare=preparer))
    assert preparer.asked == [("a", None), ("b", (64, 64))]
    report, _ = build_report(bench.folder.load())
    assert "b: it runs at 64×64, as the first model does; its own size is 96×96." in [c.text for c in report.caveats]


def test_engines_that_differ_are_said(bench: Bench, preparer: Preparer) -> None:
    preparer.as_is = {"b"}
    bench.run(bench.plan("a", "b", prepare=preparer))
    report, _ = build_report(bench.folder.load())
    [told] = [c.text for c in report.caveats if "did not run alike" in c.text]
    assert "a on openvino (cpu, fp32); b on torch (cpu, fp32)" in told


@pytest.mark.parametrize("name", ["b", "b@precision-int8"])
def test_a_conversion_that_is_refused_does_not_cost_the_others(bench: Bench, preparer: Preparer, name: str) -> None:
    preparer.errors = {name: EngineError(f"{name} is not the same model", hint="Use --engine torch")}
    plan = bench.plan("a", name, "c", prepare=preparer)
    variant = {"precision": "int8"} if "@" in name else {}
    bench.run(replace(plan, models=[plan.models[0], replace(plan.models[1], variant=variant), plan.models[2]]))
    report, _ = build_report(bench.folder.load())
    assert [m.status for m in report.models] == ["finished", "failed", "finished"]
    assert "is not the same model" in str(report.models[1].error)
    assert len(bench.events.warnings) == 1


@pytest.mark.parametrize(("variant", "says"), [({}, "too few"), ({"imgsz": 96}, "--sweep imgsz=96 is impossible")])
def test_what_no_model_can_have_ends_the_study(
    bench: Bench, preparer: Preparer, variant: dict[str, Any], says: str
) -> None:
    preparer.errors = {"b": ConfigError("too few pictures", hint="Name more")}
    plan = bench.plan("a", "b", prepare=preparer)
    with pytest.raises(ConfigError, match=says):
        bench.run(replace(plan, models=[plan.models[0], replace(plan.models[1], variant=variant)]))
    assert ("a", "TimePictures") not in bench.diary


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_another_conversion_measured_is_measured_anew(bench: Bench, preparer: Preparer, version: str) -> None:
    plan = bench.plan("a", "b", prepare=preparer)
    bench.run(plan)
    measured = bench.folder.read_measured("b")
    assert measured is not None
    bench.folder.write_measured(replace(measured, status="timed"))
    bench.diary.clear()
    preparer.version = version
    bench.run(plan)
    again = ["Load", "TimePictures"] if version == "2" else ["Load"]
    assert [what for _, what in bench.diary][: len(again)] == again
    assert ("b", "Detect") in bench.diary or version == "1"
    assert len(bench.events.warnings) == int(version) - 1
    assert len(bench.folder.load().predictions["b"]) == 5


def test_a_damaged_gate_is_told(bench: Bench, preparer: Preparer) -> None:
    bench.run(bench.plan("a", prepare=preparer))
    path = bench.folder.root / "measured" / "a.json"
    path.write_text(path.read_text().replace('"pair_count": 100', '"pair_count": "many"'))
    with pytest.raises(UnreadableRecord, match=r"conversion\.gate\.pair_count must be a whole number"):
        bench.folder.load()


def test_maps_of_converted_models_are_said_to_be_pytorchs() -> None:
    shown = DisputedPicture("a.png", 0, "sheet.jpg", (DisputeMap("a", "title", "a.jpg"),))
    [caveat] = tell_originals(ExplainedDisputes((shown,)), ["a", "b"])
    assert caveat.text.startswith("The maps of a were made in PyTorch")
    assert tell_originals(ExplainedDisputes((shown,)), ["b"]) == ()


@pytest.mark.parametrize(
    ("engine", "precision", "form", "expected"),
    [
        ("auto", "auto", "pt", None),
        ("auto", "fp32", "pt", None),
        ("torch", "auto", "pt", None),
        ("auto", "int8", "pt", ("openvino", "int8")),
        ("onnx", "auto", "pt", ("onnx", "fp32")),
        ("openvino", "auto", "safetensors", ("openvino", "fp32")),
        ("openvino", "auto", "openvino", None),
    ],
)
def test_models_stay_with_pytorch_unless_a_conversion_is_asked_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, engine: str, precision: str, form: Any, expected: Any
) -> None:
    monkeypatch.setattr(choose, "find_accelerator", lambda: None)
    [entrant] = bench.plan("a").models
    weights: WeightsFile = replace(entrant.weights, format=form)
    options = replace(entrant.options, precision=precision)
    target = find_target(replace(entrant, weights=weights, options=options, engine=engine), (96, 96))
    assert (target and (target.settings.engine, target.settings.precision)) == expected
    assert target is None or target.settings.net_hw == (96, 96)


@pytest.mark.parametrize(
    ("engine", "precision", "says"),
    [("torch", "int8", "int8 is for OpenVINO"), ("onnx", "bf16", "bf16 is for OpenVINO")],
)
def test_engines_that_lack_a_precision_are_refused(bench: Bench, engine: str, precision: str, says: str) -> None:
    [entrant] = bench.plan("a").models
    wanted = replace(entrant, engine=engine, options=replace(entrant.options, precision=precision))
    with pytest.raises(ConfigError, match=says):
        require_engines([wanted])
