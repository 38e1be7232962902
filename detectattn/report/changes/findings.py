"""What changed, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Question = Literal["models", "accuracy", "classes", "speed", "memory", "ranking", "detections", "conditions"]
Weight = Literal["worse", "better", "changed", "open", "same"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on what changed.

    Attributes:
        question: What it answers.
        weight: ``worse`` or ``better`` where that is decided, ``changed`` where a fact is another one, ``open`` where
            it cannot be told, ``same`` where nothing changed.
        text: The answer, with its numbers and intervals; ends with a full stop.
        models: Whom it is about.
    """

    question: Question
    weight: Weight
    text: str
    models: tuple[str, ...] = ()

    @property
    def is_lineup(self) -> bool:
        """Whether it says no more than which models are in one study alone."""
        return self.question == "models" and self.weight == "changed" and bool(self.models)
