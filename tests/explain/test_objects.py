"""Which objects are explained, and whose detections they are."""

from __future__ import annotations

import numpy as np

from detectattn.explain.objects import choose_objects
from detectattn.types import Detections

A, B, C = (10.0, 10.0, 50.0, 50.0), (100.0, 10.0, 140.0, 50.0), (10.0, 100.0, 50.0, 140.0)
NEAR_A = (12.0, 12.0, 52.0, 52.0)
FIRST, SECOND = {0: "car", 1: "bus"}, {4: "bus", 9: "car"}


def make(*rows: tuple[tuple[float, ...], float, int]) -> Detections:
    xyxy = np.array([r[0] for r in rows], np.float32).reshape(-1, 4)
    return Detections(xyxy, np.array([r[1] for r in rows], np.float32), np.array([r[2] for r in rows], np.int32))


def test_detections_of_one_object_share_a_row_and_the_surest_comes_first() -> None:
    one = make((A, 0.8, 0), (B, 0.6, 1))
    two = make((C, 0.9, 4), (NEAR_A, 0.7, 9))
    objects = choose_objects([one, two], [FIRST, SECOND], 8)
    assert [(o.class_name, o.rows) for o in objects] == [("bus", (None, 0)), ("car", (0, 1)), ("bus", (1, None))]
    assert objects[1].xyxy.tolist() == list(A)


def test_classes_are_matched_by_name() -> None:
    objects = choose_objects([make((A, 0.8, 0)), make((A, 0.7, 4))], [FIRST, SECOND], 8)
    assert [o.rows for o in objects] == [(0, None), (None, 0)]


def test_of_several_boxes_of_one_object_the_surest_is_paired_and_the_others_are_no_objects() -> None:
    """The surer model's box may lie nearest to a weaker duplicate of the other's."""
    one = make((NEAR_A, 0.8, 0), (A, 0.6, 0), (A, 0.3, 0), (B, 0.5, 0))
    two = make((A, 0.9, 9))
    objects = choose_objects([one, two], [FIRST, SECOND], 8)
    assert [(o.rows, o.further) for o in objects] == [((0, 0), (2, 0)), ((3, None), (0, 0))]


def test_a_box_that_overlaps_the_models_own_is_a_further_one_too() -> None:
    """It overlaps what the other model found by less than half."""
    wide, wider, widest = (0.0, 0.0, 100.0, 40.0), (0.0, 0.0, 160.0, 40.0), (0.0, 0.0, 230.0, 40.0)
    objects = choose_objects([make((wider, 0.8, 0), (widest, 0.6, 0)), make((wide, 0.9, 9))], [FIRST, SECOND], 8)
    assert [(o.rows, o.further) for o in objects] == [((0, 0), (1, 0))]


def test_a_box_of_another_name_is_another_object() -> None:
    objects = choose_objects([make((A, 0.9, 0), (NEAR_A, 0.8, 1))], [FIRST], 8)
    assert [(o.class_name, o.rows) for o in objects] == [("car", (0,)), ("bus", (1,))]


def test_no_more_than_asked_for_and_nothing_where_nothing_is() -> None:
    many = make(*((tuple(v + 200 * k for v in A), 0.9 - k / 100, 0) for k in range(12)))
    assert [o.rows for o in choose_objects([many], [FIRST], 3)] == [(0,), (1,), (2,)]
    assert choose_objects([make(), make()], [FIRST, SECOND], 3) == ()
    assert choose_objects([make((A, 0.5, 77))], [FIRST], 3)[0].class_name == "class 77"
