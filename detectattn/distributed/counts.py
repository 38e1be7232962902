"""What shards counted: of one, of many together, and as ``run.json`` has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from detectattn.pipeline.tally import RunTally


@dataclass(slots=True)
class Counts:
    """What was done of some inputs.

    Attributes:
        inputs: Inputs that are done, failed ones included.
        images: Pictures and pages.
        frames: Frames of videos.
        detections: By class name.
        images_with: Images and frames that hold a class, by its name.
        failures: By code.
        warnings: Frames that carry a warning.
        reduced: Pictures that a network was shown at a fraction of their size.
        stages_ms: By stage, summed.
        work_s: Seconds that replicas worked on it, summed.
        recovered: What replicas got over meanwhile, the fields of each :class:`~detectattn.pipeline.recovery.Recovery`.
    """

    inputs: int = 0
    images: int = 0
    frames: int = 0
    detections: Counter[str] = field(default_factory=Counter)
    images_with: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    warnings: int = 0
    reduced: int = 0
    stages_ms: Counter[str] = field(default_factory=Counter)
    work_s: float = 0.0
    recovered: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        """Images and frames."""
        return self.images + self.frames

    def add(self, other: Counts) -> None:
        """Add what was done of other inputs."""
        for name in ("inputs", "images", "frames", "warnings", "reduced", "work_s"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("detections", "images_with", "failures", "stages_ms"):
            getattr(self, name).update(getattr(other, name))
        self.recovered.extend(other.recovered)

    def add_tally(self, tally: RunTally) -> None:
        """Add what a run of the pipeline counted; its inputs are counted elsewhere."""
        self.images += tally.images
        self.frames += tally.frames
        self.warnings += tally.warnings
        self.detections.update(tally.detections)
        self.images_with.update(tally.images_with)
        self.failures.update(failure.code for failure in tally.failures)
        self.stages_ms.update(tally.stages)
        self.recovered.extend(asdict(recovery) for recovery in tally.recovered)

    def to_dict(self) -> dict[str, Any]:
        """As a marker holds it."""
        plain = {name: getattr(self, name) for name in ("inputs", "images", "frames", "warnings", "reduced")}
        named = {name: dict(getattr(self, name)) for name in ("detections", "images_with", "failures")}
        stages_ms = {stage: round(ms, 3) for stage, ms in self.stages_ms.items()}
        recovered = {"recovered": self.recovered} if self.recovered else {}
        return {**plain, **named, "stages_ms": stages_ms, "work_s": round(self.work_s, 3), **recovered}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Counts:
        """The inverse of :meth:`to_dict`.

        Raises:
            TypeError, ValueError: It is none.
        """
        named = ("detections", "images_with", "failures", "stages_ms")
        known: dict[str, Any] = {name: Counter(value) if name in named else value for name, value in fields.items()}
        return cls(**known)

    def to_run_counts(self) -> dict[str, Any]:
        """``counts`` of ``run.json``, as a run without a cluster has them."""
        return {
            "images": self.images,
            "frames": self.frames,
            "detections": self.detections.total(),
            "detections_by_class": dict(self.detections.most_common()),
            "failures": self.failures.total(),
            "failures_by_code": dict(self.failures.most_common()),
            "warnings": self.warnings,
            "reduced": self.reduced,
        }

    def to_recovered(self) -> list[dict[str, Any]]:
        """``models[0].recovered`` of ``run.json``: the first of each kind, and how often it happened (``times``)."""
        first: dict[tuple[str, str, str], dict[str, Any]] = {}
        for recovery in self.recovered:
            kind = recovery["what"], recovery["was"], recovery["now"]
            first.setdefault(kind, {**recovery, "times": 0})["times"] += 1
        return list(first.values())

    def to_mean_timing(self) -> dict[str, float]:
        """Mean milliseconds of each stage, a picture."""
        return {stage: round(ms / max(self.pictures, 1), 3) for stage, ms in self.stages_ms.items()}
