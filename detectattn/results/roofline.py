"""What a device allows at most, and how near to it a model comes: the roofline.

Williams, Waterman, Patterson: Roofline: an insightful visual performance model for multicore architectures.
Communications of the ACM 52 (4), 2009, https://doi.org/10.1145/1498765.1498785.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal

Bound = Literal["compute", "bandwidth"]
"""Which roof is the lower one."""

_MOST_SPREAD = 0.15


@dataclass(frozen=True, slots=True)
class Roof:
    """The two roofs of a device, measured.

    Attributes:
        device: As PyTorch names it.
        precision: Of the products.
        threads: That computed, or None where the device has none of its own.
        gflop_s: Billions of operations a second at best, in matrix products.
        gbyte_s: Billions of bytes a second at best, read and written, between arrays far larger than the caches.
        ridge: Operations a byte from which on computing is the lower roof: the quotient of the two.
        gflop_s_spread: Half of the timings of products lie within so much, as a share of their median.
        gbyte_s_spread: The same of memory.
        matrix_side: Rows and columns of the matrices.
        array_mb: Megabytes of each of the three arrays.
        cache_mb: Last-level cache, or None where it is not known.
    """

    device: str
    precision: str
    threads: int | None
    gflop_s: float
    gbyte_s: float
    ridge: float
    gflop_s_spread: float
    gbyte_s_spread: float
    matrix_side: int
    array_mb: float
    cache_mb: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether timings were alike enough; a machine that does other work at the same time makes them differ."""
        return max(self.gflop_s_spread, self.gbyte_s_spread) <= _MOST_SPREAD

    def attainable(self, intensity: float) -> float:
        """Billions of operations a second that the roofs allow at so many operations a byte: min(peak, bandwidth·I)."""
        return min(self.gflop_s, self.gbyte_s * intensity)


def make_roof(
    device: str,
    precision: str,
    threads: int | None,
    *,
    gflop_s: Sequence[float],
    gbyte_s: Sequence[float],
    matrix_side: int,
    array_mb: float,
    cache_mb: float | None,
) -> Roof:
    """The roofs from the rates of all timings: the best of each, for what else a machine does only slows it down.

    Args:
        device: As PyTorch names it.
        precision: Of the products.
        threads: That computed, or None.
        gflop_s: Of products, a timing each, at least two.
        gbyte_s: Of memory, a timing each, at least two.
        matrix_side: As in :class:`Roof`.
        array_mb: As there.
        cache_mb: As there.
    """
    return Roof(
        device, precision, threads,
        gflop_s=max(gflop_s), gbyte_s=max(gbyte_s), ridge=max(gflop_s) / max(gbyte_s),
        gflop_s_spread=_find_spread(gflop_s), gbyte_s_spread=_find_spread(gbyte_s),
        matrix_side=matrix_side, array_mb=array_mb, cache_mb=cache_mb,
    )  # fmt: skip


def _find_spread(rates: Sequence[float]) -> float:
    low, _, high = quantiles(rates, n=4, method="inclusive")
    return (high - low) / median(rates)


@dataclass(frozen=True, slots=True)
class RoofShare:
    """Where work lies under the roofs.

    Attributes:
        gflop_s: Billions of operations a second that it reached.
        intensity: Operations for each byte that it moves.
        bound: The roof that allows it less.
        roof_ms: Least time that the roofs allow: max(operations / peak, bytes / bandwidth).
        share: That time as a share of the measured one. Above 1 where tensors stayed in a cache, which is faster than
            the memory that was measured, or where the device was disturbed more while its peak was measured.
    """

    gflop_s: float
    intensity: float
    bound: Bound
    roof_ms: float
    share: float


def find_share(gflops: float, moved_mb: float, time_ms: float | None, roof: Roof) -> RoofShare | None:
    """Where work lies under the roofs; None where it was not timed, took no time, or moved nothing.

    Args:
        gflops: Billions of operations, a multiplication and an addition counting as two.
        moved_mb: Megabytes that are read and written.
        time_ms: That it took.
        roof: Of the device and precision that it ran in.
    """
    if not time_ms or not moved_mb:
        return None
    compute_ms, memory_ms = gflops / roof.gflop_s * 1e3, moved_mb / roof.gbyte_s
    roof_ms = max(compute_ms, memory_ms)
    return RoofShare(
        gflop_s=gflops / time_ms * 1e3,
        intensity=gflops / moved_mb * 1e3,
        bound="compute" if compute_ms >= memory_ms else "bandwidth",
        roof_ms=roof_ms,
        share=roof_ms / time_ms,
    )
