"""How attention and the rest grow with the image, and where one overtakes the other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from detectattn.results.inspection import SizeInspection
from detectattn.results.ledger import Cost, Crossing, Growth, Quantity

QUANTITIES: tuple[Quantity, ...] = ("gflops", "time_ms", "written_mb")
# Beyond so many times the largest side that was looked at, fits are not followed.
_FOLLOWED = 4.0
# Exponents that differ by less are the same: costs then keep their ratio.
_ALIKE = 0.01


def fit_growths(sizes: Sequence[SizeInspection]) -> tuple[Growth, ...]:
    """How each part grows with the side of the image; empty with fewer than two sizes.

    Parts that are 0 or unknown at a size have no growth.
    """
    if len(sizes) < 2:
        return ()
    sides = [_side_px(size) for size in sizes]
    costs = [size.split_cost() for size in sizes]
    found = list(_fit_parts(sides, costs))
    products = [_products_gflops(size) for size in sizes]
    if min(products) > 0:
        found.append(fit_growth("products", "gflops", sides, products))
    return tuple(found)


def _fit_parts(sides: Sequence[float], costs: Sequence[Mapping[str, Cost]]) -> Iterator[Growth]:
    for part in costs[0]:
        for quantity in QUANTITIES:
            values = [getattr(cost[part], quantity) for cost in costs]
            if all(value is not None and value > 0 for value in values):
                yield fit_growth(part, quantity, sides, values)


def _products_gflops(size: SizeInspection) -> float:
    """What self-attention over feature maps spends on comparing and mixing tokens."""
    return math.fsum(b.products_gflops for b in size.attention if b.site.kind in ("global", "area"))


def fit_growth(part: str, quantity: Quantity, sides: Sequence[float], values: Sequence[float]) -> Growth:
    """Fit cost ∝ sideᵉ by ordinary least squares on logarithms.

    Args:
        part: What of the model.
        quantity: What grows.
        sides: In pixels, ascending, at least two.
        values: Costs, positive.
    """
    x, y = np.log(sides), np.log(values)
    centred = x - x.mean()
    exponent = float(centred @ y / (centred @ centred))
    misfit = y - y.mean() - exponent * centred
    error = math.sqrt(float(misfit @ misfit) / (len(x) - 2) / float(centred @ centred)) if len(x) > 2 else None
    return Growth(part, quantity, exponent, error, last=float((y[-1] - y[-2]) / (x[-1] - x[-2])))


def find_crossings(sizes: Sequence[SizeInspection]) -> tuple[Crossing, ...]:
    """Where attention's cost reaches that of the rest, by the fits of both; empty without attention or growth."""
    if len(sizes) < 2 or not all(size.attention for size in sizes):
        return ()
    sides = [_side_px(size) for size in sizes]
    costs = [size.split_cost() for size in sizes]
    found = []
    for quantity in QUANTITIES:
        ours = [getattr(cost["attention"], quantity) for cost in costs]
        rest = [getattr(cost["rest"], quantity) for cost in costs]
        if all(value is not None and value > 0 for value in (*ours, *rest)):
            found.append(find_crossing(quantity, sides, ours, rest))
    return tuple(found)


def find_crossing(
    quantity: Quantity, sides: Sequence[float], attention: Sequence[float], rest: Sequence[float]
) -> Crossing:
    """Where one fitted power reaches another.

    Args:
        quantity: Of what.
        sides: In pixels, ascending.
        attention: What attention costs at each.
        rest: What the rest costs.
    """
    logs = np.log(sides)
    ratio = np.log(np.asarray(attention) / np.asarray(rest))
    slope, height = (float(v) for v in np.polyfit(logs, ratio, 1))
    searched = sides[-1] * _FOLLOWED
    if (ratio > 0).all():
        return Crossing(quantity, "dominates", None, searched)
    if slope < _ALIKE:
        return Crossing(quantity, "never", None, searched)
    if -height / slope > math.log(searched):
        return Crossing(quantity, "beyond", None, searched)
    side = math.exp(-height / slope)
    return Crossing(quantity, "measured" if side <= sides[-1] else "extrapolated", side, searched)


def _side_px(size: SizeInspection) -> float:
    height, width = size.net_hw
    return math.sqrt(height * width)
