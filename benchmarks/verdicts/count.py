"""How often intervals covered the truth, and verdicts were right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

# Figures that are equal by construction differ by rounding and by the order of equal scores.
_EQUAL = 1e-6


@dataclass(frozen=True, slots=True)
class Count:
    """Studies of one figure of one pair, on as many images each.

    Attributes:
        a: First model.
        b: Second model.
        figure: What is compared.
        images: Of each study.
        truth: The difference (or ratio) on everything.
        studies: How many could say something.
        covered: Of those, how many have the truth in their interval.
        decided: How many gave a verdict.
        wrong: How many of these named the wrong model; where both are equal, any verdict is wrong.
        width: Median width of the interval.
    """

    a: str
    b: str
    figure: str
    images: int
    truth: float
    studies: int
    covered: int
    decided: int
    wrong: int
    width: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, to five digits."""
        return {key: float(f"{v:.5g}") if isinstance(v, float) else v for key, v in asdict(self).items()}


def count_studies(
    pair: tuple[str, str], figure: str, images: int, truth: float, studies: F64, neutral: float = 0.0
) -> Count:
    """Count what studies said about one figure.

    Args:
        pair: Names of both models.
        figure: What is compared.
        images: Of each study.
        truth: The true difference or ratio.
        studies: f64[S, 4]: what was seen, both ends of its interval, whether it was decided; NaN where nothing could
            be said.
        neutral: What equal models show: 0 for differences, 1 for ratios.
    """
    seen, low, high, decided = studies[np.isfinite(studies).all(axis=1)].T
    verdict = decided > 0
    sign = 0.0 if abs(truth - neutral) < _EQUAL else np.sign(truth - neutral)
    return Count(
        a=pair[0],
        b=pair[1],
        figure=figure,
        images=images,
        truth=truth,
        studies=len(seen),
        covered=int(((low <= truth) & (truth <= high)).sum()),
        decided=int(verdict.sum()),
        wrong=int((verdict & (np.sign(seen - neutral) != sign)).sum()),
        width=float(np.median(high - low)) if len(seen) else float("nan"),
    )


def add_up(counts: Sequence[Count]) -> tuple[int, int, int, int]:
    """Studies, covered, decided and wrong over several counts."""
    return (
        sum(c.studies for c in counts),
        sum(c.covered for c in counts),
        sum(c.decided for c in counts),
        sum(c.wrong for c in counts),
    )
