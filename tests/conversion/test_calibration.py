"""Which pictures calibrate and which judge: always the same, spread over what there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.conversion.calibration import choose_pictures, iter_inputs, spread_evenly
from detectattn.engines.base import FitMode, ModelSpec


@given(st.integers(0, 200), st.integers(0, 50))
def test_spread_is_even_and_in_order(count: int, wanted: int) -> None:
    chosen = spread_evenly(range(count), wanted)
    assert len(chosen) == min(count, wanted)
    steps = np.diff([*chosen, count])
    assert (steps > 0).all()
    assert not len(steps) or steps.max() - steps.min() <= 1


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 40))
def test_enough_pictures_serve_one_purpose_each(count: int, calibration: int, gate: int) -> None:
    choice = choose_pictures(range(count), calibration, gate)
    assert len(choice.calibration) == min(calibration, count)
    assert len(choice.gate) == min(gate, count)
    assert choice.apart == (count >= calibration + gate)
    assert choice.apart == (not set(choice.calibration) & set(choice.gate)) or not count
    assert list(choice.gate) == sorted(choice.gate)


def test_both_purposes_cover_the_whole() -> None:
    choice = choose_pictures(range(1000), 30, 10)
    for part in (choice.calibration, choice.gate):
        assert min(part) < 100
        assert max(part) >= 900


@pytest.mark.parametrize(
    ("fit", "rectangles", "height", "grey"),
    [
        ("stretch", True, 256, False),
        ("letterbox", True, 256, True),
        ("letterbox_rect", False, 256, True),
        ("letterbox_rect", True, 128, True),
    ],
)
def test_inputs_are_what_the_model_will_be_shown(fit: FitMode, rectangles: bool, height: int, grey: bool) -> None:
    spec = ModelSpec("cnn", {0: "car"}, "yolo_dense", fit, (256, 256), 32, "torch", "cpu", "fp32")
    bgr = np.full((40, 100, 3), (255, 0, 0), np.uint8)
    (tensor,) = iter_inputs(spec, [bgr], rectangles=rectangles)
    assert (tensor.shape, tensor.dtype) == ((1, 3, height, 256), np.float32)
    assert tensor[0, :, height // 2, 128].tolist() == [0, 0, 1]
    assert bool(np.isclose(tensor[0, :, 0, 0], 114 / 255).all()) is grey
