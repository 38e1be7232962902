"""Fitting is the peer's to the bit, and invertible."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.engines.base import FitMode
from detectattn.engines.preprocess import fit_image, plan_resize
from detectattn.weights.ultralytics_env import import_ultralytics_tasks

sides = st.integers(1, 3000)
fits = st.sampled_from(["stretch", "letterbox", "letterbox_rect"])


@given(sides, sides, fits)
def test_boxes_survive_the_round_trip(height: int, width: int, fit: FitMode) -> None:
    resize = plan_resize((height, width), (640, 640), fit)
    boxes = np.array([[0, 0, width, height], [width / 4, height / 3, width / 2, height]], np.float32)
    np.testing.assert_allclose(resize.to_image(resize.to_net(boxes)), boxes, atol=max(height, width) * 1e-5 + 1e-3)


@given(sides, sides, fits)
def test_picture_lies_inside_the_input(height: int, width: int, fit: FitMode) -> None:
    resize = plan_resize((height, width), (640, 640), fit)
    corners = resize.to_net(np.array([[0, 0, width, height]], np.float32))[0]
    assert corners.min() >= 0
    assert corners[2] <= resize.net_hw[1] + 0.01
    assert corners[3] <= resize.net_hw[0] + 0.01


@given(sides, sides)
def test_rect_pads_to_the_stride_and_no_further(height: int, width: int) -> None:
    net_hw = plan_resize((height, width), (640, 640), "letterbox_rect").net_hw
    assert max(net_hw) == 640
    assert all(side % 32 == 0 for side in net_hw)


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "letterbox_rect"])
@pytest.mark.parametrize("shape", [(480, 640), (1080, 810), (333, 1000), (640, 640), (31, 57), (1, 900)])
def test_pixels_equal_the_peers(fit: FitMode, shape: tuple[int, int]) -> None:
    import_ultralytics_tasks()
    from ultralytics.data.augment import LetterBox

    rng = np.random.default_rng(0)
    bgr = rng.integers(0, 256, (*shape, 3), np.uint8)
    peer = LetterBox((640, 640), auto=fit == "letterbox_rect", scale_fill=fit == "stretch", stride=32)(image=bgr)
    expected = peer[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / 255
    np.testing.assert_array_equal(fit_image(bgr, plan_resize(shape, (640, 640), fit)), expected)


def test_input_is_not_changed() -> None:
    bgr: Any = np.full((40, 30, 3), 7, np.uint8)
    fit_image(bgr, plan_resize((40, 30), (64, 64), "letterbox"))
    assert (bgr == 7).all()
