"""On which classes models differ."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.cells import count, share
from detectattn.report.content import Difference, Report
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast
from detectattn.report.plots.choice import choose, only_chosen
from detectattn.report.plots.differences import OrientedPair, orient_pairs, oriented_figures, tell_difference
from detectattn.report.plots.names import clean_name, join_words, label_names
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

_MOST_CLASSES = 40
_MOST_PAIRS = 15
_ROW_PX = 20
_HEAD_PX = 24
_GUTTER: Spec = {"expr": "min(150, width * 0.3)"}
_METRIC = "ap50_95"


def plot_class_differences(report: Report) -> Plot | None:
    """Differences in AP by class and pair, largest first; None where there are none."""
    found = [(pair, _sort(pair, report.differences)) for pair in orient_pairs(report)]
    found = [(pair, classes) for pair, classes in found if classes]
    if not found:
        return None
    pairs = len(found)
    found = found[:_MOST_PAIRS]
    most = max(len(classes) for _, classes in found)
    rest = (
        f" The {_MOST_CLASSES} largest of {most:,} classes; the others are in the table."
        if most > _MOST_CLASSES
        else ""
    )
    if pairs > _MOST_PAIRS:
        rest += f" {_MOST_PAIRS} of {pairs:,} pairs; the others are in the table."
    return Plot(
        name="class-differences",
        section="accuracy",
        title="On which classes do they differ?",
        caption=(
            "Difference in AP of a class with its 95% interval, largest first; filled marks are decided, hollow ones "
            f"could be chance. Left of 0 the other model is ahead.{rest}"
        ),
        alt=_describe(found),
        spec=_draw([(pair, classes[:_MOST_CLASSES]) for pair, classes in found], find_cast(report)),
    )


_Found = Sequence[tuple[OrientedPair, Sequence[Difference]]]


def _sort(pair: OrientedPair, differences: Sequence[Difference]) -> list[Difference]:
    """Those on a class, largest effect first."""
    own = [
        d
        for d in differences
        if {d.a, d.b} == {pair.first, pair.second}
        and d.figures.class_name is not None
        and d.figures.metric == _METRIC
        and is_known(d.figures.difference)
    ]
    return sorted(own, key=lambda d: -abs(d.figures.difference))


def _draw(found: _Found, cast: Cast) -> Spec:
    rows = [
        _row(number, rank, pair, difference, cast)
        for number, (pair, classes) in enumerate(found)
        for rank, difference in enumerate(classes)
    ]
    longest = max(len(classes) for _, classes in found)
    height = _HEAD_PX + longest * _ROW_PX
    ends = [0.0, *collect(rows, "x", "low", "high")]
    scale = {"domain": fit_range(ends, margin=0.04), "nice": False, "range": [_GUTTER, {"expr": "width"}]}
    x = quantity("x", scale, {"title": "difference in AP (0 to 1)", "tickCount": 6, "format": "+.2~f"})
    y = quantity("y", {"domain": [0, height], "reverse": True, "nice": False, "zero": False}, shown=False)
    names = dict.fromkeys(name for pair, _ in found for name in (pair.first, pair.second))
    color, shape = cast.color(names, legend=False), cast.shape(names, legend=False)
    where = {"x": x, "y": y, "tooltip": _tooltip()}
    interval = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": color, "tooltip": _tooltip()}
    choices = [f"{cast.label(pair.first)} over {cast.label(pair.second)}" for pair, _ in found]
    layers = [
        make_layer("rule", [{"x": 0}], {"x": x}, style="zero"),
        only_chosen(make_layer("rule", rows, interval, only=HAS_INTERVAL, strokeWidth=2)),
        only_chosen(make_layer("point", rows, {**where, "color": color, "shape": shape}, only="datum.decided")),
        only_chosen(
            make_layer(
                "point", rows, {**where, "stroke": color, "shape": shape},
                only="!datum.decided", style="open", strokeWidth=1.6,
            )
        ),
        only_chosen(
            make_layer(
                "text", rows,
                {"x": {"value": {"expr": "min(150, width * 0.3) - 8"}}, "y": y, "text": text_channel("label")},
                style="value", align="right", limit={"expr": "min(150, width * 0.3) - 8"},
            )
        ),
        *_sides(found, cast, scale),
    ]  # fmt: skip
    return make_view(layers, height=height, params=choose(choices, "pair"))


def _tooltip() -> list[Spec]:
    return tips(
        ("class", "name"), ("difference", "shown"), ("AP", "values"), ("decided", "verdict"), ("images", "images")
    )


def _row(number: int, rank: int, pair: OrientedPair, difference: Difference, cast: Cast) -> Row:
    f = difference.figures
    value, low, high = oriented_figures(pair, difference)
    values = (f.value_a, f.value_b) if difference.a == pair.first else (f.value_b, f.value_a)
    name = f.class_name or ""
    row: Row = {
        "choice": number, "x": tidy(value, 4), "y": _HEAD_PX + (rank + 0.5) * _ROW_PX,
        "label": label_names([name], 22)[name], "name": clean_name(name, 60),
        "model": cast.label(pair.first if value >= 0 else pair.second), "decided": f.decided,
        "verdict": "yes" if f.decided else "no", "shown": tell_difference(value, low, high),
        "values": f"{share(values[0])} against {share(values[1])}", "images": count(f.images),
    }  # fmt: skip
    return row | ({"low": tidy(low, 4), "high": tidy(high, 4)} if is_known(low, high) else {})


def _sides(found: _Found, cast: Cast, scale: Spec) -> list[Spec]:
    """Who is ahead on which side of 0."""
    x = quantity("x", scale)
    y: Spec = {"value": 8}
    sides = []
    for text, align, dx in (("second", "right", -8), ("first", "left", 8)):
        rows = [
            {"choice": i, "x": 0, "side": cast.label(getattr(pair, text)), "arrow": text}
            for i, (pair, _) in enumerate(found)
        ]
        for row in rows:
            row["side"] = f"← {row['side']} ahead" if align == "right" else f"{row['side']} ahead →"
        encoding = {"x": x, "y": y, "text": text_channel("side")}
        sides.append(only_chosen(make_layer("text", rows, encoding, style="note", align=align, dx=dx)))
    return sides


def _describe(found: _Found) -> str:
    parts = []
    for pair, classes in found[:3]:
        decided = sum(d.figures.decided for d in classes)
        top = [
            f"{clean_name(d.figures.class_name or '', 40)} {tell_difference(*oriented_figures(pair, d))}"
            for d in classes[:5]
        ]
        parts.append(
            f"{clean_name(pair.first, 60)} over {clean_name(pair.second, 60)}: {decided:,} of {len(classes):,} classes "
            f"decided; largest {join_words(top)}"
        )
    return f"Differences in AP by class. {'. '.join(parts)}."
