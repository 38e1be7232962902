"""Time against what is got for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import groupby

from detectattn.report.cells import doubt_mark, figure, figure_interval, share, share_interval, variant_text
from detectattn.report.content import Frontier, FrontierPoint, ModelReport, Report
from detectattn.report.plots.axes import TimeAxis, fit_range, fit_time_axis
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast
from detectattn.report.plots.label_places import label_px, place_labels
from detectattn.report.plots.names import clean_name, join_words
from detectattn.report.plots.spec import (
    Row,
    Spec,
    collect,
    fade,
    is_known,
    make_layer,
    make_view,
    pick,
    quantity,
    text_channel,
    tidy,
    tips,
)
from detectattn.report.plots.trust import DOUBTED, HOLLOW, TRUSTED, doubt_note, is_trusted

_HEIGHT = 380
_JOINED = "thin lines join variants to their model, "
# Labels are placed for a plot of this width; in wider ones they only move apart.
_PLACED_FOR_PX = 600
# Labels of variants go below this width, those of models stay.
_NARROW_PX = 520
# Wheel and drag belong to the page; with Shift they move the plot.
_ZOOM: Spec = {
    "name": "view",
    "select": {
        "type": "interval",
        "zoom": "wheel![event.shiftKey]",
        "translate": "[pointerdown[event.shiftKey], window:pointerup] > window:pointermove!",
    },
    "bind": "scales",
}


def plot_frontier(report: Report) -> Plot | None:
    """Each model and variant by median time and accuracy or agreement; None where nothing was set against time."""
    frontier = report.frontier
    if frontier is None:
        return None
    points = [p for p in frontier.points if is_known(p.p50_ms, p.gain) and p.p50_ms > 0]
    if not points:
        return None
    accurate = frontier.reference is None
    gain = "AP" if accurate else f"agreement with {clean_name(frontier.reference or '', 40)}"
    joined = _JOINED if any(p.variant for p in points) else ""
    shown = {p.name for p in points}
    doubted = {m.name for m in report.models if m.name in shown and not is_trusted(m)}
    return Plot(
        name="frontier",
        section="frontier",
        title=f"What does more {'accuracy' if accurate else 'agreement'} cost in time?",
        caption=(
            f"Up and to the left is better. {_tell_marks(points, doubted)} on the stepped line are beaten by none in "
            f"both time and {'accuracy' if accurate else 'agreement'}; {joined}bars are 95% intervals."
            f"{doubt_note(m for m in report.models if m.name in shown)}"
        ),
        alt=_describe(points, gain),
        spec=_draw(report, frontier, points),
    )


def _tell_marks(points: Sequence[FrontierPoint], doubted: Collection[str]) -> str:
    """What the best look like: times that should not be trusted have grey hollow marks."""
    grey = [p.name in doubted for p in points if p.pareto]
    return "The larger marks" if any(grey) else "Filled marks"


def _draw(report: Report, frontier: Frontier, points: Sequence[FrontierPoint]) -> Spec:
    cast = find_cast(report)
    rows = _rows(report, frontier, points, cast)
    times = fit_time_axis(collect(rows, "x", "x_low", "x_high"))
    reach = fit_range(collect(rows, "y", "y_low", "y_high"), least=0)
    _place(rows, times, reach)
    names = list(dict.fromkeys(p.base for p in points))
    x = quantity("x", times.scale(), times.axis("median time an image, ms, decode to boxes"))
    title = "AP (0 to 1)" if frontier.reference is None else "agreement (F1, 0 to 1)"
    y = quantity("y", {"domain": reach, "nice": False, "zero": False}, {"title": title, "tickCount": 6})
    where = {"x": x, "y": y, "color": cast.color(names)}
    marks = {
        **where,
        "shape": cast.shape(names),
        "opacity": fade(),
        "tooltip": tips(
            ("model", "name"), ("changed", "changed"), ("time", "shown_time"), (_gain_title(frontier), "shown_gain"),
            ("peak memory", "shown_memory"), ("beaten by none", "shown_best"),
        ),
    }  # fmt: skip
    layers = [
        make_layer("line", rows, {"x": x, "y": y}, only="datum.best", style="best", interpolate="step-after"),
        make_layer(
            "line", _chains(points, rows), {**where, "detail": text_channel("chain"), "opacity": fade(0.55, 0.05)},
            strokeWidth=1,
        ),
        *_interval_layers(rows, where),
        make_layer("point", rows, marks, only=f"!datum.best && {TRUSTED}", fillOpacity=0.3, size=80),
        {
            **make_layer("point", rows, marks, only=f"datum.best && {TRUSTED}", size=150),
            "params": [pick("model"), _ZOOM],
        },
        make_layer(
            "point", rows, {channel: marks[channel] for channel in marks if channel != "color"},
            only=DOUBTED, size={"expr": "datum.best ? 150 : 80"}, **HOLLOW,
        ),
        *_label_layers(rows, x, y),
    ]  # fmt: skip
    return make_view(layers, height=_HEIGHT)


def _interval_layers(rows: Sequence[Row], where: Spec) -> list[Spec]:
    x, y = where["x"], where["y"]
    across = {"x": {**x, "field": "x_low"}, "x2": {"field": "x_high"}, "y": y, "opacity": fade(0.75)}
    upward = {**where, "y": {**y, "field": "y_low"}, "y2": {"field": "y_high"}, "opacity": fade(0.75)}
    return [
        make_layer(
            "rule", rows, {**across, "color": where["color"]}, only=f"isValid(datum.x_low) && {TRUSTED}",
            strokeWidth=1.6,
        ),
        make_layer(
            "rule", rows, across, only=f"isValid(datum.x_low) && {DOUBTED}", style="doubt", strokeWidth=1.6,
            strokeDash=[3, 3],
        ),
        make_layer("rule", rows, upward, only="isValid(datum.y_low)", strokeWidth=1.6),
    ]  # fmt: skip


def _rows(report: Report, frontier: Frontier, points: Sequence[FrontierPoint], cast: Cast) -> list[Row]:
    models = {model.name: model for model in report.models}
    rows = []
    for point in points:
        model = models.get(point.name)
        times = (None, None) if model is None or model.speed is None else _time_interval(model)
        gains = _gain_interval(report, frontier, point, model)
        own = clean_name(variant_text(point), 24) if point.variant else cast.label(point.name)
        row: Row = {
            "name": clean_name(point.name),
            "model": cast.label(point.base),
            "label": f"{own}{'' if model is None or model.speed is None else doubt_mark(model.speed)}",
            "changed": clean_name(variant_text(point)) if point.variant else "nothing",
            "x": tidy(point.p50_ms),
            "y": tidy(point.gain),
            "best": point.pareto,
            "own": not point.variant,
            "trusted": is_trusted(model),
            "shown_time": f"{figure_interval(point.p50_ms, *times)} ms",
            "shown_gain": share_interval(point.gain, *gains),
            "shown_memory": f"{figure(point.peak_mb)} MB",
            "shown_best": "yes" if point.pareto else "no",
        }
        row |= _ends("x", times) | _ends("y", gains)
        rows.append(row)
    return rows


def _time_interval(model: ModelReport) -> tuple[float | None, float | None]:
    assert model.speed is not None
    return model.speed.p50_low_ms, model.speed.p50_high_ms


def _gain_interval(
    report: Report, frontier: Frontier, point: FrontierPoint, model: ModelReport | None
) -> tuple[float | None, float | None]:
    if frontier.reference is None:
        judged = None if model is None else model.judgement
        return (None, None) if judged is None else (judged.ap50_95_low, judged.ap50_95_high)
    pairs = report.agreement.pairs if report.agreement is not None else ()
    # With more models agreement is over fewer classes: its interval is then of another figure.
    found = (p for p in pairs if {p.a, p.b} == {point.name, frontier.reference})
    pair = next((p for p in found if math.isclose(p.agreement, point.gain, abs_tol=1e-9)), None)
    return (None, None) if pair is None else (pair.low, pair.high)


def _ends(axis: str, interval: tuple[float | None, float | None]) -> Row:
    low, high = interval
    if not is_known(low, high):
        return {}
    assert low is not None
    assert high is not None
    return {f"{axis}_low": tidy(low), f"{axis}_high": tidy(high)}


def _chains(points: Sequence[FrontierPoint], rows: Sequence[Row]) -> list[Row]:
    """Lines from a model through its variants along each axis, fastest first."""
    place = {p.name: r for p, r in zip(points, rows, strict=True)}

    def chain(point: FrontierPoint) -> tuple[str, tuple[str, ...]]:
        return point.base, tuple(point.variant)

    variants = sorted((p for p in points if p.variant), key=chain)
    lines = []
    for number, ((base, _), members) in enumerate(groupby(variants, key=chain)):
        together = [place[p.name] for p in members] + ([place[base]] if base in place else [])
        lines += [{"x": r["x"], "y": r["y"], "model": r["model"], "chain": number} for r in together]
    return lines


def _place(rows: list[Row], times: TimeAxis, reach: Sequence[float]) -> None:
    """Give each row that has room for its label the label's place, models before variants."""
    order = sorted(rows, key=lambda r: (not r["own"], not r["best"]))
    span = (reach[1] - reach[0]) or 1.0

    def at_px(x: float, y: float) -> tuple[float, float]:
        return times.place(x) * _PLACED_FOR_PX, (reach[1] - y) / span * _HEIGHT

    pixels = [at_px(r["x"], r["y"]) for r in order]
    across = [(*at_px(r["x_low"], r["y"]), *at_px(r["x_high"], r["y"])) for r in rows if "x_low" in r]
    upward = [(*at_px(r["x"], r["y_high"]), *at_px(r["x"], r["y_low"])) for r in rows if "y_low" in r]
    labels = [r["label"] for r in order]
    for row, place in zip(order, place_labels(pixels, labels, _PLACED_FOR_PX, _HEIGHT, across + upward), strict=True):
        if place is not None:
            at, room = round(times.place(row["x"]), 3), label_px(row["label"])
            row |= {"align": place.align, "dx": place.dx, "dy": place.dy, "at": at, "room": room}


