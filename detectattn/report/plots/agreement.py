"""Where models agree."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.cells import count, share_interval
from detectattn.report.content import Report
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import Row, Spec, make_layer, make_view, quantity, text_channel, tidy, tips
from detectattn.results import PairAgreement

_MOST_PAIRS = 15
_ROW_PX = 70
_TEXT_PX, _TOP_PX, _BOTTOM_PX = 29, 39, 55


def plot_agreement(report: Report) -> Plot | None:
    """What both models of each pair find, and what only one does; None for a single model."""
    pairs = [p for p in (report.agreement.pairs if report.agreement else ()) if p.both + p.only_a + p.only_b > 0]
    if not pairs:
        return None
    shown = pairs[:_MOST_PAIRS]
    rest = f" {len(pairs) - len(shown):,} more pairs are in the table." if len(pairs) > len(shown) else ""
    return Plot(
        name="agreement",
        section="agreement",
        title="Do they find the same?",
        caption=(
            "Of all boxes that either model has at its operating point: in grey those that both have, in its colour "
            f"those that one has alone, second boxes of one object included. Agreement is 1 where all are shared.{rest}"
        ),
        alt=f"Boxes by pair of models. {join_clauses([_tell(p) for p in shown])}.",
        spec=_draw(shown, find_cast(report)),
    )


def _draw(pairs: Sequence[PairAgreement], cast: Cast) -> Spec:
    grid = RowGrid(len(pairs), _ROW_PX)
    bars = [bar for i, pair in enumerate(pairs) for bar in _bars(i, pair, grid, cast)]
    x = quantity(
        "x", {"domain": [0, 1]}, {"title": "share of the boxes that either has", "format": ".0%", "tickCount": 5}
    )
    tooltip = tips(("pair", "pair"), ("found by", "who"), ("boxes", "shown"), ("share", "part"))
    where = {"x": x, "x2": {"field": "x2"}, "y": grid.y(), "y2": {"field": "y2"}, "tooltip": tooltip}
    names = dict.fromkeys(name for p in pairs for name in (p.a, p.b))
    alone = {**where, "color": cast.color(names, legend=False)}
    heads = [
        RowHead(f"{cast.label(p.a)} and {cast.label(p.b)}", f"agreement {share_interval(p.agreement, p.low, p.high)}")
        for p in pairs
    ]
    layers = [
        make_layer("rect", [b for b in bars if "model" not in b], where, style=["doubt", "block"]),
        make_layer("rect", [b for b in bars if "model" in b], alone, style="block"),
        *_notes(pairs, grid, cast),
        *grid.heads(heads),
    ]
    return make_view(layers, height=grid.height)


def _bars(row: int, pair: PairAgreement, grid: RowGrid, cast: Cast) -> list[Row]:
    total = pair.both + pair.only_a + pair.only_b
    bars: list[Row] = []
    end = 0.0
    for number, who, name in ((pair.only_a, pair.a, pair.a), (pair.both, "both", None), (pair.only_b, pair.b, pair.b)):
        start, end = end, end + number / total
        if number == 0:
            continue
        bar: Row = {
            "x": tidy(start), "x2": tidy(end), "y": grid.at(row, _TOP_PX), "y2": grid.at(row, _BOTTOM_PX),
            "pair": f"{clean_name(pair.a, 60)} and {clean_name(pair.b, 60)}",
            "who": "both" if name is None else f"only {clean_name(who)}", "shown": count(number),
            "part": f"{number / total:.1%}",
        }  # fmt: skip
        bars.append(bar if name is None else bar | {"model": cast.label(name)})
    return bars


def _notes(pairs: Sequence[PairAgreement], grid: RowGrid, cast: Cast) -> list[Spec]:
    """Whose each part of a bar is, above it: at its left, middle and right."""
    texts = (
        ("left", 0, [f"only {cast.label(p.a)} {count(p.only_a)}" for p in pairs]),
        ("center", {"expr": "width / 2"}, [f"both {count(p.both)}" for p in pairs]),
        ("right", "width", [f"only {cast.label(p.b)} {count(p.only_b)}" for p in pairs]),
    )
    return [
        make_layer(
            "text", [{"y": grid.at(i, _TEXT_PX), "note": note} for i, note in enumerate(notes)],
            {"x": {"value": place}, "y": grid.y(), "text": text_channel("note")},
            style="note", align=align, limit={"expr": "width * 0.4"},
        )
        for align, place, notes in texts
    ]  # fmt: skip


def _tell(pair: PairAgreement) -> str:
    a, b = clean_name(pair.a, 60), clean_name(pair.b, 60)
    return (
        f"{a} and {b} both have {count(pair.both)}, only {a} {count(pair.only_a)}, only {b} {count(pair.only_b)}, "
        f"agreement {share_interval(pair.agreement, pair.low, pair.high)}"
    )
