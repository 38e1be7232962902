"""What a report says in words: its verdict, its caveats and its gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Question = Literal["speed", "accuracy", "classes", "agreement", "budget", "errors", "calibration"]
Topic = Literal["images", "truth", "classes", "pixels", "speed", "accuracy", "agreement", "model", "queries"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the verdict.

    Attributes:
        question: What it answers.
        text: The answer, with its numbers and intervals; ends with a full stop.
        models: Whom it is about.
        decided: Whether the images settle the question; None where it is no question of more or less.
    """

    question: Question
    text: str
    models: tuple[str, ...]
    decided: bool | None = None


@dataclass(frozen=True, slots=True)
class Caveat:
    """What a reader has to know before relying on figures; shown where those figures stand.

    Attributes:
        topic: Which figures.
        text: A sentence with a full stop.
        models: Whose figures; empty for all.
    """

    topic: Topic
    text: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of ``--fail-if`` or ``--baseline``.

    Attributes:
        condition: As it was given, or what the baseline asks for.
        failed: Whether it fails the study.
        text: The figures that it comes from; a sentence with a full stop.
    """

    condition: str
    failed: bool
    text: str
