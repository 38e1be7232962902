"""The match table is COCO's matching: AP from it is pycocotools'."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from detectattn.api import Model
from detectattn.classes import COCO_NAMES
from detectattn.evaluation.average_precision import class_ap, compute_average_precision, mean_ap, mean_ap50
from detectattn.evaluation.coco_metrics import compute_accuracy
from detectattn.evaluation.match_table import build_match_table
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.evaluation.truth_yolo import load_yolo
from detectattn.types import Detections, Prediction


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("whole", [True, False], ids=["ties", "no ties"])
def test_average_precision_equals_pycocotools(judged_scene, seed, whole):
    scene = judged_scene(seed, images=15, whole=whole, ignore=(seed % 3) * 0.25, density=4 + seed)
    table = build_match_table(scene.truth, scene.predictions)
    ap = compute_average_precision(table)
    reference = scene.evaluate()
    assert mean_ap(ap) == pytest.approx(reference.stats[0], abs=1e-6)
    assert mean_ap50(ap) == pytest.approx(reference.stats[1], abs=1e-6)
    per_class = reference.eval["precision"][:, :, :, 0, 2].mean(axis=(0, 1))
    present = [scene.truth.class_names.index(name) for name in table.class_names]
    assert class_ap(ap) == pytest.approx(per_class[present], abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_every_detection_is_matched_as_pycocotools_matches_it(judged_scene, seed):
    scene = judged_scene(100 + seed, images=25, ignore=0.4)
    table = build_match_table(scene.truth, scene.predictions)
    reference = scene.evaluate()
    images = len(scene.truth.images)
    compared = 0
    for k, name in enumerate(table.class_names):
        for i in range(images):
            found = reference.evalImgs[k * 4 * images + i]
            rows = np.flatnonzero((table.image == i) & (table.class_index == k))
            assert scene.truth.class_names[k] == name
            if found is None:
                assert len(rows) == 0
                continue
            assert table.score[rows] == pytest.approx(found["dtScores"])
            ignored = np.asarray(found["dtIgnore"], bool).reshape(10, -1)
            assert (table.ignored[:, rows] == ignored).all()
            assert (table.matched[:, rows] == ((np.asarray(found["dtMatches"]).reshape(10, -1) > 0) & ~ignored)).all()
            assert table.truth_count[i, k] == np.count_nonzero(np.asarray(found["gtIgnore"]) == 0)
            compared += len(rows)
    assert compared > 50


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_equals_faster_coco_eval_on_many_images(judged_scene, seed):
    scene = judged_scene(seed, images=300, classes=6, density=25)
    ap = compute_average_precision(build_match_table(scene.truth, scene.predictions))
    accuracy = compute_accuracy(scene.truth, scene.predictions)
    assert mean_ap(ap) == pytest.approx(accuracy.ap50_95, abs=1e-6)
    assert class_ap(ap) == pytest.approx([c.ap50_95 for c in accuracy.per_class.values()], abs=1e-6)


def image_truth(boxes, crowd=False):
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    n = len(xyxy)
    area = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1).astype(np.float64)
    return ImageTruth((500, 500), xyxy, np.zeros(n, np.int32), np.full(n, crowd), np.zeros(n, bool), area)


def prediction_of(boxes, scores):
    xyxy, score = np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32)
    found = Detections(xyxy, score, np.zeros(len(score), np.int32))
    return Prediction("a.jpg", 0, (500, 500), found, "m", {0: "cat"})


def test_a_detection_takes_the_largest_overlap_that_is_free():
    truth = GroundTruth(("cat",), {("a.jpg", 0): image_truth([[0, 0, 100, 100], [0, 0, 100, 90]])})
    boxes = [[0, 0, 100, 90], [0, 0, 100, 92], [0, 0, 100, 91]]
    table = build_match_table(truth, [prediction_of(boxes, [0.9, 0.8, 0.7])])
    # 0.92 overlaps the other object enough for IoU 0.9, and the third finds none left.
    assert table.matched[:, 0].all()
    assert table.matched[:, 1].tolist() == [True] * 9 + [False]
    assert not table.matched[:, 2].any()
    assert not table.ignored.any()


def test_at_most_100_detections_an_image_and_class():
    truth = GroundTruth(("cat",), {("a.jpg", 0): image_truth([[0, 0, 10, 10]])})
    boxes = [[200, 200, 210, 210]] * 100 + [[0, 0, 10, 10]]
    table = build_match_table(truth, [prediction_of(boxes, np.linspace(0.9, 0.1, 101))])
    assert len(table.score) == 100
    assert not table.matched.any()


def test_thresholds_are_met_exactly_by_whole_pixels():
    truth = GroundTruth(("cat",), {("a.jpg", 0): image_truth([[0, 0, 100, 100]])})
    for part, expected in [(50, 1), (75, 6), (90, 9), (95, 10), (49, 0)]:
        table = build_match_table(truth, [prediction_of([[0, 0, 100, part]], [0.5])])
        assert table.matched[:, 0].sum() == expected, part


def test_an_empty_study_has_a_table():
    table = build_match_table(GroundTruth(("cat",), {("a.jpg", 0): image_truth([])}), [])
    assert table.class_names == ()
    assert table.matched.shape == (10, 0)
    assert table.image_count == 1


def test_crowds_alone_make_no_class():
    truth = GroundTruth(("cat",), {("a.jpg", 0): image_truth([[0, 0, 100, 100]], crowd=True)})
    table = build_match_table(truth, [prediction_of([[0, 0, 50, 50]], [0.5])])
    assert table.class_names == ()
    assert len(table.score) == 0


def test_a_trained_model_on_photographs(shared, tmp_path, judged_scene):
    pytest.importorskip("openvino")
    root = shared / "data" / "coco8"
    config = {"path": str(root), "train": "images/train", "val": "images/val", "names": list(COCO_NAMES)}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(config))
    model = Model(shared / "models" / "yolov8n_int8_openvino_model")
    predictions = [shot.prediction for shot in model.predict(root / "images", conf=0.001, iou=0.7)]
    frames = {(p.source, p.index): p.size_hw for p in predictions}
    truth = place_truth(load_yolo(tmp_path / "data.yaml"), frames, [root / "images"])
    assert (len(truth.images), int(truth.count_objects().sum())) == (8, 30)
    ap = compute_average_precision(build_match_table(truth, predictions))
    accuracy = compute_accuracy(truth, predictions)
    stats = replace(judged_scene(0), truth=truth, predictions=predictions).evaluate().stats
    assert accuracy.detection_count > 100
    assert stats[0] > 0.4, "a trained model finds what is there"
    assert (mean_ap(ap), mean_ap50(ap)) == pytest.approx(stats[:2], abs=1e-6)
    assert (accuracy.ap50_95, accuracy.ap50) == pytest.approx(stats[:2], abs=1e-6)
