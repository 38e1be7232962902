"""One model of a study: what it is, what it takes, and what ground truth says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from detectattn.report.content.cost import Energy, Memory, Size, Speed
from detectattn.results import (
    Accuracy,
    Calibration,
    ConfusionMatrix,
    ErrorBreakdown,
    OperatingPoint,
    PrecisionRecall,
)
from detectattn.types import Family


@dataclass(frozen=True, slots=True)
class Judgement:
    """What ground truth says of a model.

    Attributes:
        accuracy: COCO's metrics.
        ap50_95_low: Lower end of the 95% interval of AP over images; None where nothing can be said.
        ap50_95_high: Upper end.
        best_f1: Where its F1 is largest; None where it finds nothing right.
        equal_precision: Where it is as precise as every other model can be; None likewise.
        precision: That common precision.
        at_conf: At the operating point of this study.
        precision_recall: At IoU 0.5.
        confusion: At the operating point of this study.
        errors: TIDE's kinds of error.
        calibration: Whether its scores mean what they say.
        only_truth: Classes with objects that it does not know, each with the nearest names.
        only_model: Its classes that the ground truth lacks.
    """

    accuracy: Accuracy
    ap50_95_low: float | None
    ap50_95_high: float | None
    best_f1: OperatingPoint | None
    equal_precision: OperatingPoint | None
    precision: float | None
    at_conf: OperatingPoint
    precision_recall: PrecisionRecall
    confusion: ConfusionMatrix
    errors: ErrorBreakdown
    calibration: Calibration
    only_truth: tuple[str, ...]
    only_model: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conversion:
    """What ran in a model's place, and how far it is from the model itself in PyTorch: the parity gate's figures.

    Drift is that of detections which both have; a share is that of a box's side. It is None where there were none.

    Attributes:
        engine: ``openvino`` or ``onnx``.
        precision: ``fp32``, ``fp16``, ``bf16`` or ``int8``.
        sha256: Of its files together.
        compared_on: Which pictures both looked at, in words.
        picture_count: How many.
        detection_count: What the model itself found in them above the gate's threshold.
        matched_share: Detections of either that the other has too, 0 to 1; None where neither found anything.
        box_px_p50: How far the corner moved that moved most, pixels of the network's input: median.
        box_px_p99: 99 of 100 moved by no more.
        box_share_p50: The same as a share, 0 to 1: median.
        box_share_p99: 99 of 100.
        score_p50: How far scores moved: median.
        score_p99: 99 of 100.
        raw_box_error: Of the raw outputs, where detections were too few to judge by: boxes, in sides of boxes.
        raw_score_error: The same of scores, in relation to scores.
        calibrated_on: Which pictures INT8 was calibrated on, in words; None for another precision.
    """

    engine: str
    precision: str
    sha256: str
    compared_on: str
    picture_count: int
    detection_count: int
    matched_share: float | None
    box_px_p50: float | None
    box_px_p99: float | None
    box_share_p50: float | None
    box_share_p99: float | None
    score_p50: float | None
    score_p99: float | None
    raw_box_error: float | None
    raw_score_error: float | None
    calibrated_on: str | None


@dataclass(frozen=True, slots=True)
class ModelReport:
    """One model, or one variant of it, or predictions made elsewhere.

    Attributes:
        name: In this study, unique.
        kind: ``model``, or ``predictions`` from a file.
        base: The model that this is a variant of; its own name otherwise.
        variant: What is changed in it: ``imgsz``, ``decoder_layers``, ``queries``, ``engine``, ``precision``.
        status: ``finished`` or ``failed``.
        error: Why it failed.
        family: None for predictions.
        engine: Runtime; None for predictions.
        device: Where it ran; None for predictions.
        precision: Number type; None for predictions.
        net_hw: Input size; None for predictions.
        net_pixels: Mean pixels of its input a picture; None for predictions.
        file: Path of the weights or predictions.
        sha256: Of that file.
        conf: Its operating point: scores from here on count in pictures, counts and agreement.
        conf_reason: Where that operating point comes from.
        detections: How many it makes at its operating point.
        speed: None where it was not timed.
        memory: None likewise.
        size: None for predictions.
        energy: None where no meter can be read.
        judgement: None without ground truth.
        conversion: None where it ran as it is.
        scores_from: Least score of its records; its AP is cut short where that is above the study's. None where it has
            none.
    """

    name: str
    kind: Literal["model", "predictions"]
    base: str
    variant: Mapping[str, str | int]
    status: Literal["finished", "failed"]
    error: str | None
    family: Family | None
    engine: str | None
    device: str | None
    precision: str | None
    net_hw: tuple[int, int] | None
    net_pixels: float | None
    file: str
    sha256: str
    conf: float
    conf_reason: str
    detections: int
    speed: Speed | None
    memory: Memory | None
    size: Size | None
    energy: Energy | None
    judgement: Judgement | None
    conversion: Conversion | None = None
    scores_from: float | None = None
