"""Models under the roofs of the device: what they reach of what it allows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from detectattn.report.cells import figure
from detectattn.report.inspection.words import find_shown_size, short_label, size_text
from detectattn.report.looks import assign_looks
from detectattn.report.plots.axes import TimeAxis
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast
from detectattn.report.plots.label_places import label_px, place_labels
from detectattn.report.plots.names import clean_name, join_clauses, label_names
from detectattn.report.plots.spec import (
    Row,
    Spec,
    collect,
    fade,
    make_layer,
    make_view,
    pick,
    quantity,
    text_channel,
    tidy,
    tips,
)
from detectattn.results.inspection import ModelInspection
from detectattn.results.roofline import Roof, RoofShare

_HEIGHT = 400
# Labels are placed for a plot of this width; in wider ones they only move apart.
_PLACED_FOR_PX = 640
# Axes go on beyond the outermost mark by this factor, and to both sides of the ridge by the next one.
_ROOM, _BESIDE_RIDGE = 1.5, 3.0
# So many marks stand for a stretch of the roof where labels keep off it.
_STEPS = 30
# Parts of more models would hide one another.
_MOST_WITH_PARTS = 2

Point = tuple[float, float]


def plot_roofline(models: Sequence[ModelInspection]) -> Plot | None:
    """Operations a second against operations a byte, under the roofs; None where nothing was measured.

    Args:
        models: In the order in which they were named. Those of the first one's device and precision are shown, since
            others have roofs of their own.
    """
    roof = next((model.roof for model in models if model.roof is not None), None)
    shown = [model for model in models if model.roof == roof and any(size.at_roof for size in model.sizes)]
    if roof is None or not shown:
        return None
    threads = "" if roof.threads is None else f", {roof.threads} thread{'s' if roof.threads != 1 else ''}"
    parts = "; small ones are its parts" if len(shown) <= _MOST_WITH_PARTS else ""
    doubt = "" if roof.trusted else " The machine was busy while it was measured: not to be trusted."
    return Plot(
        name="roofline",
        section="speed",
        title="How near do models come to what the machine allows?",
        caption=(
            f"The line is the most that {roof.device} ({roof.precision}{threads}) allows. A large mark is a model at "
            f"an image size{parts}. Further below the line: more is left to gain.{doubt}"
        ),
        alt=f"{_describe_roof(roof)} {' '.join(_describe(model) for model in shown)}{doubt}",
        spec=_draw(shown, roof, with_parts=len(shown) <= _MOST_WITH_PARTS),
    )


def _draw(models: Sequence[ModelInspection], roof: Roof, *, with_parts: bool) -> Spec:
    looks = assign_looks({model.name: model.family for model in models})
    cast = Cast(label_names(model.name for model in models), looks)
    names = [model.name for model in models]
    sizes = [row for model in models for row in _iter_sizes(model, cast)]
    parts = [row for model in models for row in _iter_parts(model, cast)] if with_parts else []
    across, up = _fit_axes([*sizes, *parts], roof)
    x = quantity("x", across.scale(), across.axis("operations for each byte moved"))
    y = quantity("y", up.scale(), up.axis("GFLOP/s"))
    edge = _roof_rows(roof, across)
    _place([*sizes, *parts], edge, across, up)
    where = {"x": x, "y": y, "color": cast.color(names), "opacity": fade()}
    marks = {**where, "shape": cast.shape(names), "tooltip": _make_tips()}
    path = {"field": "pixels", "type": "quantitative"}
    layers = [
        make_layer("line", edge, {"x": x, "y": y}, style="best", strokeWidth=2.5),
        make_layer("line", sizes, {**where, "strokeDash": cast.dash(names), "order": path, "detail": marks["color"]}),
        make_layer("point", parts, {**marks, "opacity": fade(0.6, 0.05)}, size=36),
        {**make_layer("point", sizes, marks, size=120), "params": [pick("model")]},
        *_label_layers(parts, "note", x, y),
        *_label_layers(sizes, "value", x, y),
        *_label_layers([edge[0], edge[-1]], "value", x, y),
    ]
    return make_view(layers, height=_HEIGHT)


def _label_layers(rows: Sequence[Row], style: str, x: Spec, y: Spec) -> list[Spec]:
    encoding = {"x": x, "y": y, "text": text_channel("label")}
    beside = {name: {"expr": f"datum.{name}"} for name in ("align", "dx", "dy")}
    return [
        make_layer("text", rows, encoding, only="isValid(datum.align)", style=each, **beside)
        for each in ("halo", style)
    ]


def _make_tips() -> list[Spec]:
    return tips(
        ("model", "name"), ("what", "label"), ("GFLOP/s", "rate"), ("operations a byte", "intensity"),
        ("bound by", "bound"), ("of what is allowed", "share"),
    )  # fmt: skip


def _iter_sizes(model: ModelInspection, cast: Cast) -> Iterator[Row]:
    for size in model.sizes:
        if size.at_roof is not None and size.at_roof.gflop_s > 0:
            yield _make_row(model, cast, size.at_roof, size_text(size.net_hw), math.prod(size.net_hw))


def _iter_parts(model: ModelInspection, cast: Cast) -> Iterator[Row]:
    size = find_shown_size(model)
    for block in size.blocks:
        if block.depth == 1 and block.at_roof is not None and block.at_roof.gflop_s > 0:
            yield _make_row(
                model, cast, block.at_roof, clean_name(short_label(block.label), 24), math.prod(size.net_hw)
            )


def _make_row(model: ModelInspection, cast: Cast, at_roof: RoofShare, label: str, pixels: int) -> Row:
    return {
        "model": cast.label(model.name), "name": clean_name(model.name), "dash": cast.dash_of(model.name),
        "label": label, "pixels": pixels, "x": tidy(at_roof.intensity), "y": tidy(at_roof.gflop_s),
        "rate": figure(at_roof.gflop_s), "intensity": figure(at_roof.intensity),
        "bound": {"compute": "computing", "bandwidth": "memory"}[at_roof.bound],
        "share": f"{100 * at_roof.share:.0f}%",
    }  # fmt: skip


def _fit_axes(rows: Sequence[Row], roof: Roof) -> tuple[TimeAxis, TimeAxis]:
    """Across and up, both logarithmic, around all marks, the ridge and what lies about it."""
    across = [*collect(rows, "x"), roof.ridge / _BESIDE_RIDGE, roof.ridge * _BESIDE_RIDGE]
    low, high = min(across) / _ROOM, max(across) * _ROOM
    up = [*collect(rows, "y"), roof.gflop_s, roof.attainable(low)]
    return TimeAxis(tidy(low), tidy(high), True), TimeAxis(tidy(min(up) / _ROOM), tidy(max(up) * _ROOM), True)


def _roof_rows(roof: Roof, across: TimeAxis) -> list[Row]:
    """The roof from left to right; its ends hold what is written beside them."""
    return [
        {"x": across.low, "y": tidy(roof.attainable(across.low)), "label": f"memory: {figure(roof.gbyte_s)} GB/s"}
        | {"align": "left", "dx": 16, "dy": 14},
        {"x": tidy(roof.ridge), "y": tidy(roof.gflop_s)},
        {"x": across.high, "y": tidy(roof.gflop_s), "label": f"computing: {figure(roof.gflop_s)} GFLOP/s"}
        | {"align": "right", "dx": -2, "dy": -12},
    ]


def _place(rows: Sequence[Row], edge: Sequence[Row], across: TimeAxis, up: TimeAxis) -> None:
    """Give each row that has room for its label the label's place, the first rows first, off the roof and its text."""

    def find_px(row: Row) -> Point:
        return across.place(row["x"]) * _PLACED_FOR_PX, (1 - up.place(row["y"])) * _HEIGHT

    points = [find_px(row) for row in rows]
    taken = list(_iter_roof_px([find_px(row) for row in edge], edge))
    labels = [*(row["label"] for row in rows), *[""] * len(taken)]
    places = place_labels([*points, *taken], labels, _PLACED_FOR_PX, _HEIGHT)
    for row, place in zip(rows, places, strict=False):
        if place is not None:
            row |= {"align": place.align, "dx": place.dx, "dy": place.dy}


