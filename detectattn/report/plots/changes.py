"""What changed between two studies."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.cells import METRIC_NAMES, figure, share
from detectattn.report.changes import AccuracyDifference, Changes, ModelChange, SpeedChange
from detectattn.report.changes_cells import difference_text, ratio_text
from detectattn.report.looks import assign_looks
from detectattn.report.plots.axes import fit_range, fit_time_axis
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast
from detectattn.report.plots.names import clean_name, join_words, label_names
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import Row, Spec, is_known, make_layer, make_view, quantity, tidy, tips

_MOST_ROWS = 24
_TOP_PX, _METRIC_PX, _TIME_PX = 24, 15, 20
_SHAPES = {"ap50_95": "circle", "ap50": "diamond"}
_GREY = "#6E7781"


def build_change_plots(changes: Changes) -> tuple[Plot, ...]:
    """Those plots for which a comparison has figures, in the order of the page."""
    cast = _find_cast(changes)
    plots = (_plot_accuracy(changes, cast), _plot_speed(changes, cast))
    return tuple(plot for plot in plots if plot is not None)


def _find_cast(changes: Changes) -> Cast:
    families = {model.name: model.family for model in changes.models}
    return Cast(label_names(families), assign_looks(families))


def _plot_accuracy(changes: Changes, cast: Cast) -> Plot | None:
    """The change in AP and AP50 of every model that was judged image by image; None without any."""
    shown = [(m, found) for m in changes.models if (found := _overall(m))][:_MOST_ROWS]
    if not shown:
        return None
    told = [f"{clean_name(model.name, 60)}: {_tell_accuracy(found)}" for model, found in shown]
    return Plot(
        name="changes-accuracy",
        section="changes",
        title="Did accuracy change by more than chance?",
        caption=(
            "After less before, on the images that both runs saw, with the 95% interval. Right of 0 a model became "
            "more accurate. Filled marks are decided; a hollow one could be chance."
        ),
        alt=f"Change in accuracy by model. {join_words(told, 12)}.",
        spec=_draw_accuracy(shown, cast),
    )


_Judged = Sequence[tuple[ModelChange, Sequence[AccuracyDifference]]]


def _overall(model: ModelChange) -> list[AccuracyDifference]:
    if model.accuracy is None or not model.accuracy.paired:
        return []
    return [d for d in model.accuracy.differences if d.class_name is None and is_known(d.difference)]


def _draw_accuracy(shown: _Judged, cast: Cast) -> Spec:
    grid = RowGrid(len(shown), _TOP_PX + len(_SHAPES) * _METRIC_PX + 6)
    rows = [
        _accuracy_row(model, d, grid.at(i, _TOP_PX + (place + 0.4) * _METRIC_PX), cast)
        for i, (model, found) in enumerate(shown)
        for place, d in enumerate(found)
    ]
    ends: list[float] = [0.0, *(row[end] for row in rows for end in ("x", "low", "high") if end in row)]
    axis = {"title": "change in AP and AP50 (0 to 1)", "tickCount": 7, "format": "+.3~f"}
    x = quantity("x", {"domain": fit_range(ends, margin=0.05), "nice": False}, axis)
    color = cast.color([model.name for model, _ in shown], legend=False)
    shape = {
        "field": "metric", "type": "nominal",
        "legend": {"title": None, "orient": "top", "symbolFillColor": _GREY, "symbolStrokeColor": _GREY},
        "scale": {"domain": [METRIC_NAMES[m] for m in _SHAPES], "range": list(_SHAPES.values())},
    }  # fmt: skip
    tooltip = tips(
        ("model", "name"), ("metric", "metric"), ("change", "shown"), ("figures", "values"), ("decided", "verdict")
    )
    where: Spec = {"y": grid.y(), "tooltip": tooltip}
    interval = {**where, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": color}
    layers = [
        make_layer("rule", _zeros(grid), {"x": x, "y": grid.y(), "y2": {"field": "y2"}}, style="zero"),
        make_layer("rule", [r for r in rows if "low" in r], interval, strokeWidth=2.4),
        make_layer(
            "point", [r for r in rows if r["decided"]], {**where, "x": x, "color": color, "shape": shape}, size=90
        ),
        make_layer(
            "point", [r for r in rows if not r["decided"]], {**where, "x": x, "stroke": color, "shape": shape},
            size=90, style="open", strokeWidth=1.8,
        ),
        *grid.heads([RowHead(cast.label(m.name), _head_accuracy(found)) for m, found in shown]),
    ]  # fmt: skip
    return make_view([layer for layer in layers if layer["data"]["values"]], height=grid.height)


def _zeros(grid: RowGrid) -> list[Row]:
    """The line at 0, below the text of each row."""
    return [{"x": 0, "y": grid.at(i, _TOP_PX - 5), "y2": i + 1} for i in range(grid.count)]


def _accuracy_row(model: ModelChange, d: AccuracyDifference, y: float, cast: Cast) -> Row:
    row: Row = {
        "x": tidy(d.difference), "y": y, "model": cast.label(model.name), "name": clean_name(model.name),
        "metric": METRIC_NAMES[d.metric], "shown": difference_text(d), "values": _values(d), "decided": d.decided,
        "verdict": "yes" if d.decided else "no",
    }  # fmt: skip
    return row | ({"low": tidy(d.low), "high": tidy(d.high)} if is_known(d.low, d.high) else {})


def _values(d: AccuracyDifference) -> str:
    return f"{share(d.after)}, {share(d.before)} before"


def _head_accuracy(found: Sequence[AccuracyDifference]) -> str:
    return f"{METRIC_NAMES[found[0].metric]} {difference_text(found[0])}"


def _tell_accuracy(found: Sequence[AccuracyDifference]) -> str:
    return "; ".join(
        f"{METRIC_NAMES[d.metric]} {difference_text(d)}, {_values(d)}, {'decided' if d.decided else 'not decided'}"
        for d in found
    )


def _plot_speed(changes: Changes, cast: Cast) -> Plot | None:
    """Median times before and after; None where no model was timed in both."""
    timed = [
        (m, m.speed) for m in changes.models if m.speed is not None and is_known(m.speed.before_ms, m.speed.after_ms)
    ]
    if not timed:
        return None
    shown = timed[:_MOST_ROWS]
    return Plot(
        name="changes-speed",
        section="changes",
        title="Did it become faster?",
        caption=(
            "Median time an image: the hollow mark is before, the filled one after. Grey where the two runs cannot be "
            "compared."
        ),
        alt=f"Median time before and after by model. {join_words([_tell_speed(m, s) for m, s in shown], 12)}.",
        spec=_draw_speed(shown, cast),
    )


_Timed = Sequence[tuple[ModelChange, SpeedChange]]


def _draw_speed(shown: _Timed, cast: Cast) -> Spec:
    grid = RowGrid(len(shown), _TOP_PX + _TIME_PX + 6)
    rows: list[Row] = [
        {
            "x": tidy(speed.after_ms or 0.0), "x2": tidy(speed.before_ms or 0.0),
            "y": grid.at(i, _TOP_PX + _TIME_PX / 2),
            "model": cast.label(model.name), "name": clean_name(model.name), "known": speed.ratio is not None,
            "before": f"{figure(speed.before_ms)} ms", "after": f"{figure(speed.after_ms)} ms",
            "shown": ratio_text(model) if speed.ratio is not None else "not compared",
        }
        for i, (model, speed) in enumerate(shown)
    ]  # fmt: skip
    axis = fit_time_axis(value for row in rows for value in (row["x"], row["x2"]))
    x = quantity("x", axis.scale(), axis.axis("median time an image, ms"))
    color = cast.color([model.name for model, _ in shown], legend=False)
    tooltip = tips(("model", "name"), ("before", "before"), ("after", "after"), ("times what it took", "shown"))
    layers = []
    for known in (True, False):
        own = [row for row in rows if row["known"] is known]
        where = {"y": grid.y(), "tooltip": tooltip}
        hue = {"color": color} if known else {}
        edge = {"stroke": color} if known else {}
        looks = {} if known else {"style": "doubt"}
        layers += [
            make_layer("rule", own, {**where, **hue, "x": x, "x2": {"field": "x2"}}, strokeWidth=2.4, **looks),
            make_layer(
                "point", own, {**where, **edge, "x": {**x, "field": "x2"}}, size=90, style="open", strokeWidth=1.8
            ),
            make_layer("point", own, {**where, **hue, "x": x}, size=110, **looks),
        ]
    heads = [RowHead(cast.label(model.name), _head_speed(model, speed)) for model, speed in shown]
    return make_view([layer for layer in (*layers, *grid.heads(heads)) if layer["data"]["values"]], height=grid.height)


def _head_speed(model: ModelChange, speed: SpeedChange) -> str:
    figures = f"{figure(speed.before_ms)} → {figure(speed.after_ms)} ms"
    return f"{figures}, {ratio_text(model)}" if speed.ratio is not None else figures


def _tell_speed(model: ModelChange, speed: SpeedChange) -> str:
    decided = "not compared"
    if speed.ratio is not None:
        decided = f"{ratio_text(model)}, {'decided' if speed.ratio.decided else 'not decided'}"
    name = clean_name(model.name, 60)
    return f"{name}: {figure(speed.before_ms)} ms before, {figure(speed.after_ms)} ms after, {decided}"
