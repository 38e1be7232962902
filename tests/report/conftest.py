"""Studies to render: one in which everything occurs, and what is left where there is less."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from detectattn.report.content import (
    AgreementReport,
    Caveat,
    Conditions,
    Difference,
    DisputedImage,
    Energy,
    Frontier,
    FrontierPoint,
    Gate,
    Judgement,
    Memory,
    ModelReport,
    Noise,
    Ratio,
    Report,
    Sentence,
    Size,
    Speed,
    TruthNote,
)
from detectattn.results import (
    Accuracy,
    Calibration,
    ClassAccuracy,
    ClassAgreement,
    ConfusionMatrix,
    ErrorBreakdown,
    ErrorCost,
    OperatingPoint,
    PairAgreement,
    PairedDifference,
    PairedRatio,
    PrecisionRecall,
    ReliabilityBin,
    SpeedFigures,
)

CLASSES = {"car": 214, "bus": 31, "tram": 4}
NAN = math.nan


def make_speed(p50_ms: float, *, trusted: bool = True) -> Speed:
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


def make_model(name: str, p50_ms: float = 100, ap: float = 0.6, **changes: object) -> ModelReport:
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
    return replace(model, **changes)  # type: ignore[arg-type]


def make_differences(a: str, b: str) -> tuple[Difference, ...]:
    return (
        Difference(a, b, PairedDifference("ap50_95", None, 0.61, 0.532, 0.078, 0.012, 0.141, True, 0.033, 24, None)),
        Difference(a, b, PairedDifference("ap50", None, 0.79, 0.81, -0.02, -0.09, 0.05, False, 0.036, 24, 287)),
        Difference(a, b, PairedDifference("ap50_95", "bus", 0.4, 0.7, -0.3, -0.5, -0.0004, True, 0.1, 11, None)),
        Difference(a, b, PairedDifference("ap50_95", "tram", 0.6, NAN, NAN, NAN, NAN, False, NAN, 2, None)),
    )


def make_ratios(a: str, b: str) -> tuple[Ratio, ...]:
    return (
        Ratio(a, b, PairedRatio("p50_ms", 103.4, 43.1, 2.4, 2.31, 2.49, True, 8, "round")),
        Ratio(a, b, PairedRatio("forward_p50_ms", 30.2, 31.8, 0.95, NAN, NAN, False, 1, "round")),
    )


def make_agreement(a: str, b: str) -> AgreementReport:
    by_class = (ClassAgreement("car", 170, 12, 20), ClassAgreement("bus", 20, 3, 2))
    return AgreementReport(
        class_names=("car", "bus"),
        classes_left_out={a: (), b: ("dog",)},
        images=23,
        images_left_out=1,
        pairs=(PairAgreement(a, b, 190, 15, 22, 380 / 417, 0.87, 0.94, by_class),),
        alone={a: 15, b: 22},
    )


def make_disputed(a: str, b: str, source: str = "street/bus.jpg") -> tuple[DisputedImage, ...]:
    return (
        DisputedImage(source, 0, 0.71, 3, {a: 4, b: 2}, "pictures/001-bus (1).jpg.jpg"),
        DisputedImage("clip.mp4", 25, 0.4, 8, {a: 0, b: 3}),
    )


def make_conditions(truth: TruthNote | None) -> Conditions:
    return Conditions(
        sources=("street/images", "clip.mp4"),
        images=24,
        image_failures=1,
        median_size_hw=(540, 960),
        matched_pixels=False,
        rounds=8,
        pictures_a_round=9,
        conf=None,
        iou=0.7,
        accuracy_conf=0.001,
        max_det=300,
        seed=0,
        resamples=1000,
        truth=truth,
    )


@pytest.fixture
def study() -> Report:
    """Two models with variants, one that failed, predictions made elsewhere, and ground truth."""
    detr, yolo = "rtdetr-l", "yolo11n"
    variant = make_model(
        f"{detr} decoder_layers=3", 81, 0.58, base=detr, variant={"decoder_layers": 3}, family="attention",
        judgement=make_judgement(0.58, with_small=False),
    )  # fmt: skip
    failed = make_model(
        "broken", status="failed", error="the process was killed for memory", speed=None, memory=None, size=None,
        judgement=None, detections=0,
    )  # fmt: skip
    elsewhere = make_model(
        "elsewhere", kind="predictions", family=None, engine=None, device=None, precision=None, net_hw=None,
        net_pixels=None, file="theirs.json", speed=None, memory=None, size=None,
        judgement=replace(
            make_judgement(0.3), best_f1=None, equal_precision=None, precision=None, ap50_95_low=None,
            ap50_95_high=None, calibration=Calibration(0.5, 0.25, 0, NAN, NAN, NAN, NAN, ()),
        ),
    )  # fmt: skip
    return Report(
        created="2026-03-01T12:00:00+00:00",
        status="finished",
        verdict=(
            Sentence(
                "speed",
                f"{yolo} is 2.4× faster than {detr} (2.3–2.5): 43.1 ms against 103 ms an image.",
                (detr, yolo),
                True,
            ),
            Sentence("accuracy", f"{detr} is more accurate than {yolo}: AP 0.610 against 0.532.", (detr, yolo), True),
            Sentence("errors", f"{detr} loses most to missed objects (0.061 AP50).", (detr,)),
        ),
        caveats=(
            Caveat("images", "1 input could not be read, and no model saw it."),
            Caveat("model", "broken failed: the process was killed for memory.", ("broken",)),
            Caveat("truth", "3 images of the ground truth are not in the study."),
            Caveat("accuracy", "24 images are few: intervals are wide, and small differences stay open."),
            Caveat("speed", f"Timings of {yolo} are not to be trusted: its rounds differ by 14%.", (yolo,)),
            Caveat("pixels", "The models do not work on as many pixels a picture.", (detr, yolo)),
            Caveat("classes", f"{detr} does not know tram: those objects count as missed.", (detr,)),
            Caveat("queries", f"1 image holds more objects than the 300 that {detr} can find.", (detr,)),
            Caveat("agreement", f"Agreement leaves out classes of {yolo} that not all others know: dog.", (yolo,)),
        ),
        conditions=make_conditions(
            TruthNote("street/data.yaml", "yolo", False, 24, 249, tuple(CLASSES), ("3 images are not in the study",))
        ),
        models=(
            make_model(
                detr, 103.4, 0.61, family="attention", energy=Energy(3.21, "rapl"), memory=Memory(1893.7, 512.25)
            ),
            variant,
            make_model(yolo, 43.1, 0.532, speed=make_speed(43.1, trusted=False)),
            failed,
            elsewhere,
        ),
        differences=make_differences(detr, yolo),
        ratios=make_ratios(detr, yolo),
        agreement=make_agreement(detr, yolo),
        disputed=make_disputed(detr, yolo),
        frontier=Frontier(
            "ap50_95",
            None,
            (
                FrontierPoint(yolo, yolo, {}, 43.1, 612.4, 0.532, True),
                FrontierPoint(variant.name, detr, {"decoder_layers": 3}, 81, 1893.7, 0.58, True),
                FrontierPoint(detr, detr, {}, 103.4, 512.25, 0.61, True),
            ),
        ),
        gates=(
            Gate(f"{detr}.ap50_95 < 0.6", False, f"The ap50_95 of {detr} is 0.610, which is not below 0.6."),
            Gate(f"{yolo}.p50_ms > 40 ms", True, f"The p50_ms of {yolo} is 43.1 ms, which is above 40 ms."),
        ),
        command=(
            "detectattn",
            "compare",
            "street/images",
            "clip.mp4",
            "-m",
            detr,
            "--fail-if",
            f"{detr}.ap50_95 < 0.6",
        ),
        versions={"python": "3.12.3", "detectattn": "0.2.0", "openvino": "2026.1.0"},
        machine={
            "cpu": "Some Processor 9000",
            "cpu_features": ["AVX2", "AVX-512"],
            "logical_cores": 8,
            "usable_cores": 2,
            "memory_bytes": 16_500_000_000,
            "os": "Linux 6.1",
            "arch": "x86_64",
        },
    )


@pytest.fixture
def without_truth(study: Report) -> Report:
    """The same two models where nobody knows what is right."""
    frontier = study.frontier
    assert frontier is not None
    return replace(
        study,
        models=tuple(replace(study.models[i], judgement=None) for i in (0, 2)),
        caveats=(Caveat("truth", "There is no ground truth, so nothing here says which model is right."),),
        conditions=make_conditions(None),
        differences=(),
        frontier=Frontier("agreement", "rtdetr-l", (frontier.points[0], frontier.points[2])),
        gates=(),
    )


@pytest.fixture
def lone(study: Report) -> Report:
    """A single model, neither timed nor judged."""
    return replace(
        study,
        models=(replace(study.models[0], speed=None, memory=None, energy=None, judgement=None),),
        verdict=(),
        caveats=(),
        conditions=replace(make_conditions(None), rounds=None, pictures_a_round=None),
        differences=(),
        ratios=(),
        agreement=None,
        disputed=(),
        frontier=None,
        gates=(),
    )


@pytest.fixture
def hostile() -> Callable[[Report, str], Report]:
    """A study in which a text stands wherever a text can come from outside."""

    def spread(report: Report, text: str) -> Report:
        model = make_model(
            text, base=text, error=text, variant={"imgsz": text}, file=text, conf_reason=text, engine=text,
            status="failed",
        )  # fmt: skip
        judged = model.judgement
        assert judged is not None
        accuracy = replace(judged.accuracy, per_class={text: next(iter(judged.accuracy.per_class.values()))})
        names = (text, *judged.confusion.class_names[1:])
        judged = replace(judged, accuracy=accuracy, confusion=replace(judged.confusion, class_names=names))
        agreement = make_agreement(text, "other")
        pair = replace(agreement.pairs[0], per_class=(ClassAgreement(text, 1, 2, 3),))
        difference = make_differences(text, "other")[2]
        point = FrontierPoint(text, text, {"imgsz": text}, 1, 2, 0.5, True)
        return replace(
            report,
            models=(replace(model, judgement=judged, variant={}, status="finished"), replace(model, base="base")),
            verdict=(Sentence("speed", text, (text,)),),
            caveats=tuple(Caveat(c.topic, text) for c in report.caveats),
            conditions=replace(
                make_conditions(TruthNote(text, "coco", True, 1, 2, (text,), (text,))), sources=(text, "b.jpg")
            ),
            differences=(replace(difference, figures=replace(difference.figures, class_name=text)),),
            ratios=make_ratios(text, "other"),
            agreement=replace(agreement, pairs=(pair,), classes_left_out={text: (text,)}),
            disputed=make_disputed(text, "other", source=text),
            frontier=Frontier("agreement", text, (point, point)),
            gates=(Gate(text, True, text),),
            command=("detectattn", text),
            versions={"python": text},
            machine={"cpu": text},
        )

    return spread
