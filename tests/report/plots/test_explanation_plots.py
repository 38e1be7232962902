"""Plots of whether maps are true, and how far they reach."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import vl_convert

from detectattn.report.explanation import Explanation
from detectattn.report.plots import Plot, render_png, theme_config
from detectattn.report.plots.faithfulness import build_explanation_plots
from detectattn.results.explanation import MeanFigure
from samples.studies.explanations import make_explanation, make_hostile_explanation
from tests.report.plots.vega_lite import assert_schema


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return make_explanation(2, objects=2)


def by_name(explanation: Explanation) -> dict[str, Plot]:
    return {plot.name: plot for plot in build_explanation_plots(explanation)}


def test_every_model_has_curves_and_all_share_the_rest(explanation: Explanation) -> None:
    assert tuple(by_name(explanation)) == ("gains", "curves-1", "curves-2", "reach")


def test_what_was_not_scored_is_not_drawn() -> None:
    assert tuple(by_name(make_explanation(2, objects=2, scored=False))) == ("reach",)


def test_without_maps_there_is_no_plot(explanation: Explanation) -> None:
    bare = replace(explanation, models=tuple(replace(model, methods=()) for model in explanation.models))
    assert by_name(bare) == {}


def test_plots_obey_the_schema_and_compile_without_a_warning(
    explanation: Explanation, capfd: pytest.CaptureFixture[str]
) -> None:
    plots = build_explanation_plots(explanation)
    assert_schema(plots)
    for plot in plots:
        compiled = vl_convert.vegalite_to_vega(
            {**plot.spec, "width": 700}, config=theme_config(dark=False), show_warnings=True
        )
        assert compiled["marks"], plot.name
        assert capfd.readouterr().err == "", plot.name


def test_alternative_texts_hold_the_numbers(explanation: Explanation) -> None:
    plots = by_name(explanation)
    best = explanation.models[0].methods[0]
    assert best.over_box is not None
    assert f"+{best.over_box.value:.3f}" in plots["gains"].alt
    assert "says more than the box" in plots["gains"].alt
    assert f"{100 * best.reach[0]:.0f}% inside the box" in plots["reach"].alt
    assert f"{best.insertion[5]:.3f} with 3.12% shown" in plots["curves-1"].alt
    for plot in plots.values():
        assert plot.title.endswith("?")
        assert plot.alt.endswith(".")


def test_a_difference_without_an_interval_is_drawn_hollow(explanation: Explanation) -> None:
    model = explanation.models[0]
    lone = replace(model.methods[0], over_random=MeanFigure(0.3, math.nan, math.nan, 1, "detection"), over_box=None)
    plot = by_name(replace(explanation, models=(replace(model, methods=(lone,)), explanation.models[1])))["gains"]
    rows = [row for rows in plot.spec["datasets"].values() for row in rows if row.get("map") == lone.title]
    own = [row for row in rows if row["model"] == model.name]
    assert own
    assert all(not row["clear"] and "low" not in row for row in own)


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "\"'; datum['x'] })", "", "a\nb\x00\ud800", "é" * 400]
)
def test_names_from_outside_are_data_alone(text: str) -> None:
    for plot in build_explanation_plots(make_hostile_explanation(text)):
        json.dumps(plot.spec, allow_nan=False).encode("utf-8")
        (plot.title + plot.caption + plot.alt).encode("utf-8")
        kept = {key: value for key, value in plot.spec.items() if key != "datasets"}
        for layer in json.loads(json.dumps(kept))["layer"]:
            assert "alert" not in json.dumps({k: v for k, v in layer.items() if k not in ("encoding", "layer")})


def test_slides_get_a_picture(explanation: Explanation) -> None:
    assert render_png(by_name(explanation)["reach"], width_px=400, scale=1).startswith(b"\x89PNG")
