"""The gate run on detectors whose outputs are written by hand, and on an embedded model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.conversion.gate import GateTruth, judge_gate, run_gate
from detectattn.conversion.gate_limits import MIN_PAIRS
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions, HeadLayout, ModelSpec
from detectattn.engines.detector import Detector
from detectattn.errors import EngineError
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.pipeline import in_time
from detectattn.types import F32, U8, WeightsFile

SIDE = 64
CLASSES = {0: "person", 1: "car"}


class WrittenEngine:
    """Puts out for each picture what ``tell`` says of the brightness of its first pixel, 0 to 255."""

    def __init__(self, tell: Callable[[int], F32], layout: HeadLayout, fixed_batch: int | None) -> None:
        self.spec = ModelSpec("cnn", CLASSES, layout, "stretch", (SIDE, SIDE), 32, "torch", "cpu", "fp32", fixed_batch)
        self.tell = tell
        self.inputs: list[F32] = []

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        self.inputs.append(tensor)
        table = np.stack([self.tell(round(float(planes[0, 0, 0]) * 255)) for planes in tensor])
        if self.spec.layout == "rtdetr_dense":
            return table[..., :4], table[..., 4:]
        return (table.transpose(0, 2, 1),) if self.spec.layout == "yolo_dense" else (table,)

    def close(self) -> None:
        return


def detector(tell: Callable[[int], F32], layout: HeadLayout = "rtdetr_dense", batch: int | None = None) -> Detector:
    return Detector(WrittenEngine(tell, layout, batch), "written", WeightsFile(Path("written"), "", "pt", "local"))


def rows(*scores: float, shift: float = 0.0) -> F32:
    """Rows f32[N, 4 + 2] of an RT-DETR, of class 0, in a line; boxes an eighth of the picture's side."""
    table = np.zeros((len(scores), 6), np.float32)
    table[:, 0] = (np.arange(len(scores)) + 0.5) / len(scores) + shift
    table[:, 1:4] = 0.5, 0.125, 0.125
    table[:, 4] = scores
    return table


def pictures(count: int) -> Iterable[U8]:
    return (np.full((96, 128, 3), number, np.uint8) for number in range(count))


def test_same_outputs_are_equal() -> None:
    model = lambda _: rows(*[0.9] * 8)  # noqa: E731
    done: list[int] = []
    figures = run_gate(detector(model), detector(model), pictures(3), on_picture=done.append)
    assert (figures.picture_count, figures.pair_count, figures.matched_share) == (3, 24, 1.0)
    assert (figures.box_px_p99, figures.score_p99, figures.raw, figures.accuracy) == (0.0, 0.0, None, None)
    assert judge_gate(figures, "fp32") == ()
    assert done == [1, 2, 3]


def test_moved_boxes_are_measured_in_the_networks_pixels() -> None:
    figures = run_gate(
        detector(lambda _: rows(*[0.9] * 8)), detector(lambda _: rows(*[0.85] * 8, shift=1 / SIDE)), pictures(3)
    )
    assert figures.box_px_p50 == pytest.approx(1, abs=1e-3)
    assert figures.score_p50 == pytest.approx(0.05, abs=1e-6)
    assert {violation.split()[0] for violation in judge_gate(figures, "fp32")} == {"boxes", "scores", "one"}


def test_both_models_get_the_same_input_and_a_fixed_batch_is_filled() -> None:
    reference, candidate = detector(lambda _: rows(0.9)), detector(lambda _: rows(0.9), batch=4)
    run_gate(reference, candidate, pictures(2))
    seen, given = reference.engine.inputs, candidate.engine.inputs  # type: ignore[attr-defined]
    assert [tensor.shape[0] for tensor in given] == [4, 4]
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(seen, given, strict=False))


@pytest.mark.parametrize("layout", ["rtdetr_dense", "yolo_dense", "yolo_one2one"])
def test_models_that_find_nothing_are_judged_by_raw_outputs(layout: HeadLayout) -> None:
    def tell(factor: float) -> Callable[[int], F32]:
        return lambda brightness: rows(*(np.linspace(0.02, 0.1, 12) + brightness / 1e4) * factor)

    reference = detector(tell(1.0), layout)
    equal = run_gate(reference, detector(tell(1.0), layout), pictures(6))
    assert equal.raw is not None
    assert (equal.pair_count, equal.raw.picture_count, equal.raw.box_error, equal.raw.score_error) == (0, 4, 0.0, 0.0)
    assert judge_gate(equal, "fp32") == ()
    other = run_gate(reference, detector(tell(0.9), layout), pictures(6))
    assert other.raw is not None
    assert other.raw.score_error == pytest.approx(0.1, rel=1e-3)
    assert len(judge_gate(other, "fp32")) == 1


