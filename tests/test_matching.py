from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectattn.boxes import compute_iou
from detectattn.matching import match_boxes
from detectattn.types import Detections


def detections(*boxes, classes=None):
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    class_id = np.zeros(len(boxes), np.int32) if classes is None else np.array(classes, np.int32)
    return Detections(xyxy, np.linspace(0.9, 0.5, len(boxes), dtype=np.float32), class_id)


def test_pairs_the_largest_overlap_first_and_tells_what_is_left():
    a = detections([0, 0, 10, 10], [100, 0, 110, 10], [2, 0, 12, 10])
    b = detections([200, 0, 210, 10], [2, 0, 12, 10], [101, 0, 111, 10])
    matches = match_boxes(a, b, 0.5)
    assert matches.pairs.tolist() == [[1, 2], [2, 1]]
    assert matches.iou.tolist() == [np.float32(9 / 11), 1.0]
    assert matches.only_a.tolist() == [0]
    assert matches.only_b.tolist() == [0]


def test_threshold_is_inclusive():
    a, b = detections([0, 0, 10, 10]), detections([0, 0, 10, 5])
    assert len(match_boxes(a, b, 0.5).pairs) == 1
    assert len(match_boxes(a, b, 0.51).pairs) == 0


def test_boxes_apart_never_pair():
    a, b = detections([0, 0, 10, 10]), detections([50, 0, 60, 10])
    assert len(match_boxes(a, b, 0.0).pairs) == 0


def test_classes_part_the_pairs_unless_told_otherwise():
    a, b = detections([0, 0, 10, 10], classes=[3]), detections([0, 0, 10, 10], classes=[4])
    apart = match_boxes(a, b)
    assert (len(apart.pairs), apart.only_a.tolist(), apart.only_b.tolist()) == (0, [0], [0])
    assert match_boxes(a, b, same_class=False).pairs.tolist() == [[0, 0]]


def test_nothing_against_something():
    a, b = Detections.empty(), detections([0, 0, 10, 10])
    for first, second, only_a, only_b in [(a, b, [], [0]), (b, a, [0], []), (a, a, [], [])]:
        matches = match_boxes(first, second)
        assert matches.pairs.shape == (0, 2)
        assert matches.pairs.dtype == matches.only_a.dtype == matches.only_b.dtype == np.int32
        assert (matches.only_a.tolist(), matches.only_b.tolist()) == (only_a, only_b)


boxes = st.lists(st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 12)] * 2, st.integers(0, 1)), max_size=8)


def from_drawn(drawn):
    corners = [(x, y, x + w, y + h) for x, y, w, h, _ in drawn]
    return detections(*corners, classes=[c for *_, c in drawn])


@given(boxes, boxes, st.sampled_from([0.0, 0.3, 0.5]), st.booleans())
def test_a_matching_is_one_to_one_complete_and_maximal(drawn_a, drawn_b, iou_threshold, same_class):
    a, b = from_drawn(drawn_a), from_drawn(drawn_b)
    matches = match_boxes(a, b, iou_threshold, same_class)
    rows_a, rows_b = matches.pairs[:, 0].tolist(), matches.pairs[:, 1].tolist()
    assert sorted(rows_a + matches.only_a.tolist()) == list(range(len(a)))
    assert sorted(rows_b + matches.only_b.tolist()) == list(range(len(b)))
    iou = compute_iou(a.xyxy, b.xyxy)
    assert matches.iou.tolist() == [iou[i, j] for i, j in matches.pairs.tolist()]
    # Greedy: a pair that could have been made lost one of its rows to a pair that overlaps at least as much.
    paired_iou_a, paired_iou_b = (
        dict(zip(rows_a, matches.iou, strict=True)),
        dict(zip(rows_b, matches.iou, strict=True)),
    )
    for i, j in np.argwhere(iou > 0).tolist():
        if iou[i, j] >= iou_threshold and (not same_class or a.class_id[i] == b.class_id[j]):
            assert max(paired_iou_a.get(i, 0), paired_iou_b.get(j, 0)) >= iou[i, j]
