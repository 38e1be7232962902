"""What comes out of the network's threads: a frame with what was found in it, or with why nothing could be."""

from __future__ import annotations

from dataclasses import dataclass

from detectattn.types import Detections, Frame, FrameFailure, ModelInfo, Prediction, StageTiming


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """A frame and what was found in it; ``order`` is its place in the run."""

    order: int
    frame: Frame
    prediction: Prediction


@dataclass(frozen=True, slots=True, eq=False)
class Undetected:
    """A frame that does not fit into the device's memory; ``order`` is its place in the run."""

    order: int
    frame: Frame
    failure: FrameFailure


Outcome = Detected | Undetected


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
    )
