"""Pieces of Vega-Lite that plots share. What comes from outside enters as values of data, under constant names."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]
Row = dict[str, Any]

SCHEMA_URL = "https://vega.github.io/schema/vega-lite/v6.json"
_DIGITS = 5
_FEW = 12
HAS_INTERVAL = "isValid(datum.low)"
"""For :func:`make_layer`: rows whose ``low`` and ``high`` are known."""


def tidy(value: float, digits: int = _DIGITS) -> float:
    """As many digits as can be seen in a plot."""
    return float(f"{value:.{digits}g}")


def is_known(*values: float | None) -> bool:
    """Whether all figures exist."""
    return all(value is not None and math.isfinite(value) for value in values)


def collect(rows: Sequence[Row], *fields: str) -> list[float]:
    """What rows hold in some fields, for an axis to reach it all; rows without a field are passed over."""
    return [float(row[field]) for row in rows for field in fields if row.get(field) is not None]


def make_view(
    layers: Sequence[Spec], *, height: int, params: Sequence[Spec] = (), resolve: Mapping[str, str] | None = None
) -> Spec:
    """Layers on one another, as wide as there is room; those without rows are left out.

    Args:
        layers: With data of their own.
        height: Of the plotting area, in pixels.
        params: Of the whole view.
        resolve: By channel, ``independent`` where layers have scales of their own.
    """
    shared, datasets = share_rows(layers)
    spec: Spec = {
        "$schema": SCHEMA_URL,
        "width": "container",
        "height": height,
        # The width is that of all, axes included.
        "autosize": {"type": "fit-x", "contains": "padding"},
        "datasets": datasets,
        "layer": shared,
    }
    if params:
        spec["params"] = list(params)
    if resolve:
        spec["resolve"] = {"scale": dict(resolve)}
    return spec


def make_layer(mark: str, rows: Sequence[Row], encoding: Spec, *, only: str = "", **looks: Any) -> Spec:
    """A mark for each row.

    Args:
        mark: Its type.
        rows: The data; no NaN.
        encoding: By channel.
        only: A condition on rows, in Vega's words, to leave some out here and still share them with other layers.
        looks: Properties of the mark; ``style`` names one of the theme's.
    """
    layer: Spec = {"data": {"values": list(rows)}, "mark": {"type": mark, **looks}, "encoding": encoding}
    if only:
        layer["transform"] = [{"filter": only}]
    return layer


def flatten(layer: Spec, *fields: str) -> Spec:
    """The layer with a mark for each entry of lists that its rows hold, which takes far less room."""
    return before(layer, {"flatten": list(fields)})


def before(layer: Spec, *steps: Spec) -> Spec:
    """The layer with steps before those that it has."""
    return {**layer, "transform": [*steps, *layer.get("transform", ())]}


def share_rows(layers: Sequence[Spec]) -> tuple[list[Spec], dict[str, list[Row]]]:
    """Layers that refer to rows by name, and the rows: once where several layers have them, in columns where many.

    Returns:
        The layers that have rows, and rows by name.
    """
    datasets: dict[str, list[Row]] = {}
    names: dict[str, str] = {}

    def refer(layer: Spec) -> Spec | None:
        if "layer" in layer:
            inner = [found for each in layer["layer"] if (found := refer(each)) is not None]
            return {**layer, "layer": inner} if inner else None
        rows = layer["data"]["values"]
        if not rows:
            return None
        key = json.dumps(rows, sort_keys=True)
        name = names.setdefault(key, f"rows{len(names)}")
        fields = _common_fields(rows)
        if fields:
            datasets[name] = [{field: [row.get(field) for row in rows] for field in fields}]
            layer = before(layer, {"flatten": fields})
        else:
            datasets[name] = rows
        return {**layer, "data": {"name": name}}

    return [found for each in layers if (found := refer(each)) is not None], datasets


def _common_fields(rows: Sequence[Row]) -> list[str]:
    """The fields of rows that are worth being held in columns, which takes each name once; none for few rows."""
    if len(rows) < _FEW or any(isinstance(value, list) for row in rows for value in row.values()):
        return []
    return list(dict.fromkeys(field for row in rows for field in row))


def quantity(field: str, scale: Spec | None = None, axis: Spec | None = None, *, shown: bool = True) -> Spec:
    """A channel along an axis; ``shown`` is false for one without an axis."""
    channel: Spec = {"field": field, "type": "quantitative"}
    if scale is not None:
        channel["scale"] = scale
    if not shown:
        channel["axis"] = None
    elif axis is not None:
        channel["axis"] = axis
        channel["title"] = axis.get("title")
    return channel


def tips(*fields: tuple[str, str]) -> list[Spec]:
    """What hovering shows: title and field of text each."""
    return [{"field": field, "type": "nominal", "title": title} for title, field in fields]


def pick(*fields: str) -> Spec:
    """A selection by clicking in the legend: the others fade."""
    return {"name": "picked", "select": {"type": "point", "fields": list(fields)}, "bind": "legend"}


def fade(shown: float = 1.0, faded: float = 0.1) -> Spec:
    """Opacity of what is picked in the legend, and of the rest."""
    return {"condition": {"param": "picked", "value": shown}, "value": faded}


def text_channel(field: str) -> Spec:
    """Text of a field."""
    return {"field": field, "type": "nominal"}
