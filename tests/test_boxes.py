from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detectattn.boxes import (
    clip_boxes,
    compute_area,
    compute_iou,
    ltwh_to_xyxy,
    suppress,
    suppress_by_class,
    xywh_to_xyxy,
    xyxy_to_ltwh,
    xyxy_to_xywh,
)


def f32(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def random_boxes(count, objects, seed, spread=6.0):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(20, 600, (objects, 4))
    centres[:, 2:] = rng.uniform(10, 150, (objects, 2))
    xywh = centres[rng.integers(0, objects, count)] + rng.normal(0, spread, (count, 4))
    xywh[:, 2:] = np.abs(xywh[:, 2:])
    return xywh_to_xyxy(xywh.astype(np.float32)), rng.random(count).astype(np.float32)


def naive_iou(a, b):
    """One pair at a time, in float32, by the definition."""
    width = np.float32(max(min(a[2], b[2]) - max(a[0], b[0]), 0))
    height = np.float32(max(min(a[3], b[3]) - max(a[1], b[1]), 0))
    shared = width * height
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    union = area[0] + area[1] - shared
    return shared / union if union > 0 else np.float32(0)


def naive_suppress(xyxy, score, class_id, iou_threshold, max_keep):
    kept = []
    for row in sorted(range(len(score)), key=lambda r: (-score[r], r)):
        rivals = [k for k in kept if class_id[k] == class_id[row]]
        if all(naive_iou(xyxy[k], xyxy[row]) <= np.float32(iou_threshold) for k in rivals):
            kept.append(row)
    return kept[:max_keep]


@pytest.mark.parametrize(
    ("to", "back", "xyxy", "other"),
    [
        (xyxy_to_xywh, xywh_to_xyxy, f32([10, 20, 30, 60]), f32([20, 40, 20, 40])),
        (xyxy_to_ltwh, ltwh_to_xyxy, f32([10, 20, 30, 60]), f32([10, 20, 20, 40])),
        (xyxy_to_xywh, xywh_to_xyxy, f32(), f32()),
        (xyxy_to_ltwh, ltwh_to_xyxy, f32(), f32()),
    ],
)
def test_forms_convert_both_ways_and_stay_float32(to, back, xyxy, other):
    assert to(xyxy).tolist() == other.tolist()
    assert back(other).tolist() == xyxy.tolist()
    assert to(xyxy).dtype == back(other).dtype == np.float32
    assert to(xyxy).shape == xyxy.shape


# Quarters are exact in float32 (and so are their halves), so the conversions must be exact too.
quarters = st.integers(-40_000, 40_000).map(lambda n: n / 4)


@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 8), st.just(4)), elements=quarters))
def test_forms_round_trip(boxes):
    assert np.array_equal(xywh_to_xyxy(xyxy_to_xywh(boxes)), boxes)
    assert np.array_equal(ltwh_to_xyxy(xyxy_to_ltwh(boxes)), boxes)


def test_clip_cuts_at_the_edges_and_leaves_its_input_alone():
    boxes = f32([-5, -1, 50, 20], [90, 10, 130, 300], [1, 2, 3, 4])
    clipped = clip_boxes(boxes, (200, 100))
    assert clipped.tolist() == [[0, 0, 50, 20], [90, 10, 100, 200], [1, 2, 3, 4]]
    assert clipped.dtype == np.float32
    assert boxes[0, 0] == -5


def test_area():
    assert compute_area(f32([0, 0, 4, 3], [1, 1, 1, 9], [5, 5, 2, 9])).tolist() == [12, 0, 0]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1),
        ([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3),
        ([0, 0, 10, 10], [2, 2, 4, 4], 0.04),
        ([0, 0, 10, 10], [10, 0, 20, 10], 0),
        ([0, 0, 10, 10], [30, 30, 40, 40], 0),
        ([3, 3, 3, 3], [3, 3, 3, 3], 0),
    ],
    ids=["same", "half", "inside", "touching", "apart", "no area"],
)
def test_iou_of_a_pair(a, b, expected):
    iou = compute_iou(f32(a), f32(b))
    assert iou.dtype == np.float32
    assert iou[0, 0] == pytest.approx(expected, abs=1e-6)


def test_iou_is_a_table_of_all_pairs():
    a, _ = random_boxes(7, 3, seed=0)
    b, _ = random_boxes(5, 3, seed=0)
    table = compute_iou(a, b)
    assert table.shape == (7, 5)
    assert table == pytest.approx(np.array([[naive_iou(x, y) for y in b] for x in a]), abs=1e-6)
    assert compute_iou(a, f32()).shape == (7, 0)


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(0, 60),
    objects=st.integers(1, 6),
    seed=st.integers(0, 10_000),
    levels=st.sampled_from([3, 1000]),
    iou_threshold=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]),
    max_keep=st.sampled_from([1, 5, 300]),
    classes=st.integers(1, 3),
)
def test_suppression_equals_the_definition(count, objects, seed, levels, iou_threshold, max_keep, classes):
    xyxy, score = random_boxes(count, objects, seed)
    score = np.round(score * levels) / np.float32(levels)  # few levels: many ties
    class_id = np.random.default_rng(seed).integers(0, classes, count)
    one_class = np.zeros(count, np.int64)
    assert suppress(xyxy, score, iou_threshold, max_keep).tolist() == naive_suppress(
        xyxy, score, one_class, iou_threshold, max_keep
    )
    assert suppress_by_class(xyxy, score, class_id, iou_threshold, max_keep).tolist() == naive_suppress(
        xyxy, score, class_id, iou_threshold, max_keep
    )


def test_suppression_across_blocks_equals_the_definition():
    # Far more candidates than one block of the ranking holds.
    xyxy, score = random_boxes(1500, 25, seed=4)
    expected = naive_suppress(xyxy, score, np.zeros(1500), 0.6, 10_000)
    assert len(expected) > 100
    assert suppress(xyxy, score, 0.6, 10_000).tolist() == expected
    assert suppress(xyxy, score, 0.6, 40).tolist() == expected[:40]


def test_suppression_drops_only_strictly_more_overlap():
    boxes = f32([0, 0, 10, 10], [0, 0, 10, 5])  # IoU exactly one half
    score = np.array([0.9, 0.8], np.float32)
    assert suppress(boxes, score, 0.5, 10).tolist() == [0, 1]
    assert suppress(boxes, score, 0.49, 10).tolist() == [0]


def test_suppression_of_nothing():
    kept = suppress(f32(), np.zeros(0, np.float32), 0.5, 10)
    assert kept.shape == (0,)
    assert kept.dtype == np.intp


def test_suppression_equals_ultralytics(monkeypatch, tmp_path):
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("YOLO_OFFLINE", "1")
    torch = pytest.importorskip("torch")
    from ultralytics.utils.nms import TorchNMS

    for seed, iou_threshold in [(0, 0.3), (1, 0.5), (2, 0.7)]:
        xyxy, score = random_boxes(2000, 60, seed)
        theirs = TorchNMS.nms(torch.from_numpy(xyxy), torch.from_numpy(score), iou_threshold).tolist()
        assert len(theirs) > 60
        assert suppress(xyxy, score, iou_threshold, len(score)).tolist() == theirs
