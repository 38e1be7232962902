"""COCO's metrics equal pycocotools', whatever the ground truth holds."""

from dataclasses import replace

import numpy as np
import pytest

from detectattn.evaluation.coco_metrics import compute_accuracy
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.types import Detections, Prediction

METRICS = (
    "ap50_95", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
    "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip


def predict(source, boxes, scores, class_name="cat"):
    score = np.array(scores, np.float32)
    found = Detections(np.array(boxes, np.float32).reshape(-1, 4), score, np.zeros(len(score), np.int32))
    return Prediction(source, 0, (100, 100), found, "model", {0: class_name})


def truth_of(boxes_by_image, names=("cat",), **flags):
    images = {}
    for source, boxes in boxes_by_image.items():
        xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        n = len(xyxy)
        images[source, 0] = ImageTruth(
            (100, 100), xyxy, np.zeros(n, np.int32),
            np.full(n, flags.get("crowd", False)), np.full(n, flags.get("ignored", False)),
            np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1).astype(np.float64),
        )  # fmt: skip
    return GroundTruth(tuple(names), images)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("whole", [True, False], ids=["ties", "no ties"])
@pytest.mark.parametrize("ignore", [0.0, 0.4])
def test_equal_pycocotools(judged_scene, seed, whole, ignore):
    scene = judged_scene(seed, whole=whole, ignore=ignore)
    accuracy = compute_accuracy(scene.truth, scene.predictions)
    stats = scene.evaluate().stats
    for name, value in zip(METRICS, stats, strict=True):
        ours = getattr(accuracy, name)
        assert (-1 if ours is None else ours) == pytest.approx(value, abs=1e-6), name
    assert (accuracy.undefined.keys()) == {n for n, v in zip(METRICS, stats, strict=True) if v == -1}


@pytest.mark.parametrize("seed", range(3))
def test_per_class_equals_pycocotools(judged_scene, seed):
    scene = judged_scene(seed, images=30)
    precision = scene.evaluate().eval["precision"]
    per_class = compute_accuracy(scene.truth, scene.predictions).per_class
    # The last class has no object and so no figure.
    assert list(per_class) == list(scene.truth.class_names[:-1])
    for k, values in enumerate(per_class.values()):
        assert values.ap50_95 == pytest.approx(precision[:, :, k, 0, 2].mean(), abs=1e-6)
        assert values.ap50 == pytest.approx(precision[0, :, k, 0, 2].mean(), abs=1e-6)
        large = -1 if values.ap_large is None else values.ap_large
        assert large == pytest.approx(precision[:, :, k, 3, 2].mean(), abs=1e-6)
        assert values.object_count == scene.truth.count_objects()[:, k].sum()


def test_more_detections_than_coco_looks_at(judged_scene):
    scene = judged_scene(3, images=2)
    boxes = np.tile(np.array([[0, 0, 50, 50]], np.float32), (150, 1)) + np.arange(150, dtype=np.float32)[:, None]
    scores = np.linspace(0.9, 0.1, 150).astype(np.float32)
    many = [predict("a.jpg", boxes, scores)]
    truth = truth_of({"a.jpg": [boxes[0], boxes[99], boxes[100], boxes[149]]})
    accuracy = compute_accuracy(truth, many)
    # Of four objects those that only detections after the hundredth fit are out of reach: recall at IoU 0.95.
    assert accuracy.detection_count == 150
    reference = replace(scene, truth=truth, predictions=[replace(many[0], class_names={0: "cat"})]).evaluate()
    assert [getattr(accuracy, n) for n in ("ap50_95", "ar_1", "ar_10", "ar_100")] == pytest.approx(
        [reference.stats[i] for i in (0, 6, 7, 8)], abs=1e-6
    )
    assert accuracy.ar_10 < accuracy.ar_100 < 1


def test_pycocotools_errs_on_annotation_id_0_and_we_do_not(judged_scene):
    scene = judged_scene(1, whole=False, ignore=0, density=3)
    from_one, from_zero = scene.evaluate(), scene.evaluate(first_annotation_id=0)
    assert from_zero.stats[0] < from_one.stats[0], "pycocotools loses the match of annotation 0"
    assert compute_accuracy(scene.truth, scene.predictions).ap50_95 == pytest.approx(from_one.stats[0], abs=1e-6)


