"""A card a model: how it attends, which of its maps stands for it, and how true that is."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.cells import FAMILY_NAMES, size_wh
from detectattn.report.explanation import Explanation, ModelExplained
from detectattn.report.html.cards import Bar, Card, Fact
from detectattn.report.html.explanation.words import mean_text, percent, worth_text
from detectattn.report.html.view import Layout
from detectattn.results.explanation import MethodFigures
from detectattn.results.faithfulness import REACH_BANDS

_NO_ATTENTION = "its maps are made of activations and gradients"


def make_model_cards(explanation: Explanation, view: Layout) -> tuple[Card, ...]:
    """A card a model, in the order that they were given."""
    return tuple(
        Card(
            anchor=f"model-{place}",
            name=model.name,
            mark=view.marks.get(model.name),
            kind=" · ".join((FAMILY_NAMES[model.family], model.engine, model.device, size_wh(model.net_hw))),
            error=None,
            facts=tuple(_iter_facts(model)),
            variants=0,
        )
        for place, model in enumerate(explanation.models, start=1)
    )


def find_default(model: ModelExplained) -> MethodFigures | None:
    """Figures of the map that stands for a model; None where it has none."""
    return next((f for f in model.methods if f.method == model.default_method), None)


def _iter_facts(model: ModelExplained) -> Iterator[Fact]:
    yield Fact("Attention", "" if model.attention else "none", model.attention or _NO_ATTENTION)
    shown = find_default(model)
    if shown is None:
        yield Fact("Map shown first", "none", "No map was made.")
        return
    yield Fact("Map shown first", shown.title, model.default_reason)
    if shown.faithfulness is not None:
        value, _, interval = mean_text(shown.faithfulness).partition(" ")
        yield Fact("Faithfulness", value, interval)
    yield Fact("What it is worth", worth_text(shown.worth), "" if shown.faithfulness else "no map was scored")
    if len(shown.reach) == len(REACH_BANDS):
        outside, area = 1 - shown.reach[0], 1 - shown.area[0] if shown.area else None
        beside = "of its mass" + (f"; {percent(area)} of the picture lies there" if area is not None else "")
        yield Fact("Outside the box", percent(outside), beside, bar=Bar(_part(outside), None, None))


def _part(share: float) -> float:
    return round(100 * min(1.0, max(0.0, share)), 2)
