"""How long pictures take, every one of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from detectattn.report.cells import doubt_mark, figure, figure_interval
from detectattn.report.content import ModelReport, Report, Speed
from detectattn.report.plots.axes import TimeAxis, fit_time_axis
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import VARIANTS_LEFT_OUT, Cast, choose_rows, find_cast
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import Row, Spec, flatten, is_known, make_layer, make_view, quantity, tidy, tips
from detectattn.report.plots.trust import doubt_reasons

_MOST_ROWS = 12
# More pictures than this are drawn as so many quantiles.
_MOST_DOTS = 200
# So few are drawn larger.
_FEW_DOTS = 40
_ROW_PX = 76
_MIDDLE_PX = 46
_SPREAD_PX = 21.0
_DOT_PX = 4.2
# Dots of about the same time are stacked: as many places as dots of their size fit beside one another.
_PLACES = 150


def plot_latency(report: Report) -> Plot | None:
    """Every timed picture of each model; None where nothing was timed."""
    chosen, left_out = choose_rows(report, _MOST_ROWS)
    timed = [(m, m.speed) for m in chosen if m.speed is not None and is_known(m.speed.figures.p50_ms)]
    if not timed:
        return None
    return Plot(
        name="latency",
        section="speed",
        title="How long does a picture take, and how steady is that?",
        caption=_caption(timed, left_out=left_out),
        alt=_describe(timed),
        spec=_draw(timed, find_cast(report)),
    )


_Timed = Sequence[tuple[ModelReport, Speed]]


def _draw(timed: _Timed, cast: Cast) -> Spec:
    grid = RowGrid(len(timed), _ROW_PX)
    ends = [v for _, s in timed for v in (*s.total_ms, s.figures.p50_ms, s.figures.p95_ms)]
    times = fit_time_axis(ends, margin=0.03)
    x = quantity("x", times.scale(), times.axis("time of a picture, ms, from its file to its boxes"))
    names = [model.name for model, _ in timed]
    color, shape = cast.color(names, legend=False), cast.shape(names, legend=False)
    dots = [_dots(i, m, s, times, grid, cast) for i, (m, s) in enumerate(timed)]
    where = {"x": x, "y": grid.y(), "shape": shape, "tooltip": [*tips(("model", "name")), _dot_tip()]}
    marks = [_summary(i, m, s, grid) for i, (m, s) in enumerate(timed)]
    summary = tips(("model", "name"), ("median", "median"), ("95th percentile", "p95"), ("99th percentile", "p99"),
                   ("trust", "trust"))  # fmt: skip
    span = {"y": grid.y("top"), "y2": {"field": "bottom"}, "tooltip": summary}
    spans = [r for r in marks if "low" in r]
    size = 17 if max(len(d["x"]) for d in dots) > _FEW_DOTS else 34
    layers = [
        make_layer("rect", spans, {"x": {**x, "field": "low"}, "x2": {"field": "high"}, **span}, style="band"),
        flatten(
            make_layer("point", [d for d in dots if d["trusted"]], {**where, "color": color}, size=size, opacity=0.75,
                       strokeWidth=0), "x", "y"),
        flatten(
            make_layer("point", [d for d in dots if not d["trusted"]], where, style="doubt", size=size, opacity=0.75,
                       strokeWidth=0), "x", "y"),
        make_layer("rule", marks, {"x": {**x, "field": "p50"}, **span}, style="span"),
        make_layer("rule", marks, {"x": {**x, "field": "p95x"}, **span}, style="span", strokeWidth=1.4,
                   strokeDash=[3, 2]),
        *grid.heads([_head(model, speed, cast) for model, speed in timed]),
    ]  # fmt: skip
    return make_view(layers, height=grid.height)


def _dots(row: int, model: ModelReport, speed: Speed, times: TimeAxis, grid: RowGrid, cast: Cast) -> Row:
    values = sample_times(speed.total_ms)
    places = [round(times.place(v) * _PLACES) for v in values]
    fullest = max(Counter(places).values(), default=1)
    step = min(_DOT_PX, _SPREAD_PX / max(1, math.ceil((fullest - 1) / 2)))
    seen: Counter[int] = Counter()
    y = []
    for place in places:
        # Alternately below and above the middle of the row: 0, 1, -1, 2, -2.
        rank = seen[place]
        seen[place] += 1
        lift = (rank + 1) // 2 * (1 if rank % 2 else -1)
        y.append(grid.at(row, _MIDDLE_PX + lift * step))
    return {
        "model": cast.label(model.name),
        "name": clean_name(model.name),
        "trusted": speed.noise.trusted,
        "x": [tidy(v, 4) for v in values],
        "y": [round(v, 3) for v in y],
    }


def sample_times(times: Sequence[float]) -> list[float]:
    """Times in ascending order; of very many, evenly spaced quantiles, the fastest and the slowest among them."""
    known = np.sort([t for t in times if math.isfinite(t) and t > 0])
    if len(known) <= _MOST_DOTS:
        return known.tolist()  # type: ignore[no-any-return]
    inner = np.quantile(known, (np.arange(_MOST_DOTS) + 0.5) / _MOST_DOTS)
    return [float(known[0]), *inner[1:-1].tolist(), float(known[-1])]


def _summary(row: int, model: ModelReport, speed: Speed, grid: RowGrid) -> Row:
    f = speed.figures
    marks: Row = {
        "name": clean_name(model.name),
        "p50": tidy(f.p50_ms),
        "p95x": tidy(f.p95_ms) if is_known(f.p95_ms) else None,
        "top": grid.at(row, _MIDDLE_PX - _SPREAD_PX - 3),
        "bottom": grid.at(row, _MIDDLE_PX + _SPREAD_PX + 3),
        "median": f"{figure_interval(f.p50_ms, speed.p50_low_ms, speed.p50_high_ms)} ms",
        "p95": f"{figure(f.p95_ms)} ms",
        "p99": f"{figure(f.p99_ms)} ms",
        "trust": "yes" if speed.noise.trusted else f"no: {'; '.join(speed.noise.reasons) or 'too noisy'}",
    }
    if is_known(speed.p50_low_ms, speed.p50_high_ms):
        marks |= {"low": tidy(speed.p50_low_ms or 0.0), "high": tidy(speed.p50_high_ms or 0.0)}
    return marks


def _head(model: ModelReport, speed: Speed, cast: Cast) -> RowHead:
    f = speed.figures
    median = figure_interval(f.p50_ms, speed.p50_low_ms, speed.p50_high_ms)
    return RowHead(f"{cast.label(model.name)}{doubt_mark(speed)}", f"{median} ms, p95 {figure(f.p95_ms)}")


def _dot_tip() -> Spec:
    return {"field": "x", "type": "quantitative", "title": "time (ms)", "format": ",.3~r"}


def _caption(timed: _Timed, *, left_out: bool) -> str:
    most = max(len(speed.total_ms) for _, speed in timed)
    dot = "A dot is a timed picture" if most <= _MOST_DOTS else f"Dots are {_MOST_DOTS} quantiles of {most:,} timings"
    text = f"{dot}; the thick line is the median with its 95% interval, the dashed one the 95th percentile."
    text += doubt_reasons(model for model, _ in timed)
    return text + VARIANTS_LEFT_OUT if left_out else text


def _describe(timed: _Timed) -> str:
    parts = []
    for model, speed in timed:
        f = speed.figures
        doubt = "" if speed.noise.trusted else ", not to be trusted"
        median = figure_interval(f.p50_ms, speed.p50_low_ms, speed.p50_high_ms)
        parts.append(
            f"{clean_name(model.name, 60)}: median {median} ms, 95th percentile {figure(f.p95_ms)} ms, 99th "
            f"{figure(f.p99_ms)} ms{doubt}"
        )
    return f"Time of every timed picture by model. {join_clauses(parts)}."
