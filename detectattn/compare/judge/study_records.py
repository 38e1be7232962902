"""Everything that a study recorded, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detectattn.compare.frames import PictureInfo
from detectattn.compare.measured import Measured
from detectattn.config import CompareConfig
from detectattn.evaluation.truth import GroundTruth
from detectattn.types import FrameFailure, Prediction, RunManifest


@dataclass(frozen=True, slots=True, eq=False)
class StudyRecords:
    """What a run folder of ``compare`` holds.

    Attributes:
        config: The options that applied.
        sources: As given.
        manifest: What ``run.json`` says.
        created: When it was measured, ISO 8601 in UTC.
        pictures: Those that took part, in their order.
        failures: Inputs that could not be read.
        truth: As applied; None without.
        truth_named: Whether a person named it.
        measured: By name, in the order of the study: models, each followed by its variants.
        predictions: Of each entrant that finished, by name, with all its class names; every detection down to the
            score that accuracy asks for.
        drawn: Paths of pictures that were drawn side by side, relative to the run folder, by source and index.
    """

    config: CompareConfig
    sources: tuple[str, ...]
    manifest: RunManifest
    created: str
    pictures: Sequence[PictureInfo]
    failures: Sequence[FrameFailure]
    truth: GroundTruth | None
    truth_named: bool
    measured: Mapping[str, Measured]
    predictions: Mapping[str, Sequence[Prediction]]
    drawn: Mapping[tuple[str, int], str]

    @property
    def finished(self) -> tuple[str, ...]:
        """Names of those that finished."""
        return tuple(name for name, m in self.measured.items() if m.status == "finished")

    @property
    def finished_bases(self) -> tuple[str, ...]:
        """Of those, the ones that are no variants."""
        return tuple(name for name in self.finished if self.measured[name].base == name)
