"""Which of two models is faster or more accurate, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["held", "reversed", "settled", "unsettled", "open"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How two models of one study compare.

    Attributes:
        value: Time of ``a`` to time of ``b``, or accuracy of ``a`` less that of ``b``.
        low: Lower end of its 95% interval; None where nothing can be said.
        high: Upper end.
        decided: Whether the study settles it; times that should not be trusted settle nothing.
    """

    value: float
    low: float | None
    high: float | None
    decided: bool


@dataclass(frozen=True, slots=True)
class RankingChange:
    """A question that both studies asked of the same two models.

    Attributes:
        question: Which is faster, or more accurate.
        a: A model, by its name after.
        b: Another.
        before: What the first study says.
        after: What the second says.
        outcome: ``held`` (decided alike), ``reversed`` (decided otherwise), ``settled`` (decided now alone),
            ``unsettled`` (decided before alone), ``open`` (never decided).
    """

    question: Literal["speed", "accuracy"]
    a: str
    b: str
    before: Standing
    after: Standing
    outcome: Outcome
