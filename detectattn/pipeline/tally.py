"""What a run did so far: counts, failures and where the time went."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from detectattn.errors import TooManyFailures
from detectattn.pipeline.choose_batch import BatchChoice
from detectattn.pipeline.recovery import Recovery
from detectattn.pipeline.timeline import Busy
from detectattn.types import Frame, FrameFailure, Media, Prediction, StageTiming

RunStatus = Literal["running", "finished", "stopped", "interrupted", "failed"]


@dataclass(slots=True)
class RunTally:
    """Counts of a run, kept while it goes on.

    Attributes:
        status: How it stands, or ended. ``stopped``: by the user, through the window of ``--show``, or because too many
            inputs failed.
        tried: Inputs whose turn has come, in their order: those that are being written, and those that failed.
        media: Inputs begun, of which the last may still go on.
        images: Pictures and pages done.
        frames: Frames of videos and streams done.
        detections: By class name.
        images_with: Images and frames that hold a class, by its name.
        failures: What could not be processed, in order.
        warnings: Frames that carry a warning.
        reduced: Pictures that the model was shown at a fraction of their size.
        stages: Milliseconds by stage, summed.
        started_s: On the monotonic clock.
        wall_s: How long the run took, once it has ended.
        busy: How busy each stage was, once it has ended.
        batch: How the batch size was chosen, where it was by trying.
        done_before: Pictures and frames that earlier sittings of the run have written.
        recovered: What the run got over, once it has ended.
        last_batch: Pictures that went through together in the end; None before that.
    """

    status: RunStatus = "running"
    tried: int = 0
    media: int = 0
    images: int = 0
    frames: int = 0
    detections: Counter[str] = field(default_factory=Counter)
    images_with: Counter[str] = field(default_factory=Counter)
    failures: list[FrameFailure] = field(default_factory=list)
    warnings: int = 0
    reduced: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    started_s: float = field(default_factory=time.monotonic)
    wall_s: float = 0.0
    busy: Busy = field(default_factory=Busy)
    batch: BatchChoice | None = None
    done_before: int = 0
    recovered: list[Recovery] = field(default_factory=list)
    last_batch: int | None = None
    _last: Media | None = None
    _tried: Media | None = None

    def begin(self, media: Media | None) -> None:
        """Count an input when its first frame comes, or its failure; None for one that could not even be opened."""
        if media is None or media is not self._tried:
            self.tried, self._tried = self.tried + 1, media

    def add(self, frame: Frame, prediction: Prediction) -> None:
        """Count one frame that is written."""
        if frame.media.kind == "image":
            self.images += 1
        else:
            self.frames += 1
        self.warnings += bool(prediction.warnings)
        self.reduced += prediction.reduced is not None
        if frame.media is not self._last:
            self.media, self._last = self.media + 1, frame.media
        names = [prediction.class_name(int(c)) for c in prediction.detections.class_id]
        self.detections.update(names)
        self.images_with.update(set(names))
        self.stages.update(asdict(prediction.timing))

    def start(self) -> None:
        """Start the clock: loading a model is not part of it."""
        self.started_s = time.monotonic()

    def end(self, error: BaseException | None, *, stopped: bool) -> None:
        """Note how the run ended, and stop its clock."""
        self.wall_s = self.elapsed_s
        if isinstance(error, KeyboardInterrupt):
            self.status = "interrupted"
        elif error is not None and not isinstance(error, TooManyFailures):
            self.status = "failed"
        else:
            self.status = "stopped" if stopped or error is not None else "finished"

    @property
    def done(self) -> int:
        """Pictures and frames written."""
        return self.images + self.frames

    @property
    def rate(self) -> float:
        """Pictures and frames a second, of this sitting."""
        return (self.done - self.done_before) / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start, or the whole run's once it has ended."""
        return self.wall_s or time.monotonic() - self.started_s

    def mean_timing(self) -> StageTiming:
        """Mean milliseconds of each stage a frame."""
        return StageTiming(**{stage: total / max(self.done, 1) for stage, total in self.stages.items()})

    def counts(self) -> dict[str, Any]:
        """As ``run.json`` holds them."""
        by_code = Counter(failure.code for failure in self.failures)
        return {
            "images": self.images,
            "frames": self.frames,
            "detections": self.detections.total(),
            "detections_by_class": dict(self.detections.most_common()),
            "failures": len(self.failures),
            "failures_by_code": dict(by_code.most_common()),
            "warnings": self.warnings,
            "reduced": self.reduced,
        }

    def timing(self) -> dict[str, Any]:
        """As ``run.json`` holds it."""
        mean = {stage: round(value, 3) for stage, value in asdict(self.mean_timing()).items()}
        busy = {stage: round(share, 3) for stage, share in self.busy.stages.items()}
        tried = {} if self.batch is None else {"batch_choice": asdict(self.batch)}
        return {
            "wall_s": round(self.elapsed_s, 3),
            "images_per_s": round(self.rate, 3),
            "mean": mean,
            "busy": busy,
            "slowest": self.busy.slowest,
            "slowest_busy": round(self.busy.share, 3),
            **tried,
            **({"done_before": self.done_before} if self.done_before else {}),
        }
