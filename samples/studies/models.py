"""Figures of one model, in every field."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from detectattn.report.content import Conversion, Judgement, Memory, ModelReport, Noise, Size, Speed
from detectattn.results import (
    Accuracy,
    Calibration,
    ClassAccuracy,
    ConfusionMatrix,
    ErrorBreakdown,
    ErrorCost,
    OperatingPoint,
    PrecisionRecall,
    ReliabilityBin,
    SpeedFigures,
)

CLASSES = {"car": 214, "bus": 31, "tram": 4}
NAN = math.nan


def make_speed(p50_ms: float, *, trusted: bool = True) -> Speed:
    """Timings about a median; ones that should not be trusted have no interval."""
    figures = SpeedFigures(
        p50_ms=p50_ms,
        p95_ms=p50_ms * 1.21,
        p99_ms=p50_ms * 1.4,
        mean_ms=p50_ms * 1.03,
        forward_p50_ms=p50_ms - 11.3,
        decode_ms=8.1,
        preprocess_ms=2.9,
        forward_ms=p50_ms - 10.9,
        postprocess_ms=0.3,
        images_per_s=1000 / (p50_ms - 11.3),
        best_batch=4,
        best_images_per_s=1300 / (p50_ms - 11.3),
        timed_images=72,
    )
    reasons = () if trusted else ("its rounds differ by 14%, and 10% is the most that can be trusted",)
    return Speed(
        figures=figures,
        p50_low_ms=p50_ms * 0.98 if trusted else None,
        p50_high_ms=p50_ms * 1.02 if trusted else None,
        total_ms=(p50_ms + 0.123456789012345, p50_ms, p50_ms - 0.1),
        load_s=1.7312,
        warm_up=6,
        images_per_s_by_batch={1: figures.images_per_s, 4: figures.best_images_per_s},
        noise=Noise(0.14 if not trusted else 0.021, trusted, reasons),
    )


def make_accuracy(ap: float, *, with_small: bool) -> Accuracy:
    """COCO's figures about an AP; without small objects where none is ``with_small``."""
    small = ap * 0.6 if with_small else None
    return Accuracy(
        ap50_95=ap,
        ap50=ap + 0.2,
        ap75=ap + 0.05,
        ap_small=small,
        ap_medium=ap,
        ap_large=ap + 0.1,
        ar_1=ap - 0.2,
        ar_10=ap + 0.01,
        ar_100=ap + 0.04,
        ar_small=small,
        ar_medium=ap,
        ar_large=ap,
        per_class={
            name: ClassAccuracy(ap, ap + 0.2, ap + 0.05, small, ap, None, ap + 0.04, count)
            for name, count in CLASSES.items()
        },
        undefined={}
        if with_small
        else dict.fromkeys(("ap_small", "ar_small"), "no object has an area up to 32² pixels"),
        image_count=24,
        object_count=sum(CLASSES.values()),
        detection_count=2210,
        left_out={"dog": 2},
        missing_count=1,
        no_truth_count=0,
    )


def make_judgement(ap: float, *, with_small: bool = True) -> Judgement:
    """Everything that ground truth says of a model whose AP is ``ap``."""
    recall = np.linspace(0, 1, 101)
    reached = recall <= ap + 0.25
    return Judgement(
        accuracy=make_accuracy(ap, with_small=with_small),
        ap50_95_low=ap - 0.07,
        ap50_95_high=ap + 0.06,
        best_f1=OperatingPoint(0.41237, 0.81, 0.74, 0.7734193548387097, ap - 0.05),
        equal_precision=OperatingPoint(0.38, 0.9, 0.61, 0.7271523178807947, None),
        precision=0.9,
        at_conf=OperatingPoint(0.41237, 0.81, 0.74, 0.7734193548387097, ap - 0.05),
        precision_recall=PrecisionRecall(
            recall=recall,
            precision=np.where(reached, 1 - recall / 3, 0),
            class_names=tuple(CLASSES),
            class_precision=np.tile(np.where(reached, 1 - recall / 3, 0), (3, 1)),
            class_score=np.tile(np.where(reached, 1 - recall, np.nan), (3, 1)),
            iou_threshold=0.5,
        ),
        confusion=ConfusionMatrix(
            tuple(CLASSES),
            np.array([[180, 7, 0, 27], [2, 25, 1, 3], [0, 1, 2, 1], [19, 4, 0, 0]], np.int64),
            0.41237,
            0.5,
        ),
        errors=ErrorBreakdown(
            ap + 0.2, ErrorCost(10, 0.021), ErrorCost(33, 0.048), ErrorCost(2, 0.001), ErrorCost(5, 0.003),
            ErrorCost(61, 0.038), ErrorCost(27, 0.061), ErrorCost(111, 0.099), ErrorCost(64, 0.172),
        ),
        calibration=Calibration(
            0.5, 0.25, 301, 0.083, 0.041, 0.066, 0.079,
            (ReliabilityBin(0.2, 0.3, 0, NAN, NAN, NAN, NAN), ReliabilityBin(0.9, 1.0, 301, 0.93, 0.851, 0.806, 0.887)),
        ),
        only_truth=("tram (nearest: train)",),
        only_model=("dog",),
    )  # fmt: skip


def make_conversion() -> Conversion:
    """INT8 for OpenVINO that passed its gate, judged on detections and on raw outputs."""
    return Conversion(
        engine="openvino",
        precision="int8",
        sha256="c0" * 32,
        compared_on="street/images",
        picture_count=8,
        detection_count=213,
        matched_share=0.9934,
        box_px_p50=0.31,
        box_px_p99=2.87,
        box_share_p50=0.0121,
        box_share_p99=0.0937,
        score_p50=0.0041,
        score_p99=0.0713,
        raw_box_error=0.0173,
        raw_score_error=0.0411,
        calibrated_on="street/images",
    )


def make_model(name: str, p50_ms: float = 100, ap: float = 0.6, **changes: Any) -> ModelReport:
    """A convolutional model that went well; ``changes`` are fields of its own."""
    model = ModelReport(
        name=name,
        kind="model",
        base=name,
        variant={},
        status="finished",
        error=None,
        family="cnn",
        engine="openvino",
        device="cpu",
        precision="fp32",
        net_hw=(640, 640),
        net_pixels=409600.0,
        file=f"weights/{name}.pt",
        sha256="5e" * 32,
        conf=0.41237,
        conf_reason="its best F1 on these images",
        detections=301,
        speed=make_speed(p50_ms),
        memory=Memory(612.4, None),
        size=Size(2.6, 6.5, 5.4, 2.616, 6.5, 0.395),
        energy=None,
        judgement=make_judgement(ap),
    )
    return replace(model, **changes)
