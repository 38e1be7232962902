from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectattn.drawing import place_labels


@st.composite
def scenes(draw):
    height, width = draw(st.integers(1, 900)), draw(st.integers(1, 900))
    n = draw(st.integers(0, 40))
    corners = st.tuples(st.integers(0, width), st.integers(0, height))
    boxes = [
        (*map(min, a, b), *map(max, a, b))
        for a, b in draw(st.lists(st.tuples(corners, corners), min_size=n, max_size=n))
    ]
    sizes = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 40)), min_size=n, max_size=n)
    tiers = draw(st.lists(sizes, min_size=1, max_size=3))
    return (
        to_boxes(boxes),
        [np.array(t, np.int32).reshape(-1, 2) for t in tiers],
        (height, width),
        draw(st.integers(0, 4)),
    )


def to_boxes(rows):
    return np.array(rows, np.int32).reshape(-1, 4)


def sizes_of(n, *tiers):
    return [np.tile(np.array(size, np.int32), (n, 1)) for size in tiers]


def overlap(a, b):
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_labels_touch_their_boxes_and_neither_cover_each_other_nor_leave_the_picture(scene):
    boxes, tiers, picture_hw, seam_px = scene
    layout = place_labels(boxes, tiers, picture_hw, seam_px)
    spots = [label.xyxy for label in layout.labels]
    assert not any(overlap(a, b) for i, a in enumerate(spots) for b in spots[:i])
    assert all(x0 >= 0 and y0 >= 0 and x1 <= picture_hw[1] and y1 <= picture_hw[0] for x0, y0, x1, y1 in spots)
    assert sorted([label.row for label in layout.labels] + list(layout.omitted)) == list(range(len(boxes)))
    for label in layout.labels:
        x0, y0, x1, y1 = label.xyxy
        assert (x1 - x0, y1 - y0) == tuple(tiers[label.tier][label.row])
        left, top, right, bottom = boxes[label.row]
        # A box thinner than the seam still has its label beside it.
        assert x0 <= right + seam_px
        assert x1 >= left - seam_px
        assert y0 <= bottom + seam_px
        assert y1 >= top - seam_px


@pytest.mark.parametrize(
    ("box", "size", "expected"),
    [
        pytest.param((100, 100, 300, 400), (60, 20), (100, 100, 160, 120), id="inside the top edge"),
        pytest.param((100, 100, 130, 130), (60, 20), (100, 80, 160, 100), id="above a small box"),
        pytest.param(
            (470, 100, 500, 130), (60, 20), (440, 80, 500, 100), id="shifted along the edge, not off the picture"
        ),
        pytest.param((100, 0, 130, 30), (60, 20), (100, 30, 160, 50), id="below a small box at the top"),
        pytest.param((0, 0, 500, 500), (60, 20), (0, 0, 60, 20), id="the whole picture"),
        pytest.param((100, 0, 110, 500), (60, 20), (110, 0, 170, 20), id="beside a box as high as the picture"),
    ],
)
def test_a_single_label(box, size, expected):
    layout = place_labels(to_boxes([box]), sizes_of(1, size), (500, 500))
    assert [label.xyxy for label in layout.labels] == [expected]


def test_a_label_outside_overlaps_its_boxs_edge_by_the_seam():
    layout = place_labels(to_boxes([(100, 100, 130, 130)]), sizes_of(1, (60, 20)), (500, 500), seam_px=2)
    assert layout.labels[0].xyxy == (100, 82, 160, 102)


def test_small_objects_are_left_uncovered():
    large, small = (100, 100, 300, 400), (105, 102, 135, 117)
    layout = place_labels(to_boxes([large, small]), sizes_of(2, (60, 20)), (500, 500))
    assert [label.row for label in layout.labels] == [0, 1]
    assert not overlap(layout.labels[0].xyxy, small)


def test_the_less_sure_of_two_equal_boxes_gives_way():
    box = (100, 100, 300, 400)
    first, second = place_labels(to_boxes([box, box]), sizes_of(2, (60, 20)), (500, 500)).labels
    assert first.xyxy == (100, 100, 160, 120)
    assert second.xyxy != first.xyxy
    assert (first.tier, second.tier) == (0, 0)


def test_a_crowd_gets_compact_labels_and_the_least_sure_none():
    boxes = to_boxes([(100 + i, 100 + i, 130 + i, 160 + i) for i in range(60)])
    layout = place_labels(boxes, sizes_of(60, (100, 20), (60, 20), (30, 12)), (400, 400))
    assert {label.tier for label in layout.labels} == {0, 2} or {label.tier for label in layout.labels} == {0, 1, 2}
    assert layout.omitted
    assert 0 not in layout.omitted


def test_a_label_larger_than_the_picture_is_omitted():
    layout = place_labels(to_boxes([(0, 0, 10, 10)]), sizes_of(1, (60, 20)), (40, 40))
    assert (layout.labels, layout.omitted) == ((), (0,))
