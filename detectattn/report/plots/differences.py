"""How much more accurate one model is than another, and whether that could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectattn.figures import format_interval
from detectattn.report.cells import METRIC_NAMES, images_to_decide, share, signed_share
from detectattn.report.content import Difference, Report
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import (
    HAS_INTERVAL,
    Row,
    Spec,
    collect,
    is_known,
    make_layer,
    make_view,
    quantity,
    text_channel,
    tidy,
    tips,
)

_MOST_PAIRS = 24
# Below this width there is no room for intervals in words.
_NARROW_PX = 480
_TOP_PX, _METRIC_PX = 24, 15
_SHAPES = {"ap50_95": "circle", "ap50": "diamond"}


@dataclass(frozen=True, slots=True)
class OrientedPair:
    """A pair of models with the one that has more AP first.

    Attributes:
        first: Its name.
        second: The other's.
        by_metric: What differs, as first less second.
    """

    first: str
    second: str
    by_metric: dict[str, Difference]


def orient_pairs(report: Report) -> tuple[OrientedPair, ...]:
    """Every pair that has a difference in accuracy, in the order of the report."""
    pairs: dict[tuple[str, str], dict[str, Difference]] = {}
    for difference in report.differences:
        figures = difference.figures
        if figures.class_name is None and figures.metric in _SHAPES and is_known(figures.difference):
            pairs.setdefault((difference.a, difference.b), {})[figures.metric] = difference
    return tuple(_orient(a, b, found) for (a, b), found in pairs.items())


def _orient(a: str, b: str, found: dict[str, Difference]) -> OrientedPair:
    leading = found.get("ap50_95") or next(iter(found.values()))
    behind = leading.figures.difference < 0
    return OrientedPair(b if behind else a, a if behind else b, found)


def plot_differences(report: Report) -> Plot | None:
    """Differences of every pair in AP and AP50; None without ground truth or for a single model."""
    pairs = orient_pairs(report)
    if not pairs:
        return None
    shown = pairs[:_MOST_PAIRS]
    rest = f" {len(pairs) - len(shown):,} more pairs are in the table." if len(pairs) > len(shown) else ""
    return Plot(
        name="differences",
        section="accuracy",
        title="Which differences in accuracy are more than chance?",
        caption=(
            "The model named first less the other, with the 95% interval over images. Filled marks are decided; a "
            f"hollow one could be chance: its interval reaches 0, or comes too near.{rest}"
        ),
        alt=f"Differences in accuracy by pair. {join_clauses([_tell(pair) for pair in shown])}.",
        spec=_draw(shown, find_cast(report)),
    )


def _draw(pairs: Sequence[OrientedPair], cast: Cast) -> Spec:
    metrics = [m for m in _SHAPES if any(m in pair.by_metric for pair in pairs)]
    grid = RowGrid(len(pairs), _TOP_PX + len(metrics) * _METRIC_PX + 6)
    rows = [
        _row(pair, metric, grid.at(i, _TOP_PX + (place + 0.4) * _METRIC_PX), cast)
        for i, pair in enumerate(pairs)
        for place, metric in enumerate(pair.by_metric)
    ]
    ends = [0.0, *collect(rows, "x", "low", "high")]
    axis = {"title": "difference in AP and AP50 (0 to 1)", "tickCount": 7, "format": "+.2~f"}
    # Room at the right for the figures.
    scale = {
        "domain": fit_range(ends, margin=0.05),
        "nice": False,
        "range": [0, {"expr": f"width < {_NARROW_PX} ? width - 60 : width - 220"}],
    }
    x = quantity("x", scale, axis)
    models = [name for pair in pairs for name in (pair.first, pair.second)]
    color = cast.color(dict.fromkeys(models), legend=False)
    shape = _shape_channel(metrics)
    tooltip = tips(
        ("pair", "pair"), ("metric", "metric"), ("difference", "shown"), ("decided", "verdict"),
        ("images that would decide", "needed"),
    )  # fmt: skip
    where: Spec = {"x": x, "y": grid.y(), "tooltip": tooltip}
    interval = {**where, "color": color, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
    layers = [
        make_layer("rule", [{"x": 0}], {"x": x}, style="zero"),
        make_layer("rule", rows, interval, only=HAS_INTERVAL, strokeWidth=2.4),
        make_layer("point", rows, {**where, "color": color, "shape": shape}, only="datum.decided", size=90),
        # Behind the hollow marks lies the interval, which would show.
        make_layer(
            "point", rows,
            {**where, "stroke": color, "shape": shape},
            only="!datum.decided", size=90, style="open", strokeWidth=1.8,
        ),
        *_figure_layers(rows, grid),
        *grid.heads([RowHead(f"{cast.label(p.first)} over {cast.label(p.second)}", "") for p in pairs]),
    ]  # fmt: skip
    return make_view(layers, height=grid.height)


def _shape_channel(metrics: Sequence[str]) -> Spec:
    """A shape for each metric, told where there are several."""
    legend = (
        {"title": None, "orient": "top", "symbolFillColor": "#6E7781", "symbolStrokeColor": "#6E7781"}
        if len(metrics) > 1
        else None
    )
    labels = [METRIC_NAMES[m] for m in metrics]
    return {
        "field": "metric", "type": "nominal", "legend": legend,
        "scale": {"domain": labels, "range": [_SHAPES[m] for m in metrics]},
    }  # fmt: skip


def _figure_layers(rows: Sequence[Row], grid: RowGrid) -> list[Spec]:
    """The figures at the right: with their interval, or alone where the page is narrow."""
    return [
        make_layer(
            "text", rows, {"x": {"value": "width"}, "y": grid.y(), "text": text_channel(field)},
            style="note", align="right", opacity={"expr": f"width < {_NARROW_PX} ? {narrow} : {1 - narrow}"},
        )
        for field, narrow in (("figures", 0), ("figure", 1))
    ]  # fmt: skip


def oriented_figures(pair: OrientedPair, difference: Difference) -> tuple[float, float, float]:
    """The difference and the ends of its interval, as first less second; NaN where they are not known."""
    f = difference.figures
    same = difference.a == pair.first
    return (f.difference, f.low, f.high) if same else (-f.difference, -f.high, -f.low)


def tell_difference(value: float, low: float, high: float) -> str:
    """``+0.078 (0.012–0.141)``."""
    return f"{signed_share(value)} ({format_interval(low, high)})" if is_known(low, high) else signed_share(value)


def _row(pair: OrientedPair, metric: str, y: float, cast: Cast) -> Row:
    difference = pair.by_metric[metric]
    value, low, high = oriented_figures(pair, difference)
    ahead = pair.first if value >= 0 else pair.second
    row: Row = {
        "x": tidy(value), "y": y, "model": cast.label(ahead), "metric": METRIC_NAMES[metric],
        "pair": f"{clean_name(pair.first, 60)} over {clean_name(pair.second, 60)}",
        "shown": tell_difference(value, low, high),
        "figures": f"{METRIC_NAMES[metric]} {tell_difference(value, low, high)}", "figure": signed_share(value),
        "decided": difference.figures.decided,
        "verdict": "yes" if difference.figures.decided else "no", "needed": images_to_decide(difference),
    }  # fmt: skip
    return row | ({"low": tidy(low), "high": tidy(high)} if is_known(low, high) else {})


def _tell(pair: OrientedPair) -> str:
    parts = []
    for metric, difference in pair.by_metric.items():
        f = difference.figures
        values = (f.value_a, f.value_b) if difference.a == pair.first else (f.value_b, f.value_a)
        parts.append(
            f"{METRIC_NAMES[metric]} {tell_difference(*oriented_figures(pair, difference))}, {share(values[0])} "
            f"against {share(values[1])}, {'decided' if f.decided else 'not decided'}"
        )
    return f"{clean_name(pair.first, 60)} over {clean_name(pair.second, 60)}: {'; '.join(parts)}"