def _iter_roof_px(corners: Sequence[Point], edge: Sequence[Row]) -> Iterator[Point]:
    """Places that the roof and what is written beside it cover, in pixels."""
    for (x, y), (to_x, to_y) in pairwise(corners):
        for step in range(_STEPS + 1):
            yield x + (to_x - x) * step / _STEPS, y + (to_y - y) * step / _STEPS
    for (x, y), row in zip(corners, edge, strict=True):
        if "label" in row:
            length = label_px(row["label"]) * (1 if row["align"] == "left" else -1)
            for step in range(_STEPS + 1):
                yield x + row["dx"] + length * step / _STEPS, y + row["dy"]


def _describe_roof(roof: Roof) -> str:
    return (
        f"{roof.device} allows {figure(roof.gflop_s)} GFLOP/s from {figure(roof.ridge)} operations a byte on, and "
        f"{figure(roof.gbyte_s)} GB/s below that."
    )


def _describe(model: ModelInspection) -> str:
    told = [
        f"{size_text(size.net_hw)} {figure(size.at_roof.gflop_s)} GFLOP/s, {100 * size.at_roof.share:.0f}% of it"
        for size in model.sizes
        if size.at_roof is not None
    ]
    return f"{clean_name(model.name)}: {join_clauses(told)}."
