"""Boxes follow their pixels through every variation."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.augment import augment_scene
from training.scene_cache import LabelledScene


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), left=st.integers(5, 60), top=st.integers(5, 60), side=st.integers(16, 30))
def test_box_stays_on_its_object(seed: int, left: int, top: int, side: int) -> None:
    bgr = np.zeros((100, 100, 3), np.uint8)
    bgr[top : top + side, left : left + side // 2] = 255
    box = np.array([[left, top, left + side // 2, top + side]], np.float32)
    scene = augment_scene(LabelledScene(bgr, box, np.array([3], np.int32)), 96, np.random.default_rng(seed))
    # Padding is grey 114 before the light changes; the object is the brightest there is.
    bright = scene.bgr.max(-1) >= 0.9 * scene.bgr.max()
    if not len(scene.xyxy):
        assert bright.mean() < 0.1 or scene.bgr.max() < 200
        return
    rows, columns = np.nonzero(bright)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(scene.xyxy[0], seen, atol=1.6)
    assert scene.class_id.tolist() == [3]
    assert scene.bgr.shape == (96, 96, 3)


def test_same_generator_gives_the_same_variation() -> None:
    rng = np.random.default_rng(1)
    bgr = rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)
    scene = LabelledScene(bgr, np.array([[10, 10, 40, 50]], np.float32), np.array([0], np.int32))
    first, again, other = (augment_scene(scene, 64, np.random.default_rng(s)) for s in (5, 5, 6))
    assert (first.bgr == again.bgr).all()
    assert (first.xyxy == again.xyxy).all()
    assert (first.bgr != other.bgr).any()
