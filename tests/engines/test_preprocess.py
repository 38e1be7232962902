"""Fitting is the peer's to the bit, and invertible."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.engines.base import FitMode
from detectattn.engines.preprocess import fit_image, list_sides, plan_resize
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


@given(sides, sides)
def test_few_shapes_are_few_and_hold_the_picture(height: int, width: int) -> None:
    resize = plan_resize((height, width), (640, 640), "letterbox_rect", few_shapes=True)
    assert max(resize.net_hw) == 640
    assert set(resize.net_hw) <= set(list_sides(640, 32))
    corners = resize.to_net(np.array([[0, 0, width, height]], np.float32))[0]
    assert corners.min() >= 0
    assert (corners[2:] <= np.array(resize.net_hw[::-1]) + 0.01).all()


@pytest.mark.parametrize(
    ("picture", "shape"),
    [
        ((1000, 1000), (640, 640)),
        ((1536, 2048), (480, 640)),
        ((2048, 1536), (640, 480)),
        ((2000, 3000), (448, 640)),
        ((3000, 2000), (640, 448)),
        ((1080, 1920), (384, 640)),
        ((1920, 1080), (640, 384)),
        ((1080, 2520), (288, 640)),
        ((10, 1000), (160, 640)),
    ],
)
def test_common_pictures_have_a_shape_of_their_own(picture: tuple[int, int], shape: tuple[int, int]) -> None:
    """The very rectangle that pads to the stride, but for what is narrower than all."""
    assert plan_resize(picture, (640, 640), "letterbox_rect", few_shapes=True).net_hw == shape
    if min(shape) > 160:
        assert plan_resize(picture, (640, 640), "letterbox_rect").net_hw == shape


@pytest.mark.parametrize(("full", "stride"), [(640, 32), (320, 32), (160, 32), (32, 32), (1280, 64)])
def test_sides_are_seven_multiples_of_the_stride_at_most(full: int, stride: int) -> None:
    found = list_sides(full, stride)
    assert found[0] == full
    assert len(found) <= 7
    assert all(side > 0 and side % stride == 0 for side in found)


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
