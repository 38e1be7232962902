"""Two studies, one after the other, and everything that changed between them."""

from __future__ import annotations

from dataclasses import dataclass

from detectattn.report.changes.conditions import ConditionChange, ImageChanges
from detectattn.report.changes.findings import Finding
from detectattn.report.changes.model import ModelChange
from detectattn.report.changes.rankings import RankingChange
from detectattn.report.content import Caveat

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One of the two studies.

    Attributes:
        run: As it was named.
        created: When it was measured, ISO 8601 in UTC; None where its report does not say.
        status: ``finished`` or ``interrupted``; None likewise.
        images: Pictures that took part; None likewise.
        models: Names of what took part, variants included.
        records: Whether its records are at hand; without them only the figures of its ``report.json`` are.
        command: The command line that made it.
    """

    run: str
    created: str | None
    status: str | None
    images: int | None
    models: tuple[str, ...]
    records: bool
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Two studies, one after the other.

    Attributes:
        before: The first.
        after: The second.
        findings: What changed, the most important first; never empty.
        caveats: What to know before relying on it.
        models: Those in both, in the order of the second.
        gone: Names of those in the first alone.
        new: Names of those in the second alone.
        rankings: Questions that both asked.
        images: None where the records of both are not at hand.
        conditions: What is not as it was.
    """

    before: ComparedRun
    after: ComparedRun
    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...]
    models: tuple[ModelChange, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    rankings: tuple[RankingChange, ...]
    images: ImageChanges | None
    conditions: tuple[ConditionChange, ...]
