"""What share of a model attention is, by image size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from detectattn.report.looks import assign_looks
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast
from detectattn.report.plots.names import clean_name, join_words, label_names
from detectattn.report.plots.spec import Row, Spec, collect, fade, make_layer, make_view, pick, quantity, tidy, tips
from detectattn.results.inspection import ModelInspection, SizeInspection
from detectattn.results.ledger import Quantity

_PANEL_PX, _GAP_PX = 150, 34
_PANELS: Mapping[Quantity, str] = {
    "time_ms": "% of time",
    "gflops": "% of operations",
    "written_mb": "% of bytes",
}


def plot_ledger(models: Sequence[ModelInspection]) -> Plot | None:
    """Attention's share of time, operations and bytes against image size; None where none has any at two sizes."""
    shown = [model for model in models if len(model.sizes) > 1 and model.sizes[0].attention]
    if not shown:
        return None
    without = [model.name for model in models if not model.sizes[0].attention]
    absent = f" {join_words(without)}: no attention." if without else ""
    return Plot(
        name="attention",
        section="attention",
        title="What share of a model is attention, and does it grow with the image?",
        caption=f"Attention's share of a pass, its projections included, by the side of the image.{absent}",
        alt=" ".join(_describe(model) for model in shown) + absent,
        spec=_draw(shown),
    )


def _draw(models: Sequence[ModelInspection]) -> Spec:
    cast = _make_cast(models)
    names = [model.name for model in models]
    sides = sorted({_side_px(size) for model in models for size in model.sizes})
    x = quantity(
        "x", {"domain": fit_range(sides, margin=0.05), "nice": False, "zero": False},
        {"title": "image side, pixels", "values": sides, "format": "d", "grid": False},
    )  # fmt: skip
    panels: list[Spec] = []
    top = 0
    for what, title in _PANELS.items():
        rows = [row for model in models for row in _iter_rows(model, what, cast)]
        if rows:
            panels.append({"layer": _panel(rows, x, cast, names, title, top, legend=not panels)})
            top += _PANEL_PX + _GAP_PX
    return make_view(panels, height=top - _GAP_PX, resolve={"y": "independent"})


def _panel(
    rows: Sequence[Row], x: Spec, cast: Cast, names: Sequence[str], title: str, top: int, *, legend: bool
) -> list[Spec]:
    """Lines and marks in a strip of the plot that begins at ``top``, in pixels."""
    scale = {"domain": [0, fit_range([0, *collect(rows, "y")])[1]], "range": [top + _PANEL_PX, top], "nice": False}
    y = quantity("y", scale, {"title": title, "tickCount": 4, "orient": "left", "grid": True})
    where = {"x": x, "y": y, "color": cast.color(names), "opacity": fade()}
    line = make_layer("line", rows, {**where, "strokeDash": cast.dash(names)})
    tooltip = tips(("model", "name"), ("size", "size"), (title, "shown"))
    return [
        {**line, "params": [pick("model")]} if legend else line,
        make_layer("point", rows, {**where, "shape": cast.shape(names), "tooltip": tooltip}, size=80),
    ]


def _make_cast(models: Sequence[ModelInspection]) -> Cast:
    looks = assign_looks({model.name: model.family for model in models})
    return Cast(label_names(model.name for model in models), looks)


def _iter_rows(model: ModelInspection, what: Quantity, cast: Cast) -> Iterator[Row]:
    for size in model.sizes:
        share = find_share(size, what)
        if share is not None:
            yield {
                "model": cast.label(model.name), "name": clean_name(model.name), "dash": cast.dash_of(model.name),
                "x": _side_px(size), "y": tidy(100 * share), "size": f"{size.net_hw[0]}×{size.net_hw[1]}",
                "shown": f"{100 * share:.1f}%",
            }  # fmt: skip


def find_share(size: SizeInspection, what: Quantity) -> float | None:
    """Attention's share, 0 to 1, or None where it was not measured."""
    own, whole = (getattr(cost, what) for cost in (size.split_cost()["attention"], size.whole))
    return None if own is None or not whole else float(own / whole)


def _side_px(size: SizeInspection) -> int:
    return round(math.sqrt(math.prod(size.net_hw)))


def _describe(model: ModelInspection) -> str:
    parts = []
    for what, title in _PANELS.items():
        shares = [(size, find_share(size, what)) for size in model.sizes]
        known = [f"{100 * share:.1f} at {_side_px(size)} px" for size, share in shares if share is not None]
        if known:
            parts.append(f"{title} {join_words(known)}")
    return f"{clean_name(model.name)}: {'; '.join(parts)}."
