"""What more pixels cost and bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectattn.report.cells import figure, figure_interval, share, share_interval
from detectattn.report.content import ModelReport, Report
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.spec import (
    HAS_INTERVAL,
    Row,
    Spec,
    collect,
    fade,
    is_known,
    make_layer,
    make_view,
    pick,
    quantity,
    tidy,
    tips,
)
from detectattn.report.plots.trust import DOUBTED, HOLLOW, TRUSTED, doubt_note, is_trusted

_TIME_PX, _GAP_PX, _GAIN_PX = 190, 26, 190
# Of each of the two.
_LAYERS = 4


@dataclass(frozen=True, slots=True)
class _Sized:
    """A model at one image size."""

    base: str
    side: int
    p50_ms: float
    low_ms: float | None
    high_ms: float | None
    ap: float | None
    ap_low: float | None
    ap_high: float | None
    trusted: bool


def plot_image_size(report: Report) -> Plot | None:
    """Time, and accuracy where it is known, against image size; None where no model has several sizes."""
    found = [sized for model in report.models if (sized := _find(model)) is not None]
    swept = {s.base for s in found if sum(o.base == s.base for o in found) > 1}
    found = sorted((s for s in found if s.base in swept), key=lambda s: (s.base, s.side))
    if not found:
        return None
    judged = any(s.ap is not None for s in found)
    return Plot(
        name="image-size",
        section="frontier",
        title="What do larger images cost, and what do they bring?" if judged else "What do larger images cost?",
        caption=(
            "Median time an image by the longer side of the network's input"
            f"{', and accuracy below it' if judged else ''}; bars are 95% intervals."
            f"{doubt_note(m for m in report.models if _find(m) in found)}"
        ),
        alt=_describe(found),
        spec=_draw(found, find_cast(report), judged=judged),
    )


def _find(model: ModelReport) -> _Sized | None:
    if model.status != "finished" or model.speed is None or set(model.variant) - {"imgsz"}:
        return None
    side = model.variant.get("imgsz", max(model.net_hw) if model.net_hw is not None else None)
    if not isinstance(side, int) or not is_known(model.speed.figures.p50_ms):
        return None
    own = model.judgement
    ap = None if own is None or not is_known(own.accuracy.ap50_95) else own.accuracy.ap50_95
    low, high = (None, None) if own is None else (own.ap50_95_low, own.ap50_95_high)
    speed = model.speed
    times = (speed.figures.p50_ms, speed.p50_low_ms, speed.p50_high_ms)
    return _Sized(model.base, side, *times, ap, low, high, is_trusted(model))


def _draw(found: Sequence[_Sized], cast: Cast, *, judged: bool) -> Spec:
    names = list(dict.fromkeys(s.base for s in found))
    sides = sorted({s.side for s in found})
    x = quantity(
        "x", {"domain": fit_range(sides, margin=0.05), "nice": False, "zero": False},
        {"title": "image size, pixels of the longer side", "values": sides, "format": "d", "grid": False},
    )  # fmt: skip
    height = _TIME_PX + _GAP_PX + _GAIN_PX if judged else _TIME_PX
    rows = [_time_row(s, cast) for s in found]
    layers = _panel(rows, x, cast, names, "median, ms", (0, _TIME_PX), legend=True)
    if judged:
        rows = [_gain_row(s, cast) for s in found if s.ap is not None]
        layers += _panel(rows, x, cast, names, "AP", (_TIME_PX + _GAP_PX, height), legend=False)
    panels = [{"layer": layers[i : i + _LAYERS]} for i in range(0, len(layers), _LAYERS)]
    return make_view(panels, height=height, resolve={"y": "independent"})


def _panel(
    rows: Sequence[Row], x: Spec, cast: Cast, names: Sequence[str], title: str, span: tuple[int, int], *, legend: bool
) -> list[Spec]:
    """Line, intervals, marks and marks in doubt between two heights in pixels."""
    top = fit_range([0, *collect(rows, "y", "high")])[1]
    scale = {"domain": [0, top], "range": [span[1], span[0]], "nice": False}
    y = quantity("y", scale, {"title": title, "tickCount": 4, "orient": "left"})
    where = {"x": x, "y": y, "color": cast.color(names), "opacity": fade()}
    line = make_layer("line", rows, {**where, "strokeDash": cast.dash(names)})
    tooltip = tips(("model", "name"), ("size", "size"), (title, "shown"))
    marks = {**where, "shape": cast.shape(names), "tooltip": tooltip}
    return [
        {**line, "params": [pick("model")]} if legend else line,
        make_layer(
            "rule", rows, {**where, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            only=HAS_INTERVAL, strokeWidth=1.6,
        ),
        make_layer("point", rows, marks, only=TRUSTED, size=80),
        make_layer(
            "point", rows, {channel: marks[channel] for channel in marks if channel != "color"},
            only=DOUBTED, size=80, **HOLLOW,
        ),
    ]  # fmt: skip


def _time_row(s: _Sized, cast: Cast) -> Row:
    row = _row(s, cast, s.p50_ms, s.low_ms, s.high_ms)
    return row | {"trusted": s.trusted, "shown": f"{figure_interval(s.p50_ms, s.low_ms, s.high_ms)} ms"}


def _gain_row(s: _Sized, cast: Cast) -> Row:
    assert s.ap is not None
    shown = share_interval(s.ap, s.ap_low, s.ap_high)
    return _row(s, cast, s.ap, s.ap_low, s.ap_high) | {"trusted": True, "shown": shown}


def _row(s: _Sized, cast: Cast, value: float, low: float | None, high: float | None) -> Row:
    row: Row = {
        "model": cast.label(s.base), "name": clean_name(s.base), "dash": cast.dash_of(s.base),
        "x": s.side, "y": tidy(value), "size": f"{s.side:,} px",
    }  # fmt: skip
    if low is not None and high is not None and is_known(low, high):
        row |= {"low": tidy(low), "high": tidy(high)}
    return row


def _describe(found: Sequence[_Sized]) -> str:
    parts = []
    for base in dict.fromkeys(s.base for s in found):
        own = [
            f"{figure(s.p50_ms)} ms{'' if s.ap is None else f' and AP {share(s.ap)}'} at {s.side:,}"
            for s in found
            if s.base == base
        ]
        parts.append(f"{clean_name(base, 60)}: {', '.join(own)}")
    return f"Median time by image size in pixels. {join_clauses(parts)}."
