"""The error breakdown is TIDE's own, on random scenes and on scenes with one known error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from detectattn.evaluation.align import align_predictions
from detectattn.evaluation.error_breakdown import compute_error_breakdown, compute_errors_of
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.results import ErrorBreakdown
from detectattn.types import Detections, Prediction

KINDS = {
    "classification": "Cls",
    "localisation": "Loc",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
}


@pytest.fixture
def tidecv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """TIDE's own package, without its plots and its downloads, which need much that it does not measure with."""
    plotting = ModuleType("tidecv.plotting")
    plotting.Plotter = object  # type: ignore[attr-defined]  # a stand-in for a module
    monkeypatch.setitem(sys.modules, "tidecv.plotting", plotting)
    monkeypatch.setitem(sys.modules, "tidecv.datasets", ModuleType("tidecv.datasets"))
    package = pytest.importorskip("tidecv", reason="tidecv is not installed")
    yield package
    for name in [n for n in sys.modules if n.split(".")[0] == "tidecv"]:
        sys.modules.pop(name)


def to_images(scene: Any) -> list[tuple[ImageTruth, Detections]]:
    """A COCO scene as truth and detections of each image."""
    images = []
    for image in scene.truth["images"]:
        objects = [a for a in scene.truth["annotations"] if a["image_id"] == image["id"]]
        found = [d for d in scene.detections if d["image_id"] == image["id"]]
        found.sort(key=lambda d: -d["score"])
        images.append((make_truth(objects), make_detections(found)))
    return images


def make_truth(objects: list[dict[str, Any]]) -> ImageTruth:
    box = np.array([a["bbox"] for a in objects], np.float64).reshape(-1, 4)
    return ImageTruth(
        size_hw=(200, 200),
        xyxy=np.hstack([box[:, :2], box[:, :2] + box[:, 2:]]).astype(np.float32),
        class_index=np.array([a["category_id"] - 1 for a in objects], np.int32),
        crowd=np.array([a["iscrowd"] for a in objects], bool),
        ignored=np.zeros(len(objects), bool),
        area=box[:, 2] * box[:, 3],
    )


def make_detections(found: list[dict[str, Any]]) -> Detections:
    box = np.array([d["bbox"] for d in found], np.float64).reshape(-1, 4)
    return Detections(
        xyxy=np.hstack([box[:, :2], box[:, :2] + box[:, 2:]]).astype(np.float32),
        score=np.array([d["score"] for d in found], np.float32),
        class_id=np.array([d["category_id"] - 1 for d in found], np.int32),
    )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("crowds", [False, True])
def test_equals_tide(tidecv: Any, coco_scene: Any, seed: int, crowds: bool) -> None:
    scene = coco_scene(seed, images=14, classes=4, crowds=crowds)
    truth, found = tidecv.Data("truth"), tidecv.Data("found")
    for annotation in scene.truth["annotations"]:
        add = truth.add_ignore_region if annotation["iscrowd"] else truth.add_ground_truth
        add(annotation["image_id"], annotation["category_id"], annotation["bbox"])
    for image in scene.truth["images"]:
        truth.add_image(image["id"], str(image["id"]))
    for d in scene.detections:
        found.add_detection(d["image_id"], d["category_id"], d["score"], d["bbox"])
    tide = tidecv.TIDE()
    run = tide.evaluate(truth, found, mode=tidecv.TIDE.BOX)

    breakdown = compute_error_breakdown(to_images(scene), 4)

    main, special = tide.get_main_errors()["found"], tide.get_special_errors()["found"]
    counts = {kind.short_name: count for kind, count in run.count_errors().items()}
    assert breakdown.ap50 == pytest.approx(run.ap / 100, abs=1e-6)
    for ours, theirs in KINDS.items():
        cost = getattr(breakdown, ours)
        assert (ours, cost.count) == (ours, counts[theirs])
        assert cost.ap_lost == pytest.approx(main[theirs] / 100, abs=1e-6), ours
    assert breakdown.false_positives.ap_lost == pytest.approx(special["FalsePos"] / 100, abs=1e-6)
    assert breakdown.false_negatives.ap_lost == pytest.approx(special["FalseNeg"] / 100, abs=1e-6)


OBJECT = {"bbox": [10.0, 10.0, 40.0, 40.0], "category_id": 1, "iscrowd": 0}
OTHER = {"bbox": [120.0, 120.0, 40.0, 40.0], "category_id": 2, "iscrowd": 0}


def judge(found: list[tuple[list[float], int, float]], objects: list[dict[str, Any]] | None = None) -> ErrorBreakdown:
    rows = [{"bbox": box, "category_id": category, "score": score} for box, category, score in found]
    return compute_error_breakdown([(make_truth(objects or [OBJECT, OTHER]), make_detections(rows))], 2)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        pytest.param([([10, 10, 40, 40], 2, 0.9)], "classification", id="another class"),
        pytest.param([([30, 30, 40, 40], 1, 0.9)], "localisation", id="beside it"),
        pytest.param([([30, 30, 40, 40], 2, 0.9)], "both", id="beside it, as another class"),
        pytest.param([([10, 10, 40, 40], 1, 0.9), ([11, 10, 40, 40], 1, 0.8)], "duplicate", id="twice"),
        pytest.param([([80, 10, 20, 20], 1, 0.9)], "background", id="nothing there"),
    ],
)
def test_one_error_is_of_its_kind(found: Any, kind: str) -> None:
    breakdown = judge(found)
    counts = {name: getattr(breakdown, name).count for name in KINDS if name != "missed"}
    assert counts == dict.fromkeys(counts, 0) | {kind: 1}


def test_an_object_that_a_better_box_would_find_is_not_missed() -> None:
    assert judge([([30, 30, 40, 40], 1, 0.9)]).missed.count == 1
    assert judge([]).missed.count == 2


def test_perfect_detections_lose_nothing() -> None:
    breakdown = judge([([10, 10, 40, 40], 1, 0.9), ([120, 120, 40, 40], 2, 0.9)])
    assert breakdown.ap50 == pytest.approx(1)
    assert sum(getattr(breakdown, kind).ap_lost for kind in KINDS) == 0


def test_classes_that_the_truth_does_not_know_are_left_out() -> None:
    assert judge([([10, 10, 40, 40], 7, 0.9)]).background.count == 0


def test_no_images() -> None:
    assert compute_error_breakdown([], 2).ap50 == 0


def test_records_set_beside_ground_truth_give_the_same(coco_scene: Any) -> None:
    images = to_images(coco_scene(3, images=14, classes=4))
    names = tuple(f"class {c}" for c in range(4))
    truth = GroundTruth(names, {(f"{i}.jpg", 0): image for i, (image, _) in enumerate(images)})
    records = [Prediction(f"{i}.jpg", 0, (200, 200), d, "m", dict(enumerate(names))) for i, (_, d) in enumerate(images)]
    # The order of records plays no part, and a record of another picture is not judged.
    other = Prediction("other.jpg", 0, (200, 200), images[0][1], "m", dict(enumerate(names)))
    breakdown = compute_errors_of(truth, align_predictions(truth, [*records[::-1], other]))
    assert breakdown == compute_error_breakdown(images, 4)
