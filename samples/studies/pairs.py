"""What is said of two models, and of the conditions that both were under."""

from __future__ import annotations

from detectattn.report.content import AgreementReport, Conditions, Difference, DisputedImage, Ratio, TruthNote
from detectattn.results import ClassAgreement, PairAgreement, PairedDifference, PairedRatio
from samples.studies.models import NAN


def make_differences(a: str, b: str) -> tuple[Difference, ...]:
    """In accuracy: decided, open, decided for one class, and one that cannot be told."""
    return (
        Difference(a, b, PairedDifference("ap50_95", None, 0.61, 0.532, 0.078, 0.012, 0.141, True, 0.033, 24, None)),
        Difference(a, b, PairedDifference("ap50", None, 0.79, 0.81, -0.02, -0.09, 0.05, False, 0.036, 24, 287)),
        Difference(a, b, PairedDifference("ap50_95", "bus", 0.4, 0.7, -0.3, -0.5, -0.0004, True, 0.1, 11, None)),
        Difference(a, b, PairedDifference("ap50_95", "tram", 0.6, NAN, NAN, NAN, NAN, False, NAN, 2, None)),
    )


def make_ratios(a: str, b: str) -> tuple[Ratio, ...]:
    """In time: decided, and without an interval."""
    return (
        Ratio(a, b, PairedRatio("p50_ms", 103.4, 43.1, 2.4, 2.31, 2.49, True, 8, "round")),
        Ratio(a, b, PairedRatio("forward_p50_ms", 30.2, 31.8, 0.95, NAN, NAN, False, 1, "round")),
    )


def make_agreement(a: str, b: str) -> AgreementReport:
    """On two classes; ``b`` has one that ``a`` lacks."""
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
    """A picture that was drawn, and a frame of a video that was not."""
    return (
        DisputedImage(source, 0, 0.71, 3, {a: 4, b: 2}, "pictures/001-bus (1).jpg.jpg"),
        DisputedImage("clip.mp4", 25, 0.4, 8, {a: 0, b: 3}),
    )


def make_conditions(truth: TruthNote | None) -> Conditions:
    """Of eight rounds on 24 pictures."""
    return Conditions(
        sources=("street/images", "clip.mp4"),
        images=24,
        image_failures=1,
        median_size_hw=(540, 960),
        matched_pixels=False,
        rounds=8,
        sittings=5,
        pictures_a_round=9,
        conf=None,
        iou=0.7,
        accuracy_conf=0.001,
        max_det=300,
        seed=0,
        resamples=1000,
        truth=truth,
    )
