"""A study: everything that its report says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from detectattn.report.content.conditions import Conditions
from detectattn.report.content.model import ModelReport
from detectattn.report.content.relations import AgreementReport, Difference, DisputedImage, Frontier, Ratio
from detectattn.report.content.words import Caveat, Gate, Sentence

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Report:
    """A study.

    Attributes:
        created: When it was measured, ISO 8601 in UTC.
        status: ``finished``, or ``interrupted`` where models are missing.
        verdict: What it found, the most important first.
        caveats: What to know before relying on it.
        conditions: How it was done.
        models: In the order that they were given, each followed by its variants.
        differences: In accuracy, of every pair of models: AP, AP50, then AP of each class. Variants are paired with
            their base alone.
        ratios: In time, of every pair likewise.
        agreement: None for a single model.
        disputed: Most disputed first; empty for a single model.
        frontier: None where there is nothing to set against time.
        gates: Of ``--fail-if`` and ``--baseline``.
        command: The command line that made it.
        versions: Of Python, packages and this project.
        machine: What it ran on.
    """

    created: str
    status: Literal["finished", "interrupted"]
    verdict: tuple[Sentence, ...]
    caveats: tuple[Caveat, ...]
    conditions: Conditions
    models: tuple[ModelReport, ...]
    differences: tuple[Difference, ...]
    ratios: tuple[Ratio, ...]
    agreement: AgreementReport | None
    disputed: tuple[DisputedImage, ...]
    frontier: Frontier | None
    gates: tuple[Gate, ...]
    command: tuple[str, ...]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
