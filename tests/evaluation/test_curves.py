"""Curves, operating points and confusion say what a threshold buys."""

import numpy as np
import pytest

from detectattn.evaluation.align import align_predictions
from detectattn.evaluation.average_precision import compute_average_precision, mean_ap50
from detectattn.evaluation.curves import (
    compute_confusion,
    compute_operating_point,
    compute_precision_recall,
    cut_table,
    find_best_f1,
    find_equal_precision,
    find_precision,
)
from detectattn.evaluation.match_table import build_match_table
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.results import MatchTable
from detectattn.types import Detections, Prediction


def table_of(right, scores, truths, ignored=None):
    """One class in one image."""
    right = np.tile(np.array(right, bool), (10, 1))
    none = np.zeros_like(right) if ignored is None else np.tile(np.array(ignored, bool), (10, 1))
    n = len(scores)
    return MatchTable(
        ("cat",), np.zeros(n, np.int32), np.zeros(n, np.int32), np.array(scores, np.float32), right, none,
        np.array([[truths]], np.int32),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("t", "iou"), [(0, 0.5), (5, 0.75), (8, 0.9)])
def test_curves_are_those_of_pycocotools(judged_scene, seed, t, iou):
    scene = judged_scene(seed, images=20)
    table = build_match_table(scene.truth, scene.predictions)
    curves = compute_precision_recall(table, iou)
    reference = scene.evaluate().eval
    count = len(table.class_names)
    assert curves.class_precision == pytest.approx(reference["precision"][t, :, :count, 0, 2].T, abs=1e-9)
    scores = reference["scores"][t, :, :count, 0, 2].T
    reached = ~np.isnan(curves.class_score)
    # Recall 0 is reached by the first detection that counts; pycocotools takes an ignored one too.
    above_0 = reached & (curves.recall > 0)
    assert curves.class_score[above_0] == pytest.approx(scores[above_0], abs=1e-6)
    assert (scores[~reached] == 0).all()
    if t == 0:
        assert curves.precision.mean() == pytest.approx(mean_ap50(compute_average_precision(table)), abs=1e-6)


def test_only_cocos_ious_have_curves():
    with pytest.raises(ValueError, match="one of"):
        compute_precision_recall(table_of([], [], 1), 0.52)


def test_an_operating_point_counts_right_wrong_and_missed():
    table = table_of([1, 0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6, 0.5], 4, ignored=[0, 0, 0, 1, 0])
    point = compute_operating_point(table, 0.6)
    assert (point.precision, point.recall, point.f1) == pytest.approx((2 / 3, 2 / 4, 4 / 7))
    nothing = compute_operating_point(table, 0.95)
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.ap50_95) == (1, 0, 0, 0)


@pytest.mark.parametrize("seed", range(10))
def test_best_f1_is_the_best_of_all_thresholds(judged_scene, seed):
    scene = judged_scene(seed, whole=seed % 2 == 0)
    table = build_match_table(scene.truth, scene.predictions)
    best = find_best_f1(table)
    points = [compute_operating_point(table, score) for score in np.unique(table.score).tolist()]
    assert best.f1 == max(point.f1 for point in points)
    assert best.score == max(point.score for point in points if point.f1 == best.f1)


@pytest.mark.parametrize("seed", range(10))
def test_of_the_thresholds_that_are_precise_enough_the_one_that_finds_most(judged_scene, seed):
    scene = judged_scene(seed)
    table = build_match_table(scene.truth, scene.predictions)
    points = [compute_operating_point(table, score) for score in np.unique(table.score).tolist()]
    for precision in (0.1, 0.3, 0.5, 1.0):
        found = find_precision(table, precision)
        good = [point for point in points if point.precision >= precision and point.recall > 0]
        assert (found is None) == (not good)
        if found is not None:
            assert found.recall == max(point.recall for point in good)
            assert found.precision >= precision


