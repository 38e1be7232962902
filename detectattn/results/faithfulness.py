"""How true a map of a detection is, and how far beyond its box it reaches."""

from __future__ import annotations

from dataclasses import dataclass

REACH_BANDS = ("inside", "to 0.5", "0.5 to 1", "1 to 2", "beyond 2")
"""Distance of a pixel from the box, in sizes of the box; see :class:`Reach`."""


@dataclass(frozen=True, slots=True)
class PerturbationCurve:
    """What remains of a detection's score while its picture is hidden, or shown, along a map.

    Scores are shares of the detection's score in the whole picture; 0 where no detection of its class overlaps its box
    by more than half.

    Attributes:
        fractions: Shares of the picture's area that are hidden (or shown), ascending, in geometric steps.
        insertion: Score with only so much of the picture shown, the brightest of the map first.
        deletion: Score with so much hidden, the brightest of the map first.
    """

    fractions: tuple[float, ...]
    insertion: tuple[float, ...]
    deletion: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.fractions) == len(self.insertion) == len(self.deletion) > 0:
            raise ValueError("curves need a score for every fraction")

    @property
    def faithfulness(self) -> float:
        """Mean insertion less mean deletion: above 0 the map puts first what the detection needs; 1 at most or so."""
        return (sum(self.insertion) - sum(self.deletion)) / len(self.fractions)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a map's mass lies around the box.

    The distance of a pixel from the box is the larger of its horizontal one in widths and its vertical one in heights
    of the box; 0 inside.

    Attributes:
        shares: Of the map's mass, by band (:data:`REACH_BANDS`); they sum to 1. NaN for a map that is nothing anywhere.
        area: Of the picture's area, by band: what a map without any preference would have.
    """

    shares: tuple[float, ...]
    area: tuple[float, ...]

    @property
    def outside(self) -> float:
        """Share of the mass outside the box."""
        return 1.0 - self.shares[0]


@dataclass(frozen=True, slots=True)
class MapScore:
    """What one map of one detection is worth.

    Attributes:
        method: Key of the method.
        energy: Share of the map's mass inside the box.
        pointing: Whether its brightest pixel lies inside the box.
        reach: How far it reaches beyond the box.
        curve: Deletion and insertion; None where they were not asked for, or can say nothing because the detection
            survives a picture that is hidden altogether.
    """

    method: str
    energy: float
    pointing: bool
    reach: Reach
    curve: PerturbationCurve | None
