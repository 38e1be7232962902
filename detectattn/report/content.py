"""Everything that a report says, as data. Every renderer shows these figures, and ``report.json`` holds all of them.

Accuracies are 0 to 1, times milliseconds, memory and sizes megabytes (10^6 bytes); nothing is rounded. A figure that
does not exist is None (or NaN inside of :mod:`detectattn.results`), never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from detectattn.results import (
    Accuracy,
    Calibration,
    ConfusionMatrix,
    ErrorBreakdown,
    OperatingPoint,
    PairAgreement,
    PairedDifference,
    PairedRatio,
    PrecisionRecall,
    SpeedFigures,
)
from detectattn.types import Family

SCHEMA = 1

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
class TruthNote:
    """What the models were judged against.

    Attributes:
        path: The file or folder, as it was given or found.
        format: ``coco``, ``yolo`` or ``voc``.
        named: Whether a person named it, rather than it being found beside the images.
        images: Images of the study that it covers.
        objects: Objects to be found in them.
        classes: Names of the classes that have objects in them.
        notes: What was left out or changed.
    """

    path: str
    format: str
    named: bool
    images: int
    objects: int
    classes: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what conditions the figures were taken; the same for all models.

    Attributes:
        sources: As given.
        images: Pictures that took part: images, and frames of videos.
        image_failures: Inputs that could not be read; no model saw them.
        median_size_hw: Height and width of the picture of median area; None without pictures.
        matched_pixels: Whether all models worked on as many network pixels a picture.
        rounds: Rounds that every model had its turn in; None where nothing was timed.
        sittings: Times that all models were loaded anew for these rounds; None likewise.
        pictures_a_round: Pictures timed in each turn.
        conf: Operating point that was asked for; None where each model has its own.
        iou: Overlap above which non-maximum suppression drops a box, for accuracy.
        accuracy_conf: Score down to which detections count for accuracy.
        max_det: Detections an image at most, for accuracy.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.
        truth: None without ground truth.
    """

    sources: tuple[str, ...]
    images: int
    image_failures: int
    median_size_hw: tuple[int, int] | None
    matched_pixels: bool
    rounds: int | None
    sittings: int | None
    pictures_a_round: int | None
    conf: float | None
    iou: float
    accuracy_conf: float
    max_det: int
    seed: int
    resamples: int
    truth: TruthNote | None


@dataclass(frozen=True, slots=True)
class Size:
    """How large a model is.

    Attributes:
        params_m: Millions of parameters, fused; None where the engine cannot tell.
        gflops: Own count for one picture at the input size of this study, a multiplication and an addition counting as
            two; None where the engine cannot tell.
        weights_mb: On disk.
        published_params_m: What its makers publish, for registry models.
        published_gflops: The same, at 640×640.
        published_ap50_95: The same, on COCO val2017, 0 to 1.
    """

    params_m: float | None
    gflops: float | None
    weights_mb: float
    published_params_m: float | None = None
    published_gflops: float | None = None
    published_ap50_95: float | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Peak memory: of the model's process, and on its device where it has one of its own (else None)."""

    peak_rss_mb: float
    peak_device_mb: float | None


@dataclass(frozen=True, slots=True)
class Energy:
    """What the machine's own meters say.

    Attributes:
        joules_per_image: Of the whole package or board, idle draw included.
        meter: ``rapl`` (processor) or ``nvml`` (graphics card).
    """

    joules_per_image: float
    meter: str


@dataclass(frozen=True, slots=True)
class Noise:
    """How steady a model's rounds were: see :func:`detectattn.compare.noise.judge_noise`."""

    spread: float
    trusted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Speed:
    """What a model takes.

    Attributes:
        figures: Summary.
        p50_low_ms: Lower end of the 95% interval of the median, over rounds; None where rounds are too few.
        p50_high_ms: Upper end.
        total_ms: Every timed picture, from encoded bytes to boxes, in the order of timing.
        load_s: From the start of its process to the model being ready.
        warm_up: Pictures it took to become steady.
        images_per_s_by_batch: Throughput of the forward pass by batch size.
        noise: How far to trust this.
    """

    figures: SpeedFigures
    p50_low_ms: float | None
    p50_high_ms: float | None
    total_ms: tuple[float, ...]
    load_s: float
    warm_up: int
    images_per_s_by_batch: Mapping[int, float]
    noise: Noise


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


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more accurate ``a`` is than ``b``."""

    a: str
    b: str
    figures: PairedDifference


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times what ``b`` takes ``a`` takes."""

    a: str
    b: str
    figures: PairedRatio


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Where models agree, each at its own operating point.

    Attributes:
        class_names: Classes that all know.
        classes_left_out: By model, classes that not all others know.
        images: Pictures that every model has a record of.
        images_left_out: Pictures that not every model has a record of.
        pairs: Every two models.
        alone: By model, objects that no other finds.
    """

    class_names: tuple[str, ...]
    classes_left_out: Mapping[str, tuple[str, ...]]
    images: int
    images_left_out: int
    pairs: tuple[PairAgreement, ...]
    alone: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DisputedImage:
    """A picture on which models disagree.

    Attributes:
        source: As in records.
        index: As in records.
        disagreement: 0 to 1.
        all_find: Objects that all models find.
        only: By model, objects that it alone finds.
        picture: Path of the models side by side, relative to the report; None where it was not drawn.
    """

    source: str
    index: int
    disagreement: float
    all_find: int
    only: Mapping[str, int]
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """A model or variant, by what it takes and what it gives.

    Attributes:
        name: Of the model or variant.
        base: The model that it is a variant of.
        variant: What is changed in it.
        p50_ms: Median time an image.
        peak_mb: Peak memory: of the device where it has one of its own, else of the process.
        gain: What it gives, 0 to 1.
        pareto: Whether none is both as fast and better, or as good and faster.
    """

    name: str
    base: str
    variant: Mapping[str, str | int]
    p50_ms: float
    peak_mb: float
    gain: float
    pareto: bool


@dataclass(frozen=True, slots=True)
class Frontier:
    """Time against accuracy; against agreement where there is no ground truth.

    Attributes:
        gain: What ``FrontierPoint.gain`` is: ``ap50_95``, or ``agreement`` with ``reference``.
        reference: The model that agreement is with; None for accuracy.
        points: Fastest first.
    """

    gain: Literal["ap50_95", "agreement"]
    reference: str | None
    points: tuple[FrontierPoint, ...]


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