def test_equal_precision_is_one_that_every_model_reaches():
    tables = {
        "good": table_of([1, 1, 1, 0], [0.9, 0.8, 0.7, 0.6], 3),
        "poor": table_of([0, 1, 1, 0], [0.9, 0.8, 0.7, 0.6], 3),
    }
    precision, points = find_equal_precision(tables)
    assert precision == pytest.approx(2 / 3)
    assert {name: (point.score, point.recall) for name, point in points.items()} == {
        "good": (pytest.approx(0.7), 1),
        "poor": (pytest.approx(0.7), pytest.approx(2 / 3)),
    }
    _, wanted = find_equal_precision(tables, 0.9)
    assert wanted["poor"] is None
    assert wanted["good"].score == pytest.approx(0.7)
    assert find_equal_precision({"none": table_of([0], [0.5], 3)}) == (None, {"none": None})


def test_matches_do_not_depend_on_what_is_cut_off(judged_scene):
    scene = judged_scene(5, images=30)
    whole = cut_table(build_match_table(scene.truth, scene.predictions), 0.5)
    cut = []
    for prediction in scene.predictions:
        found = prediction.detections.take(prediction.detections.score >= 0.5)
        cut.append(Prediction(prediction.source, 0, prediction.size_hw, found, "m", prediction.class_names))
    again = build_match_table(scene.truth, cut)
    assert (whole.matched == again.matched).all()
    assert (whole.ignored == again.ignored).all()


NAMES = ("cat", "dog")


def confuse(objects, detections, score=0.25, crowd=()):
    """Objects as (class, box), detections as (class, score, box); the matrix as nested lists."""
    boxes = np.array([box for _, box in objects], np.float32).reshape(-1, 4)
    n = len(boxes)
    image = ImageTruth(
        (100, 100), boxes, np.array([NAMES.index(c) for c, _ in objects], np.int32),
        np.array([i in crowd for i in range(n)], bool), np.zeros(n, bool), np.full(n, 100.0),
    )  # fmt: skip
    truth = GroundTruth(NAMES, {("a.jpg", 0): image})
    found = Detections(
        np.array([box for *_, box in detections], np.float32).reshape(-1, 4),
        np.array([s for _, s, _ in detections], np.float32),
        np.array([NAMES.index(c) for c, *_ in detections], np.int32),
    )
    prediction = Prediction("a.jpg", 0, (100, 100), found, "m", dict(enumerate(NAMES)))
    matrix = compute_confusion(truth, align_predictions(truth, [prediction]), score)
    assert matrix.class_names == NAMES
    return matrix.counts.tolist()


A, B, FAR = [0, 0, 20, 20], [0, 0, 20, 18], [60, 60, 90, 90]


def test_right_missed_confused_and_invented():
    objects = [("cat", A), ("dog", FAR)]
    assert confuse(objects, [("cat", 0.9, A), ("dog", 0.8, FAR)]) == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert confuse(objects, [("cat", 0.9, A), ("cat", 0.8, FAR)]) == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert confuse(objects, [("cat", 0.9, A)]) == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert confuse(objects, [("cat", 0.9, A), ("cat", 0.8, A), ("dog", 0.7, FAR)])[2] == [1, 0, 0]
    assert confuse(objects, [("cat", 0.2, A), ("dog", 0.1, FAR)]) == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_the_right_class_goes_before_a_better_overlap():
    objects = [("cat", A), ("dog", FAR)]
    assert confuse(objects, [("dog", 0.9, A), ("cat", 0.5, B)]) == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_crowds_are_left_aside():
    objects = [("cat", A), ("dog", FAR)]
    assert confuse(objects, [("cat", 0.9, A), ("cat", 0.8, B)], crowd=(0,)) == [[0, 0, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("seed", range(6))
def test_the_matrix_adds_up(judged_scene, seed):
    scene = judged_scene(seed, images=25, ignore=0.3)
    aligned = align_predictions(scene.truth, scene.predictions)
    table = build_match_table(scene.truth, scene.predictions)
    counts = compute_confusion(scene.truth, aligned, 0.35).counts
    cut = cut_table(table, 0.35)
    # Rows are objects, columns detections that count; the diagonal is what the operating point calls right.
    assert counts[:-1].sum(axis=1).tolist() == scene.truth.count_objects().sum(axis=0).tolist()
    kept = np.bincount(cut.class_index[~cut.ignored[0]], minlength=len(scene.truth.class_names))
    assert counts[:, :-1].sum(axis=0).tolist() == kept.tolist()
    assert np.trace(counts) == cut.matched[0].sum()
