"""Which maps beat the baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from detectattn.report.cells import signed_share
from detectattn.report.explanation import Explanation
from detectattn.report.looks import assign_looks
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast
from detectattn.report.plots.names import clean_name, join_words, label_names
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import Row, Spec, collect, make_layer, make_view, quantity, tidy, tips
from detectattn.results.explanation import MeanFigure, MethodFigures

_TOP_PX, _MARK_PX = 24, 15
_KINDS = {"over random": "circle", "over the blob on the box": "diamond"}
_GREY = "#6E7781"
_TICK = "datum.value ? format(datum.value, '+.2~f') : '0'"

_Row = tuple[str, MethodFigures]


def plot_gains(explanation: Explanation) -> Plot | None:
    """By how much every map exceeds both baselines; None where nothing was scored."""
    shown = [(m.name, f) for m in explanation.models for f in m.methods if any(g is not None for g in _gains(f))]
    if not shown:
        return None
    cast = Cast(
        label_names(model.name for model in explanation.models),
        assign_looks({model.name: model.family for model in explanation.models}),
    )
    told = [f"{clean_name(name, 60)}, {figures.title}: {_tell(figures)}" for name, figures in shown]
    return Plot(
        name="gains",
        section="attention",
        title="Which maps say more than the box?",
        caption=(
            "Faithfulness of each map less that of a random map, and less that of a blob on the box, with 95% "
            "intervals. A map says more than the box where both lie right of 0 with all of their intervals; hollow "
            "marks could be chance."
        ),
        alt=f"Faithfulness beside both baselines. {join_words(told, 16)}.",
        spec=_draw(shown, cast),
    )


def _gains(figures: MethodFigures) -> tuple[MeanFigure | None, MeanFigure | None]:
    """As the kinds are listed."""
    return figures.over_random, figures.over_box


def _draw(shown: Sequence[_Row], cast: Cast) -> Spec:
    grid = RowGrid(len(shown), _TOP_PX + len(_KINDS) * _MARK_PX + 6)
    rows = [row for place, own in enumerate(shown) for row in _iter_rows(place, own, grid, cast)]
    ends = [0.0, *collect(rows, "x", "low", "high")]
    axis = {"title": "faithfulness, less that of the baseline", "tickCount": 7, "labelExpr": _TICK}
    x = quantity("x", {"domain": fit_range(ends, margin=0.05), "nice": False}, axis)
    color = cast.color(list(dict.fromkeys(name for name, _ in shown)), legend=False)
    shape = {
        "field": "kind", "type": "nominal", "legend": {"title": None, "orient": "top", "symbolFillColor": _GREY},
        "scale": {"domain": list(_KINDS), "range": list(_KINDS.values())},
    }  # fmt: skip
    tooltip = tips(("model", "name"), ("map", "map"), ("baseline", "kind"), ("difference", "shown"))
    where: Spec = {"y": grid.y(), "tooltip": tooltip}
    zeros: list[Row] = [{"x": 0, "y": grid.at(i, _TOP_PX - 5), "y2": i + 1} for i in range(grid.count)]
    layers = [
        make_layer("rule", zeros, {"x": x, "y": grid.y(), "y2": {"field": "y2"}}, style="zero"),
        make_layer(
            "rule", [r for r in rows if "low" in r],
            {**where, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": color}, strokeWidth=2.4,
        ),
        make_layer(
            "point", [r for r in rows if r["clear"]], {**where, "x": x, "color": color, "shape": shape}, size=90
        ),
        make_layer(
            "point", [r for r in rows if not r["clear"]], {**where, "x": x, "stroke": color, "shape": shape},
            size=90, style="open", strokeWidth=1.8,
        ),
        *grid.heads([RowHead(f"{cast.label(name)} · {figures.title}", figures.worth) for name, figures in shown]),
    ]  # fmt: skip
    return make_view(layers, height=grid.height)


def _iter_rows(place: int, own: _Row, grid: RowGrid, cast: Cast) -> Iterator[Row]:
    name, figures = own
    for number, (kind, gain) in enumerate(zip(_KINDS, _gains(figures), strict=True)):
        if gain is None or not isfinite(gain.value):
            continue
        row: Row = {
            "x": tidy(gain.value, 4), "y": grid.at(place, _TOP_PX + (number + 0.4) * _MARK_PX),
            "model": cast.label(name), "name": clean_name(name), "map": figures.title, "kind": kind,
            "shown": _text(gain), "clear": isfinite(gain.low) and (gain.low > 0 or gain.high < 0),
        }  # fmt: skip
        yield row | ({"low": tidy(gain.low, 4), "high": tidy(gain.high, 4)} if isfinite(gain.low) else {})


def _text(gain: MeanFigure) -> str:
    ends = f" ({signed_share(gain.low)} to {signed_share(gain.high)})" if isfinite(gain.low) else ""
    return f"{signed_share(gain.value)}{ends}"


def _tell(figures: MethodFigures) -> str:
    gains = zip(_KINDS, _gains(figures), strict=True)
    told = [f"{_text(gain)} {kind}" for kind, gain in gains if gain is not None]
    return f"{', '.join(told)}: {figures.worth}"
