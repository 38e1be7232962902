"""How far beyond their boxes detections reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detectattn.report.explanation import Explanation, ModelExplained
from detectattn.report.looks import assign_looks
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast
from detectattn.report.plots.names import clean_name, join_words, label_names
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import Row, Spec, make_layer, make_view, quantity, tidy, tips
from detectattn.report.plots.tints import tint
from detectattn.results.faithfulness import REACH_BANDS

_TOP_PX, _BAR_PX = 20, 13
_TINTS = (1.0, 0.62, 0.4, 0.24, 0.12)
_NO_PREFERENCE = "a map without any preference"
_BANDS = {
    "inside": "inside the box",
    "to 0.5": "up to 0.5 sizes",
    "0.5 to 1": "0.5 to 1",
    "1 to 2": "1 to 2",
    "beyond 2": "beyond 2 sizes",
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """A map's mass by band, or the picture's area; grey for what knows nothing of the model."""

    model: str
    title: str
    shares: tuple[float, ...]
    grey: bool


def plot_reach(explanation: Explanation) -> Plot | None:
    """Share of each map's mass by distance from the box, beside the picture's area; None without any map."""
    bars = [bar for model in explanation.models for bar in _iter_bars(model)]
    if not bars:
        return None
    cast = Cast(
        label_names(model.name for model in explanation.models),
        assign_looks({model.name: model.family for model in explanation.models}),
    )
    told = [f"{clean_name(bar.model, 60)}, {bar.title}: {_tell(bar)}" for bar in bars]
    return Plot(
        name="reach",
        section="attention",
        title="How far beyond its box does a detection look?",
        caption=(
            "Share of each map's mass by distance from the box, in sizes of the box. Grey bars know nothing of the "
            f"model; the last one of each is the picture's area at these distances, which {_NO_PREFERENCE} would have."
        ),
        alt=f"Share of the mass by distance. {join_words(told, 24)}.",
        spec=_draw(bars, cast),
    )


def _iter_bars(model: ModelExplained) -> Iterator[_Bar]:
    known = [f for f in model.methods if len(f.reach) == len(REACH_BANDS)]
    for figures in known:
        yield _Bar(model.name, figures.title, figures.reach, figures.worth == "baseline")
    if known and len(known[0].area) == len(REACH_BANDS):
        yield _Bar(model.name, _NO_PREFERENCE, known[0].area, grey=True)


def _draw(bars: Sequence[_Bar], cast: Cast) -> Spec:
    grid = RowGrid(len(bars), _TOP_PX + _BAR_PX + 9)
    rows = [row for place, bar in enumerate(bars) for row in _iter_rows(place, bar, grid, cast)]
    x = quantity(
        "x", {"domain": [0, 100], "nice": False}, {"title": "% of the map's mass", "tickCount": 6, "grid": True}
    )
    names = list(dict.fromkeys(bar.model for bar in bars))
    tooltip = tips(("model", "name"), ("map", "map"), ("distance", "band"), ("share", "shown"))
    where = {
        "x": x, "x2": {"field": "x2"}, "y": grid.y(), "y2": {"field": "y2"}, "tooltip": tooltip,
        "opacity": tint("band", dict(zip(_BANDS.values(), _TINTS, strict=True))),
    }  # fmt: skip
    layers = [
        make_layer(
            "rect", [row for row in rows if not row["grey"]],
            {**where, "color": cast.color(names, legend=False)}, style="block",
        ),
        make_layer("rect", [row for row in rows if row["grey"]], where, style="block", color="#8A9099"),
        *grid.heads([_head(bar, cast) for bar in bars]),
    ]  # fmt: skip
    return make_view(layers, height=grid.height)


def _head(bar: _Bar, cast: Cast) -> RowHead:
    return RowHead(f"{cast.label(bar.model)} · {bar.title}", f"{100 * bar.shares[0]:.0f}% inside")


def _iter_rows(place: int, bar: _Bar, grid: RowGrid, cast: Cast) -> Iterator[Row]:
    end = 0.0
    for share, band in zip(bar.shares, _BANDS.values(), strict=True):
        begin, end = end, end + 100 * share
        yield {
            "x": tidy(begin), "x2": tidy(end), "y": grid.at(place, _TOP_PX), "y2": grid.at(place, _TOP_PX + _BAR_PX),
            "model": cast.label(bar.model), "name": clean_name(bar.model), "map": bar.title, "band": band,
            "shown": f"{100 * share:.1f}%", "grey": bar.grey,
        }  # fmt: skip


def _tell(bar: _Bar) -> str:
    return ", ".join(f"{100 * s:.0f}% {name}" for s, name in zip(bar.shares, _BANDS.values(), strict=True))