def _label_layers(rows: Sequence[Row], x: Spec, y: Spec) -> list[Spec]:
    layers = []
    # In a narrower plot a label may reach beyond its edge; then it goes to the other side of its point.
    beyond = "(datum.align === 'left' ? datum.at * width + datum.dx + datum.room > width"
    beyond += " : datum.align === 'right' && datum.at * width + datum.dx - datum.room < 0)"
    beside = {
        "align": {"expr": f"{beyond} ? (datum.align === 'left' ? 'right' : 'left') : datum.align"},
        "dx": {"expr": f"{beyond} ? -datum.dx : datum.dx"},
        "dy": {"expr": "datum.dy"},
    }
    encoding = {"x": x, "y": y, "text": text_channel("label")}
    for own, style in (("!datum.own", "note"), ("datum.own", "value")):
        shown = 1 if style == "value" else {"expr": f"width < {_NARROW_PX} ? 0 : 1"}
        layers += [
            make_layer(
                "text", rows, encoding, only=f"isValid(datum.align) && {own}", style=each, opacity=shown, **beside
            )
            for each in ("halo", style)
        ]
    return layers


def _gain_title(frontier: Frontier) -> str:
    return "AP" if frontier.reference is None else "agreement"


def _describe(points: Sequence[FrontierPoint], gain: str) -> str:
    def tell(p: FrontierPoint) -> str:
        return f"{clean_name(p.name, 60)} ({figure(p.p50_ms)} ms, {share(p.gain)})"

    best = [p for p in points if p.pareto]
    rest = [p for p in points if not p.pareto]
    text = f"Median time an image against {gain}. Beaten by none: {join_words([tell(p) for p in best])}."
    return f"{text} Beaten: {join_words([tell(p) for p in rest])}." if rest else text
