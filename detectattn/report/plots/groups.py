"""Plots of a few kinds of thing, each with one mark a model: a stem from 0, and the model's shape at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectattn.report.plots.cast import Cast
from detectattn.report.plots.names import clean_name
from detectattn.report.plots.rows import RowGrid
from detectattn.report.plots.spec import (
    Row,
    Spec,
    fade,
    make_layer,
    make_view,
    pick,
    quantity,
    text_channel,
    tidy,
    tips,
)

_STEM_PX = 17
_TOP_PX = 24
_KNOWN = "isValid(datum.x)"


@dataclass(frozen=True, slots=True)
class GroupMark:
    """A figure of a model in one group.

    Attributes:
        group: Index of the group.
        model: Name of the model.
        value: What it is; None where it does not exist.
        shown: As text, after the mark.
        detail: As text, on hover.
    """

    group: int
    model: str
    value: float | None
    shown: str
    detail: str


def draw_groups(
    groups: Sequence[str], marks: Sequence[GroupMark], cast: Cast, axis: Spec, *, high: float, detail: str
) -> Spec:
    """Groups under one another.

    Args:
        groups: Their names, of ours.
        marks: All figures.
        cast: The models.
        axis: Of the figures.
        high: Where the axis ends; it begins at 0.
        detail: Title of each mark's detail.
    """
    names = list(dict.fromkeys(mark.model for mark in marks))
    grid = RowGrid(len(groups), _TOP_PX + len(names) * _STEM_PX + 8)
    place = {name: i for i, name in enumerate(names)}
    rows: list[Row] = [
        {
            "x": None if mark.value is None else tidy(mark.value), "at": tidy(mark.value or 0.0), "zero": 0,
            "y": grid.at(mark.group, _TOP_PX + (place[mark.model] + 0.4) * _STEM_PX),
            "model": cast.label(mark.model), "name": clean_name(mark.model), "group": groups[mark.group],
            "shown": mark.shown, "detail": mark.detail,
        }
        for mark in marks
    ]  # fmt: skip
    # Room at the right for the figures.
    scale = {"domain": [0, high], "nice": False, "range": [0, {"expr": "max(60, width - 120)"}]}
    x = quantity("x", scale, axis)
    y = grid.y()
    where = {"y": y, "color": cast.color(names), "opacity": fade()}
    tooltip = tips(("model", "name"), ("kind", "group"), ("figure", "shown"), (detail, "detail"))
    heads: list[Row] = [{"y": grid.at(i, 10), "head": group} for i, group in enumerate(groups)]
    stems = make_layer(
        "rule",
        rows,
        {**where, "x": {**x, "field": "zero"}, "x2": {"field": "x"}, "tooltip": tooltip},
        only=_KNOWN,
        strokeWidth=3,
    )
    layers = [
        make_layer("rule", [{"zero": 0}], {"x": {**x, "field": "zero"}}, style="zero"),
        {**stems, "params": [pick("model")]},
        make_layer(
            "point", rows, {**where, "x": x, "shape": cast.shape(names), "tooltip": tooltip}, only=_KNOWN, size=70,
        ),
        make_layer(
            "text", rows, {"x": {**x, "field": "at"}, "y": y, "text": text_channel("shown")},
            style="note", align="left", dx=9,
        ),
        make_layer(
            "text", heads, {"x": {"value": 0}, "y": y, "text": text_channel("head")}, style="head", align="left", dx=6,
        ),
    ]  # fmt: skip
    return make_view(layers, height=grid.height)
