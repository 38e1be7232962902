"""Which models are held in memory together."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.compare.entrants import ModelEntrant

MOST_TOGETHER = 12
"""Each is a process of its own, with its own copy of its runtime."""


def plan_groups(entrants: Sequence[ModelEntrant]) -> tuple[tuple[ModelEntrant, ...], ...]:
    """All together where they are few; else the models first, then their variants, a few at a time.

    Only models that are timed together can be paired, and the models themselves are what is compared first.
    """
    if len(entrants) <= MOST_TOGETHER:
        return (tuple(entrants),) if entrants else ()
    bases = [e for e in entrants if e.base == e.name]
    variants = [e for e in entrants if e.base != e.name]
    return tuple(
        tuple(part[start : start + MOST_TOGETHER])
        for part in (bases, variants)
        for start in range(0, len(part), MOST_TOGETHER)
    )
