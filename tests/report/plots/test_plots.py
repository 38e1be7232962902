"""Every plot of every kind of study: whole, honest and small."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import vl_convert

from detectattn.report.content import Judgement, ModelReport, Report
from detectattn.report.plots import Plot, build_plots, theme_config
from tests.report.plots.vega_lite import assert_schema

ALL = (
    "frontier", "image-size", "latency", "stages", "batches", "memory", "differences", "class-differences",
    "precision-recall", "object-size", "errors", "confusion", "calibration", "agreement",
)  # fmt: skip
HOSTILE = (
    "<img src=x onerror=alert(1)>.jpg",
    "\"'`; datum['x'] }); alert(1) //",
    "</script><script>alert(1)</script>",
    "",
    "a\nb\tc\x00d\ud800e\u202ef",
    "車 🚗 Ωμέγα",
    "very long name " * 40,
    "{{7*7}} ${1} %s",
)


def by_name(report: Report) -> dict[str, Plot]:
    return {plot.name: plot for plot in build_plots(report)}


def iter_values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from iter_values(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from iter_values(item)
    else:
        yield value


def all_rows(plot: Plot) -> list[dict[str, Any]]:
    """Rows of all datasets, those held in columns as rows again."""
    rows = []
    for dataset in plot.spec["datasets"].values():
        for entry in dataset:
            columns = {key: value for key, value in entry.items() if isinstance(value, list)}
            if not columns:
                rows.append(entry)
                continue
            rest = {key: value for key, value in entry.items() if key not in columns}
            rows += [rest | dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return rows


def without_data(spec: Any) -> str:
    """The spec as text, without what may hold names from outside: rows, domains of scales, entries of lists."""
    if isinstance(spec, dict):
        kept = {k: without_data(v) for k, v in spec.items() if k not in {"datasets", "values", "domain", "labels"}}
        return json.dumps(kept)
    if isinstance(spec, list):
        return json.dumps([without_data(item) for item in spec])
    return json.dumps(spec)


def test_a_full_study_has_every_plot_in_the_order_of_the_page(grow: Callable[..., Report]) -> None:
    assert tuple(by_name(grow(models=2, variants=4))) == ALL


def test_without_truth_nothing_is_said_of_accuracy(without_truth: Report) -> None:
    assert tuple(by_name(without_truth)) == ("frontier", "latency", "stages", "batches", "memory", "agreement")


def test_a_model_that_was_neither_timed_nor_judged_has_no_plot(lone: Report) -> None:
    assert build_plots(lone) == ()


def test_a_lone_model_has_no_plot_of_pairs(grow: Callable[..., Report]) -> None:
    names = by_name(grow(models=1, classes=1))

    assert "latency" in names
    assert "precision-recall" in names
    assert not {"frontier", "differences", "class-differences", "agreement", "image-size"} & set(names)


@pytest.mark.parametrize(
    "size",
    [
        {"models": 1, "classes": 1, "timings": 30},
        {"models": 2, "variants": 4},
        {"models": 6, "variants": 10, "classes": 80, "timings": 600},
    ],
    ids=["small", "usual", "large"],
)
def test_every_plot_compiles_without_a_warning(
    grow: Callable[..., Report], capfd: pytest.CaptureFixture[str], size: dict[str, int]
) -> None:
    for plot in build_plots(grow(**size)):
        compiled = vl_convert.vegalite_to_vega(
            {**plot.spec, "width": 700}, config=theme_config(dark=False), show_warnings=True
        )
        assert compiled["marks"], plot.name
        assert capfd.readouterr().err == "", plot.name


def test_every_plot_obeys_the_schema_of_vega_lite(grow: Callable[..., Report]) -> None:
    assert_schema(build_plots(grow(models=2, variants=4)))


@pytest.mark.parametrize("text", HOSTILE)
def test_names_from_outside_are_data_alone(study: Report, hostile: Callable[[Report, str], Report], text: str) -> None:
    plots = build_plots(hostile(study, text))

    assert plots
    for plot in plots:
        json.dumps(plot.spec, allow_nan=False).encode("utf-8")
        (plot.title + plot.caption + plot.alt).encode("utf-8")
        for piece in ("onerror", "datum['x']", "script", "very long", "7*7", "車"):
            assert piece not in without_data(plot.spec), plot.name
        assert all(len(value) <= 400 for value in iter_values(plot.spec) if isinstance(value, str)), plot.name


def test_hostile_names_compile_and_draw(
    study: Report, hostile: Callable[[Report, str], Report], capfd: pytest.CaptureFixture[str]
) -> None:
    for plot in build_plots(hostile(study, HOSTILE[1])):
        svg = vl_convert.vegalite_to_svg({**plot.spec, "width": 700}, config=theme_config(dark=False))
        assert "undefined" not in svg, plot.name
        assert "NaN" not in svg, plot.name
    assert "rror" not in capfd.readouterr().err


def test_no_figure_that_does_not_exist_is_drawn_as_zero(study: Report) -> None:
    plots = by_name(study)
    sizes = [row for row in all_rows(plots["object-size"]) if row.get("shown") == "–"]
    classes = [row for row in all_rows(plots["class-differences"]) if "label" in row]

    assert all(row["x"] is None for row in sizes)
    assert [row["label"] for row in classes] == ["bus"], "the difference on trams is unknown"


def test_a_size_without_objects_has_a_dash_and_no_mark(study: Report) -> None:
    def without_small(model: ModelReport) -> ModelReport:
        judged = model.judgement
        if judged is None:
            return model
        return replace(model, judgement=replace(judged, accuracy=replace(judged.accuracy, ap_small=None)))

    plot = by_name(replace(study, models=tuple(map(without_small, study.models))))["object-size"]
    small = [row for row in all_rows(plot) if str(row.get("group")).startswith("small")]

    assert {(row["x"], row["shown"]) for row in small} == {(None, "–")}
    assert "small –" in plot.alt


def test_unknown_figures_everywhere_still_give_valid_json(grow: Callable[..., Report]) -> None:
    report = grow(models=2, variants=2)
    blank = replace(
        report,
        models=tuple(_forget(model) for model in report.models),
        differences=tuple(
            replace(d, figures=replace(d.figures, low=math.nan, high=math.nan)) for d in report.differences
        ),
    )

    for plot in build_plots(blank):
        text = json.dumps(plot.spec, allow_nan=False)
        assert "NaN" not in text
        assert re.search(r"\bnan\b", plot.alt + plot.caption) is None, plot.name
        vl_convert.vegalite_to_vega({**plot.spec, "width": 700}, config=theme_config(dark=True))


def _forget(model: ModelReport) -> ModelReport:
    """The model with every interval, and much else, unknown."""
    speed, judged = model.speed, model.judgement
    assert speed is not None
    assert judged is not None
    assert isinstance(judged, Judgement)
    figures = replace(speed.figures, p95_ms=math.nan, p99_ms=math.nan)
    return replace(
        model,
        speed=replace(speed, figures=figures, p50_low_ms=None, p50_high_ms=None, total_ms=()),
        judgement=replace(
            judged,
            ap50_95_low=None,
            ap50_95_high=None,
            at_conf=replace(judged.at_conf, precision=math.nan, recall=math.nan),
            accuracy=replace(judged.accuracy, ap_small=None, ap_medium=None),
        ),
        size=None,
        net_hw=None,
    )


def test_all_plots_of_a_large_study_stay_small(grow: Callable[..., Report]) -> None:
    plots = build_plots(grow(models=4, variants=6, classes=80, timings=8000))
    sizes = {plot.name: len(json.dumps(plot.spec, separators=(",", ":"))) for plot in plots}

    assert sum(sizes.values()) < 400_000, sizes


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("frontier", ("rtdetr-l (103 ms, 0.610)", "yolo11n (43.1 ms, 0.532)")),
        ("latency", ("103 (101–105) ms", "yolo11n: median 43.1 ms", "not to be trusted")),
        ("stages", ("decode 8.10 ms", "forward pass 92.5 ms")),
        ("batches", ("14.1 at batch 4",)),
        ("memory", ("process, peak 1,890 MB", "device, peak 512 MB", "weights on disk 5.40 MB")),
        ("differences", ("AP +0.078 (0.012–0.141)", "decided", "AP50 −0.020 (−0.090 to 0.050)", "not decided")),
        ("class-differences", ("bus −0.300", "1 of 1 classes decided")),
        ("precision-recall", ("precision 0.810", "recall 0.740")),
        ("object-size", ("small 0.366", "large 0.710")),
        ("errors", ("missed 0.061 (27)", "wrong place 0.048 (33)")),
        ("confusion", ("249 objects", "most often mistaken: car for bus, 7 times", "23 detections where nothing is")),
        ("calibration", ("0.083", "more than chance explains", "301 detections")),
        ("agreement", ("190", "only rtdetr-l 15", "only yolo11n 22", "0.911 (0.870–0.940)")),
    ],
)
def test_alternative_texts_hold_the_numbers(study: Report, name: str, told: tuple[str, ...]) -> None:
    plot = by_name(study)[name]

    for text in told:
        assert text in plot.alt
    assert plot.alt.endswith(".")
    assert plot.title.endswith("?")
    assert plot.caption.endswith(".")


def test_times_that_should_not_be_trusted_are_marked_and_say_why(study: Report) -> None:
    plot = by_name(study)["latency"]
    dots = [row for row in all_rows(plot) if "trusted" in row]

    assert {row["name"] for row in dots if not row["trusted"]} == {"yolo11n"}
    assert "yolo11n, its rounds differ by 14%" in plot.caption
    assert any(row.get("name") == "yolo11n†" for row in all_rows(plot))


@pytest.mark.parametrize("name", ["frontier", "stages", "batches"])
def test_every_plot_of_times_says_whose_are_not_to_be_trusted(study: Report, name: str) -> None:
    plot = by_name(study)[name]

    assert "Grey, not to be trusted: yolo11n (its rounds differ by 14%)." in plot.caption
    assert {row["name"] for row in all_rows(plot) if row.get("trusted") is False} == {"yolo11n"}
    assert any("yolo11n†" in map(str, row.values()) for row in all_rows(plot))


def test_captions_describe_marks_that_are_drawn(study: Report) -> None:
    assert "The larger marks on the stepped line" in by_name(study)["frontier"].caption
    calm = replace(study, models=tuple(m for m in study.models if m.speed is None or m.speed.noise.trusted))
    assert "Filled marks on the stepped line" in by_name(calm)["frontier"].caption


def test_specs_leave_colours_of_text_grid_and_ground_to_the_theme(study: Report) -> None:
    for plot in build_plots(study):
        assert plot.spec["width"] == "container"
        assert "config" not in plot.spec
        assert "background" not in plot.spec


def test_light_and_dark_differ_in_colours_alone() -> None:
    light, dark = theme_config(dark=False), theme_config(dark=True)

    assert light != dark
    assert light["style"]["head"]["color"] != dark["style"]["head"]["color"]
    assert light["background"] == dark["background"] == "transparent"
    assert {key: value["fontSize"] for key, value in light["style"].items() if "fontSize" in value} == {
        key: value["fontSize"] for key, value in dark["style"].items() if "fontSize" in value
    }
