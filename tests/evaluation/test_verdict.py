"""The sentences that a study ends in, word for word."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from detectattn.evaluation.verdict import (
    Budget,
    Candidate,
    describe_accuracy,
    describe_agreement,
    describe_budget,
    describe_calibration,
    describe_classes,
    describe_errors,
    describe_speed,
)
from detectattn.results import Calibration, ErrorBreakdown, ErrorCost, PairAgreement, PairedDifference, PairedRatio

NAN = math.nan


def ratio(value_a: float, value_b: float, low: float, high: float, *, doubtful: bool = False) -> PairedRatio:
    decided = (low > 1 or high < 1) and not doubtful
    return PairedRatio("p50_ms", value_a, value_b, value_a / value_b, low, high, decided, 8, "round")


def difference(
    value_a: float,
    value_b: float,
    interval: tuple[float, float],
    images: int = 24,
    needed: int | None = 287,
    class_name: str | None = None,
    *,
    doubtful: bool = False,
) -> PairedDifference:
    low, high = interval
    error = (high - low) / 3.92
    decided = (low > 0 or high < 0) and not doubtful
    return PairedDifference(
        "ap50_95", class_name, value_a, value_b, value_a - value_b, low, high, decided, error, images, needed
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            ratio(103.4, 43.1, 2.31, 2.49),
            "yolo is 2.4× faster than detr (2.3–2.5): 43.1 ms against 103 ms an image.",
        ),
        (
            ratio(43.1, 103.4, 1 / 2.49, 1 / 2.31),
            "detr is 2.4× faster than yolo (2.3–2.5): 43.1 ms against 103 ms an image.",
        ),
        (ratio(10.4, 10, 1.02, 1.06), "yolo is 1.04× faster than detr (1.02–1.06): 10.0 ms against 10.4 ms an image."),
        (
            ratio(10.03, 10, 1.0011, 1.0049),
            "yolo is 1.003× faster than detr (1.001–1.005): 10.0 ms against 10.0 ms an image.",
        ),
        (
            ratio(1234, 43.1, 27.9, 29.2),
            "yolo is 29× faster than detr (28–29): 43.1 ms against 1,230 ms an image.",
        ),
        (
            ratio(10.1, 10, 0.97, 1.05),
            "Which is faster is not decided: detr takes 1.01× the time of yolo (0.97–1.05), "
            "10.1 ms against 10.0 ms an image.",
        ),
        (
            ratio(10.03, 10, 1.0011, 1.0049, doubtful=True),
            "Which is faster is not decided beyond doubt: detr takes 1.003× the time of yolo (1.001–1.005), "
            "10.0 ms against 10.0 ms an image.",
        ),
        (
            replace(ratio(39.1, 61.9, 0.12, 12.14), ratio=1.22),
            "Which is faster is not decided: detr takes 39.1 ms an image and yolo 61.9 ms, "
            "and their rounds contradict each other.",
        ),
        (
            ratio(10.1, 10, NAN, NAN),
            "One round is too few to say which is faster: detr took 10.1 ms, yolo 10.0 ms.",
        ),
    ],
)
def test_speed(given: PairedRatio, sentence: str) -> None:
    assert describe_speed("detr", "yolo", given) == sentence


def test_doubtful_timings_say_so() -> None:
    sentence = describe_speed("detr", "yolo", ratio(20, 10, 1.8, 2.2), "rounds differ by 30%")
    assert sentence.endswith(" These timings are not to be trusted: rounds differ by 30%.")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            difference(0.529, 0.501, (0.011, 0.045)),
            "detr is more accurate than yolo: AP 0.529 against 0.501, 0.028 more (0.011–0.045).",
        ),
        (
            difference(0.501, 0.529, (-0.045, -0.011)),
            "yolo is more accurate than detr: AP 0.529 against 0.501, 0.028 more (0.011–0.045).",
        ),
        (
            difference(0.529, 0.511, (-0.020, 0.056)),
            "Which is more accurate is not decided on these 24 images; about 300 would. "
            "detr is ahead: AP 0.529 against 0.511, 0.018 more (−0.020 to 0.056).",
        ),
        (
            difference(0.529, 0.511, (-0.001, 0.037), needed=26),
            "Which is more accurate is not decided on these 24 images; a few more would. "
            "detr is ahead: AP 0.529 against 0.511, 0.018 more (−0.001 to 0.037).",
        ),
        (
            difference(0.5290001, 0.529, (-0.020, 0.020), needed=None),
            "Which is more accurate is not decided on these 24 images; more than a million would be needed. "
            "detr is ahead: AP 0.529 against 0.529, 0.000 more (−0.020 to 0.020).",
        ),
        (
            difference(0.529, 0.501, (0.0003, 0.045)),
            "detr is more accurate than yolo: AP 0.529 against 0.501, 0.028 more (0.0003–0.0450).",
        ),
        (
            difference(0.5, 0.5, (0.0, 0.0), needed=None),
            "detr and yolo are equally accurate on these 24 images: AP 0.500 against 0.500.",
        ),
        (
            difference(0.6, 0.5, (NAN, NAN), images=1, needed=None),
            "Which is more accurate is not decided on this image; one says nothing about others. "
            "detr is ahead: AP 0.600 against 0.500, 0.100 more (interval unknown).",
        ),
        (
            difference(NAN, NAN, (NAN, NAN), needed=None),
            "Which of detr and yolo is more accurate cannot be said: these images show no object.",
        ),
        (
            difference(0.529, 0.501, (0.002, 0.054), needed=40, doubtful=True),
            "Which is more accurate is not decided beyond doubt on these 24 images; about 40 would. "
            "detr is ahead: AP 0.529 against 0.501, 0.028 more (0.002–0.054).",
        ),
        (
            difference(0.6, 0.5, (0.05, 0.15), class_name="bus"),
            "detr is more accurate than yolo on bus: AP 0.600 against 0.500, 0.100 more (0.050–0.150).",
        ),
        (
            difference(0.6, 0.5, (-0.05, 0.25), images=14, needed=90, class_name="bus"),
            "Which is more accurate on bus is not decided on the 14 images that show it; about 100 would. "
            "detr is ahead: AP 0.600 against 0.500, 0.100 more (−0.050 to 0.250).",
        ),
        (
            difference(0.6, 0.5, (NAN, NAN), images=1, needed=None, class_name="bus"),
            "Which is more accurate on bus is not decided on the one image that shows it; one says nothing about "
            "others. detr is ahead: AP 0.600 against 0.500, 0.100 more (interval unknown).",
        ),
        (
            difference(0.5, 0.5, (0.0, 0.0), images=14, needed=None, class_name="bus"),
            "detr and yolo are equally accurate on bus, on the 14 images that show it: AP 0.500 against 0.500.",
        ),
        (
            difference(NAN, NAN, (NAN, NAN), needed=None, class_name="bus"),
            "Which of detr and yolo is more accurate cannot be said: these images show no bus.",
        ),
    ],
)
def test_accuracy(given: PairedDifference, sentence: str) -> None:
    assert describe_accuracy("detr", "yolo", given) == sentence


def test_classes() -> None:
    def by_class(name: str, gain: float, decided: bool = True) -> PairedDifference:
        interval = (gain - 0.01, gain + 0.01) if decided else (gain - 1, gain + 1)
        return difference(0.5 + gain, 0.5, interval, class_name=name)

    few = [by_class("bus", 0.12), by_class("tie", -0.08), by_class("dog", 0.05), by_class("cat", 0.3, decided=False)]
    assert describe_classes("detr", "yolo", few) == (
        "detr is more accurate on bus (+0.120) and dog (+0.050); yolo is more accurate on tie (+0.080)."
    )
    many = [by_class(f"c{i}", 0.1 + i / 1000) for i in range(80)]
    assert describe_classes("detr", "yolo", many) == (
        "detr is more accurate on c79 (+0.179), c78 (+0.178), c77 (+0.177) and 77 more. "
        "Of 80 classes, about 1 would seem to differ by chance."
    )
    assert describe_classes("detr", "yolo", few[3:]) == "No difference on a single class is decided (1 class)."


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (
            PairAgreement("detr", "yolo", 1200, 200, 100, 0.889, 0.851, 0.921, ()),
            "detr and yolo both have 1,200 of 1,500 boxes, detr alone 200, yolo alone 100: "
            "agreement 0.889 (0.851–0.921). Who is right, only ground truth tells.",
        ),
        (
            PairAgreement("detr", "yolo", 1, 0, 0, 1.0, NAN, NAN, ()),
            "detr and yolo both have 1 of 1 box, detr alone 0, yolo alone 0: "
            "agreement 1.000. Who is right, only ground truth tells.",
        ),
        (
            PairAgreement("detr", "yolo", 0, 0, 0, NAN, NAN, NAN, ()),
            "Neither detr nor yolo finds anything in these images.",
        ),
    ],
)  # fmt: skip
def test_agreement(pair: PairAgreement, sentence: str) -> None:
    assert describe_agreement(pair) == sentence


DETR = Candidate("detr", 103.4, 640.0, 0.529)
YOLO = Candidate("yolo", 43.1, 310.0, 0.395)


@pytest.mark.parametrize(
    ("candidates", "budget", "sentence"),
    [
        ([DETR, YOLO], Budget(50, "ms"), "Within 50 ms, deploy yolo: 43.1 ms, AP 0.395."),
        ([DETR, YOLO], Budget(200, "ms"), "Within 200 ms, deploy detr: 103 ms, AP 0.529."),
        ([DETR, YOLO], Budget(500, "MB"), "Within 500 MB, deploy yolo: 310 MB, AP 0.395."),
        ([DETR, YOLO], Budget(33.3, "ms"), "No model fits into 33.3 ms; yolo takes least, 43.1 ms."),
        (
            [Candidate("detr", 103.4, 640.0), Candidate("yolo", 43.1, 310.0)],
            Budget(200, "ms"),
            "detr (103 ms) and yolo (43.1 ms) fit into 200 ms; which is most accurate is unknown without ground truth.",
        ),
        ([], Budget(50, "ms"), "There is no model to fit into 50 ms."),
    ],
)
def test_budget(candidates: list[Candidate], budget: Budget, sentence: str) -> None:
    assert describe_budget(candidates, budget) == sentence


def test_a_budget_on_times_that_are_not_to_be_trusted_says_so() -> None:
    text = describe_budget([DETR, YOLO], Budget(33.3, "ms"), "rounds differ by 30%")
    assert text.endswith("takes least, 43.1 ms. These timings are not to be trusted: rounds differ by 30%.")


def test_errors() -> None:
    none = ErrorCost(0, 0.0)
    breakdown = ErrorBreakdown(
        0.6, none, ErrorCost(9, 0.08), none, none, ErrorCost(2, 0.01), ErrorCost(7, 0.12), none, none
    )
    assert describe_errors("detr", breakdown) == (
        "detr loses most to missed objects (0.120 AP50) and boxes that fit badly (0.080 AP50)."
    )
    perfect = ErrorBreakdown(1.0, none, none, none, none, none, none, none, none)
    assert describe_errors("detr", perfect) == "detr makes no error that costs AP50."


@pytest.mark.parametrize(
    ("count", "error", "over", "sentence"),
    [
        (
            50, 0.12, 0.1,
            "detr promises too much: its scores lie 0.100 above the share that is right (calibration error 0.120).",
        ),
        (
            50, 0.12, -0.1,
            "detr promises too little: its scores lie 0.100 below the share that is right (calibration error 0.120).",
        ),
        (50, 0.03, 0.01, "detr's scores can be taken as they are: calibration error 0.030, 0.020 by chance alone."),
        (0, NAN, NAN, "detr finds nothing above score 0.250, so its scores cannot be judged."),
    ],
)  # fmt: skip
def test_calibration(count: int, error: float, over: float, sentence: str) -> None:
    assert describe_calibration("detr", Calibration(0.5, 0.25, count, error, 0.02, 0.04, over, ())) == sentence
