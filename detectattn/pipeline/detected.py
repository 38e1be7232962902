"""What becomes of an input's frames: what was found in each, or why nothing could be."""

from __future__ import annotations

from dataclasses import dataclass

from detectattn.types import Detections, Frame, FrameFailure, Media, ModelInfo, Prediction, StageTiming


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """A frame and what was found in it; ``order`` is its place in the run."""

    order: int
    frame: Frame
    prediction: Prediction

    @property
    def media(self) -> Media:
        """Where the frame is from."""
        return self.frame.media


@dataclass(frozen=True, slots=True, eq=False)
class Undetected:
    """A frame that does not fit into the device's memory; ``order`` is its place in the run."""

    order: int
    frame: Frame
    failure: FrameFailure

    @property
    def media(self) -> Media:
        """Where the frame is from."""
        return self.frame.media


@dataclass(frozen=True, slots=True, eq=False)
class Unread:
    """An input, or the rest of one, that cannot be read; ``order`` is its place in the run.

    ``media`` is None for what could not even be opened.
    """

    order: int
    media: Media | None
    failure: FrameFailure


Outcome = Detected | Undetected | Unread


def to_prediction(frame: Frame, detections: Detections, model: ModelInfo, timing: StageTiming) -> Prediction:
    """The prediction for one frame."""
    return Prediction(
        source=frame.source,
        index=frame.index,
        size_hw=frame.size_hw,
        detections=detections,
        model=model.name,
        class_names=model.class_names,
        timing=timing,
        timestamp_s=frame.timestamp_s,
        warnings=frame.warnings,
        reduced=None if frame.reduced is None else frame.reduced.factor,
    )