def test_a_perfect_detector_reaches_1_and_sizes_without_objects_say_why():
    truth = truth_of({"a.jpg": [[0, 0, 20, 20], [50, 50, 70, 70]], "empty.jpg": []})
    accuracy = compute_accuracy(truth, [predict("a.jpg", [[0, 0, 20, 20], [50, 50, 70, 70]], [0.9, 0.8], "CAT")])
    assert (accuracy.ap50_95, accuracy.ap_small, accuracy.ar_1, accuracy.ar_100) == (1, 1, 0.5, 1)
    assert accuracy.ap_medium is None
    assert accuracy.undefined["ap_medium"] == "no object has an area of 32² to 96² pixels"
    assert set(accuracy.undefined) == {"ap_medium", "ap_large", "ar_medium", "ar_large"}


def test_without_detections_it_is_0_and_without_objects_undefined():
    truth = truth_of({"a.jpg": [[0, 0, 20, 20]]})
    assert compute_accuracy(truth, []).ap50_95 == 0
    assert compute_accuracy(truth, []).missing_count == 1
    nothing = compute_accuracy(truth_of({"a.jpg": []}), [predict("a.jpg", [[0, 0, 9, 9]], [0.5])])
    assert nothing.ap50_95 is None
    assert nothing.undefined["ap50_95"] == "the ground truth has no object to find in these images"
    assert len(nothing.undefined) == 12


def test_false_alarms_on_images_without_objects_lower_precision():
    truth = truth_of({"a.jpg": [[0, 0, 20, 20]], "empty.jpg": []})
    good = predict("a.jpg", [[0, 0, 20, 20]], [0.5])
    alarm = predict("empty.jpg", [[0, 0, 20, 20]], [0.9])
    assert compute_accuracy(truth, [good]).ap50_95 == 1
    assert compute_accuracy(truth, [good, alarm]).ap50_95 == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("flags", "detection", "expected"),
    [
        # A box inside a crowd overlaps it wholly; one inside a difficult object only in part.
        ({"crowd": True}, [10, 10, 20, 20], 1.0),
        ({"ignored": True}, [10, 10, 20, 20], 0.5),
        ({"ignored": True}, [0, 0, 40, 38], 1.0),
    ],
)
def test_crowds_and_difficult_objects(flags, detection, expected):
    images = truth_of({"a.jpg": [[0, 0, 40, 40]]}, **flags).images | truth_of({"b.jpg": [[0, 0, 20, 20]]}).images
    truth = GroundTruth(("cat",), images)
    found = [predict("a.jpg", [detection, detection], [0.9, 0.8]), predict("b.jpg", [[0, 0, 20, 20]], [0.5])]
    accuracy = compute_accuracy(truth, found[:1] + found[1:])
    assert accuracy.object_count == 1
    if expected == 1:
        assert accuracy.ap50 == pytest.approx(1)
    else:
        assert accuracy.ap50 == pytest.approx(1 / 3)


def test_detections_of_classes_without_truth_are_left_out_and_counted():
    truth = truth_of({"a.jpg": [[0, 0, 20, 20]]}, names=("cat", "dog"))
    found = Detections(
        np.array([[0, 0, 20, 20]] * 4, np.float32), np.array([0.9, 0.8, 0.7, 0.6], np.float32),
        np.array([2, 1, 2, 0], np.int32),
    )  # fmt: skip
    prediction = Prediction("a.jpg", 0, (100, 100), found, "m", {0: "cat", 1: "dog", 2: "zebra"})
    elsewhere = predict("b.jpg", [[0, 0, 9, 9]], [0.5])
    accuracy = compute_accuracy(truth, [prediction, elsewhere])
    assert accuracy.ap50_95 == 1
    assert accuracy.left_out == {"zebra": 2, "dog": 1}
    assert (accuracy.detection_count, accuracy.no_truth_count) == (1, 1)