def test_queries_in_another_order_are_the_same_queries() -> None:
    """Two that score alike swap places between kernels; a YOLO's rows cannot."""
    table = rows(*np.linspace(0.02, 0.1, 12))
    for layout, equal in (("rtdetr_dense", True), ("yolo_one2one", False)):
        figures = run_gate(detector(lambda _: table, layout), detector(lambda _: table[::-1], layout), pictures(2))  # type: ignore[arg-type]
        assert figures.raw is not None
        assert (figures.raw.box_error == 0) is equal


def test_outputs_that_hang_on_rounding_are_no_evidence() -> None:
    """An untrained RT-DETR picks its queries by accident: against itself, with noise, it is as far off."""

    def by_accident() -> Callable[[int], F32]:
        calls = iter(range(1000))
        return lambda _: rows(*[0.05] * 12, shift=0.02 * next(calls))

    figures = run_gate(detector(by_accident()), detector(lambda _: rows(*[0.05] * 12, shift=0.03)), pictures(1))
    assert figures.raw is not None
    assert figures.raw.box_floor > 0
    assert figures.raw.box_error > 0.02
    assert judge_gate(figures, "fp32") == ()


def test_outputs_that_are_no_numbers_do_not_pass() -> None:
    broken = detector(lambda _: np.full((12, 6), np.nan, np.float32))
    assert judge_gate(run_gate(detector(lambda _: rows(*[0.05] * 12)), broken, pictures(2)), "int8")
    assert judge_gate(run_gate(detector(lambda _: rows(*[0.9] * 12)), broken, pictures(4)), "int8")


def test_without_pictures_there_is_nothing_to_pass_on() -> None:
    assert judge_gate(run_gate(detector(lambda _: rows(0.9)), detector(lambda _: rows(0.9)), []), "int8")


def truth_of(count: int) -> GroundTruth:
    """In each picture of 128 × 96 the eight boxes of ``rows``, as persons."""
    left = np.arange(8) * 16.0
    xyxy = np.stack([left, np.full(8, 42.0), left + 16, np.full(8, 54.0)], axis=1).astype(np.float32)
    none = np.zeros(8, np.bool_)
    image = ImageTruth((96, 128), xyxy, np.zeros(8, np.int32), none, none, np.full(8, 192.0))
    return GroundTruth(("person", "car"), {(f"{number}.jpg", 0): image for number in range(count)})


def test_accuracy_is_that_of_the_pictures_the_truth_speaks_of() -> None:
    keys = [("0.jpg", 0), ("unknown.jpg", 0), ("1.jpg", 0)]
    figures = run_gate(
        detector(lambda _: rows(*[0.9] * 8)),
        detector(lambda brightness: rows(*[0.9] * 4, *[0.0] * 4) if brightness == 2 else rows(*[0.9] * 8)),
        pictures(3),
        truth=GateTruth(truth_of(5), keys),
    )
    assert figures.accuracy is not None
    assert (figures.accuracy.picture_count, figures.accuracy.object_count) == (2, 16)
    assert figures.accuracy.reference_ap50_95 == pytest.approx(1)
    assert figures.accuracy.candidate_ap50_95 == pytest.approx(0.75, abs=0.01)
    assert figures.unmatched_count == 4


@pytest.mark.parametrize("count", [1, 3])
def test_truth_of_another_number_of_pictures_is_a_mistake(count: int) -> None:
    model = lambda _: rows(0.9)  # noqa: E731
    with pytest.raises(ValueError, match="2 keys"):
        run_gate(
            detector(model), detector(model), pictures(count),
            truth=GateTruth(truth_of(2), [("0.jpg", 0), ("1.jpg", 0)]),
        )  # fmt: skip


def test_an_embedded_model_equals_itself_and_not_its_twin_of_other_weights(street_images: Path) -> None:
    import cv2

    from detectattn.weights.embedded import embedded_path

    def load() -> Any:
        path = embedded_path("demo-yolo")
        assert path is not None
        return open_detector(WeightsFile(path, "", "safetensors", "embedded"), EngineOptions(device="cpu"))

    reference, candidate = load(), load()
    street = [cv2.imread(str(path)) for path in sorted(street_images.glob("*.jpg"))[:2]]
    equal = run_gate(reference, candidate, street)
    assert equal.pair_count >= MIN_PAIRS
    assert judge_gate(equal, "fp32") == ()
    assert (equal.box_px_p99, equal.score_p99) == (0.0, 0.0)
    for branch in candidate.engine.model.model[-1].cv3:
        branch[2].weight.data.mul_(0.8)
    assert judge_gate(run_gate(reference, candidate, street), "int8")


def test_an_engine_that_hangs_ends_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(_: int) -> F32:
        released.wait(20)
        return rows(0.9)

    monkeypatch.setattr(in_time, "ANSWER_S", 0.1)
    candidate = detector(hang)
    with pytest.raises(EngineError, match="hangs"):
        run_gate(detector(lambda _: rows(0.9)), candidate, pictures(1))
    released.set()
    assert candidate.stalled
