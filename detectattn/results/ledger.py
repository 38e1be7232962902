"""What attention costs beside the rest, how both grow, and how operations were counted elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Quantity = Literal["gflops", "time_ms", "written_mb"]
"""Billions of operations; measured milliseconds; megabytes that operations write."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one picture costs.

    Attributes:
        gflops: Billions of operations, a multiplication and an addition counting as two; normalisation, activation and
            softmax left out.
        written_mb: Megabytes of all tensors that operations write, in place or anew; views write nothing.
        time_ms: Median over passes, or None where nothing was timed.
        read_mb: Megabytes of all tensors that operations read, weights included, once for each operation.
    """

    gflops: float
    written_mb: float
    time_ms: float | None = None
    read_mb: float = 0.0

    @property
    def moved_mb(self) -> float:
        """Megabytes read and written."""
        return self.read_mb + self.written_mb


@dataclass(frozen=True, slots=True)
class Growth:
    """How a cost grows with the image: cost ∝ sideᵉ, fitted by least squares on logarithms.

    Attributes:
        part: ``attention`` (all of it), ``rest``, ``whole``; ``self``, ``cross``; a kind; or ``products``, what of
            self-attention over feature maps compares and mixes tokens.
        quantity: What grows.
        exponent: In the side of the image; the number of tokens of a feature map grows with its square.
        error: Standard error of the exponent, or None with fewer than three sizes. For counted quantities it tells how
            far the cost is from a power, for times also their noise.
        last: Exponent between the two largest sizes.
    """

    part: str
    quantity: Quantity
    exponent: float
    error: float | None
    last: float

    @property
    def per_token(self) -> float:
        """The exponent in the number of tokens."""
        return self.exponent / 2


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where attention costs as much as all the rest, if both go on as fitted.

    Attributes:
        quantity: Of what.
        verdict: ``dominates``: attention costs more at every size that was looked at. ``measured``: the fits cross
            among those sizes; ``extrapolated``: above them; ``beyond``: not as far as they were followed. ``never``:
            attention grows no faster than the rest, so that its share falls.
        side_px: Side of the image in pixels where the fits cross, or None.
        searched_px: How far the fits were followed.
    """

    quantity: Quantity
    verdict: Literal["dominates", "measured", "extrapolated", "beyond", "never"]
    side_px: float | None
    searched_px: float


@dataclass(frozen=True, slots=True)
class CountStep:
    """A term between the own count of operations and the published one.

    Attributes:
        text: What it is.
        gflops: What it adds to the own count on the way to the published one; negative where that lacks it.
    """

    text: str
    gflops: float


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The own count of operations at the published size beside what others count.

    Attributes:
        net_hw: The size that published figures are for.
        own_gflops: As counted here.
        by_operation: What convolutions, linear layers, attention products and sampling contribute, in GFLOPs.
        published_gflops: As published, or None for a model without a published figure.
        source: Where that is from.
        steps: Terms that lead from the own count to the published one, as far as they can be counted.
        explained_gflops: The own count with all steps taken.
        library_gflops: What the counter of the installed Ultralytics says of this very model, or None where it says
            nothing.
    """

    net_hw: tuple[int, int]
    own_gflops: float
    by_operation: Mapping[str, float]
    published_gflops: float | None = None
    source: str | None = None
    steps: tuple[CountStep, ...] = ()
    explained_gflops: float | None = None
    library_gflops: float | None = None
