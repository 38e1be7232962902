"""How the figures of an inspection are written."""

from __future__ import annotations

import math
from collections.abc import Mapping

from detectattn.report.cells import MISSING, figure
from detectattn.results.attention import AttentionKind
from detectattn.results.inspection import ModelInspection, Shape, SizeInspection
from detectattn.results.ledger import Cost, Growth, Quantity

KIND_NAMES: Mapping[AttentionKind, str] = {
    "global": "self, global",
    "area": "self, in areas",
    "query": "self, queries",
    "deformable": "cross, deformable",
}
QUANTITY_NAMES: Mapping[Quantity, str] = {"gflops": "operations", "time_ms": "time", "written_mb": "bytes"}


def size_text(net_hw: tuple[int, int]) -> str:
    """Height × width, as ``--imgsz`` takes it: ``480×640``."""
    return f"{net_hw[0]}×{net_hw[1]}"


def percent(part: float | None, whole: float | None) -> str:
    """A share: ``17%``, ``0.62%``."""
    if part is None or not whole:
        return MISSING
    share = 100 * part / whole
    return f"{share:.0f}%" if share >= 9.95 else f"{share:.1f}%" if share >= 0.95 else f"{share:.2g}%"


def short_count(number: int) -> str:
    """``32.1 M``, ``743 k``, ``96``."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= limit:
            return f"{figure(number / limit)}{unit}"
    return f"{number}"


def shape_text(shapes: tuple[Shape, ...]) -> str:
    """The first of several shapes without its batch: ``96×40×40``; ``…`` after it where there are more."""
    if not shapes:
        return MISSING
    return "×".join(map(str, shapes[0][1:])) + (" …" if len(shapes) > 1 else "")


def short_label(label: str) -> str:
    """A part of a model in a few letters: ``encoder (AIFI)`` of ``encoder: within a scale (AIFI)``, ``head``."""
    name, _, rest = label.partition(":")
    _, opened, inside = rest.partition("(")
    return f"{name} ({inside}" if opened else name


def exponent_text(growth: Growth | None) -> str:
    """An exponent with its standard error: ``1.93 ± 0.02``."""
    if growth is None:
        return MISSING
    exponent = _tidy(growth.exponent)
    return exponent if growth.error is None else f"{exponent} ± {_tidy(growth.error)}"


def _tidy(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def describe_growth(per_token: float) -> str:
    """An exponent in the number of tokens, in words."""
    for limit, words in (
        (0.1, "does not grow with the tokens"),
        (0.9, "grows slower than the tokens"),
        (1.1, "grows as the tokens"),
        (1.9, "grows faster than the tokens, slower than their square"),
        (2.1, "grows as the square of the tokens"),
    ):
        if per_token < limit:
            return words
    return "grows faster than the square of the tokens"


def find_growth(model: ModelInspection, part: str, quantity: Quantity) -> Growth | None:
    """The growth of a part, or None."""
    return next((g for g in model.growth if g.part == part and g.quantity == quantity), None)


def find_shown_size(model: ModelInspection) -> SizeInspection:
    """The size at which blocks are shown: the model's own, or the nearest to it that was looked at."""

    def distance(size: SizeInspection) -> float:
        return abs(math.log(math.prod(size.net_hw) / math.prod(model.own_hw)))

    return min(model.sizes, key=distance)


def value_of(cost: Cost, quantity: Quantity) -> float | None:
    """A cost's figure of that name."""
    return float(value) if (value := getattr(cost, quantity)) is not None else None
