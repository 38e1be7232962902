"""On which engine each variant of a sweep runs: named where it is another than the model's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.sweep_limits import find_impossible
from detectattn.conversion.choose import choose_target, is_convertible


def settle_engine(entrant: ModelEntrant) -> str:
    """The engine that a model of a study runs on: a converted one only where it is asked for, or its precision is.

    Raises:
        ConfigError: There is no such engine or precision, or the two do not go together.
    """
    if not is_convertible(entrant.weights):
        return entrant.weights.format
    target = choose_target(entrant.options, entrant.engine)
    return target.settings.engine if target is not None and target.required else "torch"


def name_engines(base: ModelEntrant, variants: Sequence[ModelEntrant]) -> tuple[list[ModelEntrant], list[str]]:
    """Variants whose ``variant`` says their engine where a precision brings another one; each once.

    Args:
        base: The model that they are variants of.
        variants: With their own options and engines.

    Returns:
        Those that can be; and what to say of the others, sentences without a full stop.
    """
    own = settle_engine(base)
    found: dict[frozenset[tuple[str, str | int]], ModelEntrant] = {}
    notes = []
    for entrant in variants:
        reason = find_impossible(entrant.engine, entrant.options.precision)
        if reason is not None and is_convertible(base.weights):
            values = ", ".join(f"{axis} {value}" for axis, value in entrant.variant.items())
            notes.append(f"{base.name} is not swept to {values}: {reason}")
            continue
        engine = settle_engine(entrant)
        if engine != own and "engine" not in entrant.variant:
            entrant = replace(entrant, variant={"engine": engine, **entrant.variant})
        found.setdefault(frozenset(entrant.variant.items()), entrant)
    return list(found.values()), notes
