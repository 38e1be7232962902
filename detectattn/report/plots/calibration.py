"""Whether scores mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.cells import count, share, signed_share
from detectattn.report.content import Report
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast, find_finished
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.spec import (
    Row,
    Spec,
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
from detectattn.results import Calibration, ReliabilityBin

_CURVE_PX = 300
# Between the curves and the counts lies the axis with its title.
_AXIS_PX = 52
_COUNT_PX = 17
_MOST_MODELS = 8


def plot_calibration(report: Report) -> Plot | None:
    """Precision by score of each model; None without ground truth or detections."""
    judged = [
        (m.name, m.judgement.calibration)
        for m in find_finished(report)
        if m.judgement is not None and any(_is_filled(b) for b in m.judgement.calibration.bins)
    ][:_MOST_MODELS]
    if not judged:
        return None
    first = judged[0][1]
    return Plot(
        name="calibration",
        section="calibration",
        title="Does a score of 0.8 mean right 8 times of 10?",
        caption=(
            f"Precision at IoU {first.iou_threshold:g} of detections by their score, from {first.min_score:g} up, with "
            "95% intervals; under the diagonal a model promises too much. Numbers count the detections of each mark."
        ),
        alt=f"Calibration by model. {join_clauses([_tell(*each) for each in judged])}.",
        spec=_draw(judged, find_cast(report)),
    )


_Judged = Sequence[tuple[str, Calibration]]


def _draw(judged: _Judged, cast: Cast) -> Spec:
    names = [name for name, _ in judged]
    rows = [_row(name, b, i, cast) for i, (name, own) in enumerate(judged) for b in own.bins if _is_filled(b)]
    height = _CURVE_PX + _AXIS_PX + _COUNT_PX * len(judged)
    low = min(own.min_score for _, own in judged)
    axis = {"title": "score", "tickCount": 8, "offset": _CURVE_PX - height, "format": ".1~f", "grid": False}
    x = quantity("x", {"domain": [low, 1], "nice": False, "zero": False}, axis)
    y = quantity(
        "y", {"domain": [0, 1], "range": [_CURVE_PX, 0]},
        {"title": "precision (0 to 1)", "tickCount": 6, "titleY": _CURVE_PX / 2},
    )  # fmt: skip
    where = {"x": x, "y": y, "color": cast.color(names), "opacity": fade()}
    tooltip = tips(
        ("model", "name"), ("scores", "scores"), ("mean score", "mean"), ("right", "right"), ("detections", "count")
    )
    marks = {**where, "shape": cast.shape(names), "tooltip": tooltip}
    bars = {**where, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "opacity": fade(0.7)}
    line = make_layer("line", rows, {**where, "strokeDash": cast.dash(names), "opacity": fade(0.8)}, strokeWidth=1.6)
    curves = [
        make_layer("line", [{"x": low, "y": low}, {"x": 1, "y": 1}], {"x": x, "y": y}, style="even"),
        make_layer("rule", rows, bars, strokeWidth=1.4),
        {**line, "params": [pick("model")]},
        make_layer("point", rows, marks, size=75),
    ]
    return make_view(
        [{"layer": curves}, _counts(judged, rows, x, height, cast)], height=height, resolve={"y": "independent"}
    )


def _row(name: str, b: ReliabilityBin, place: int, cast: Cast) -> Row:
    return {
        "model": cast.label(name), "name": clean_name(name), "dash": cast.dash_of(name), "x": tidy(b.mean_score, 4),
        "y": tidy(b.precision, 4),
        "low": tidy(b.precision_low, 4), "high": tidy(b.precision_high, 4),
        "middle": tidy((b.score_low + b.score_high) / 2, 4),
        "place": place + 0.5, "scores": f"{b.score_low:.2f} to {b.score_high:.2f}", "mean": share(b.mean_score),
        "right": f"{share(b.precision)} ({share(b.precision_low)}–{share(b.precision_high)})", "count": count(b.count),
        "short": _short(b.count),
    }  # fmt: skip


def _counts(judged: _Judged, rows: Sequence[Row], x: Spec, height: int, cast: Cast) -> Spec:
    """A line of numbers a model, under the scores that they belong to."""
    top = _CURVE_PX + _AXIS_PX
    y = quantity("place", {"domain": [0, len(judged)], "range": [top, height], "nice": False}, shown=False)
    numbers = [{key: row[key] for key in ("middle", "place", "short", "model")} for row in rows]
    encoding = {"x": {**x, "field": "middle"}, "y": y, "text": text_channel("short"), "opacity": fade(1, 0.25)}
    marks = [{"place": i + 0.5, "model": cast.label(name)} for i, (name, _) in enumerate(judged)]
    names = [name for name, _ in judged]
    beside = {
        "x": {"value": -14}, "y": y, "color": cast.color(names),
        "shape": cast.shape(names), "opacity": fade(),
    }  # fmt: skip
    return {
        "layer": [
            make_layer("text", numbers, encoding, style="note", fontSize=11),
            make_layer("point", marks, beside, size=45),
        ]
    }


def _short(number: int) -> str:
    """At most four characters: ``950``, ``1.2k``, ``12k``."""
    if number < 1000:
        return str(number)
    if number < 9950:
        return f"{number / 1000:.1f}k"
    return f"{number / 1000:.0f}k" if number < 999_500 else f"{number / 1e6:.1f}M"


def _is_filled(b: ReliabilityBin) -> bool:
    return b.count > 0 and is_known(b.mean_score, b.precision, b.precision_low, b.precision_high)


def _tell(name: str, own: Calibration) -> str:
    verdict = "more than chance explains" if own.miscalibrated else "no more than chance explains"
    return (
        f"{clean_name(name, 60)}: expected calibration error {share(own.error)}, {verdict}; score less precision "
        f"{signed_share(own.overconfidence)} over {count(own.count)} detections"
    )
