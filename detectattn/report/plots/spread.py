"""Labels along a line, moved so that each can be read."""

from __future__ import annotations

from collections.abc import Sequence


def spread_apart(places: Sequence[float], *, least: float) -> list[float]:
    """Places moved as little as is needed for neighbours to lie ``least`` apart, in the order given."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    # Groups that touch are centred on the mean of where their members belong.
    groups: list[tuple[float, list[int]]] = []
    for i in order:
        groups.append((places[i], [i]))
        while len(groups) > 1 and _end(groups[-2], least) + least > _start(groups[-1], least):
            (_, left), (_, right) = groups[-2:]
            members = left + right
            groups[-2:] = [(sum(places[m] for m in members) / len(members), members)]
    moved = list(places)
    for group in groups:
        for rank, member in enumerate(group[1]):
            moved[member] = _start(group, least) + rank * least
    return moved


def _start(group: tuple[float, list[int]], least: float) -> float:
    return group[0] - (len(group[1]) - 1) / 2 * least


def _end(group: tuple[float, list[int]], least: float) -> float:
    return group[0] + (len(group[1]) - 1) / 2 * least
