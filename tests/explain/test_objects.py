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


def test_every_detection_is_in_one_row_at_most() -> None:
    objects = choose_objects([make((A, 0.9, 0), (NEAR_A, 0.8, 0)), make((A, 0.7, 9))], [FIRST, SECOND], 8)
    assert [o.rows for o in objects] == [(0, 0), (1, None)]


def test_no_more_than_asked_for_and_nothing_where_nothing_is() -> None:
    many = make(*((tuple(v + 200 * k for v in A), 0.9 - k / 100, 0) for k in range(12)))
    assert [o.rows for o in choose_objects([many], [FIRST], 3)] == [(0,), (1,), (2,)]
    assert choose_objects([make(), make()], [FIRST, SECOND], 3) == ()
    assert choose_objects([make((A, 0.5, 77))], [FIRST], 3)[0].class_name == "class 77"
