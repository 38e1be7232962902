"""Maps, points and sheets: bright where the values are, legible elsewhere, never outside."""

from __future__ import annotations

import numpy as np
import pytest

from detectattn.drawing.heat import LEVEL_COLORS, dim, draw_heat, draw_heat_scale, draw_points, find_top
from detectattn.drawing.sheet import Cell, Column, Key, draw_sheet
from detectattn.types import U8


def make_picture(height: int = 120, width: int = 160) -> U8:
    return np.random.default_rng(0).integers(60, 200, (height, width, 3), dtype=np.uint8)


def test_a_map_is_bright_where_its_values_are_and_shows_the_picture_elsewhere() -> None:
    bgr = make_picture()
    values = np.zeros((12, 16), np.float32)
    values[2:5, 3:6] = 7
    drawn = draw_heat(bgr, values)
    assert drawn.shape == bgr.shape
    assert drawn[25:45, 35:55].mean() > dim(bgr)[25:45, 35:55].mean() + 60
    np.testing.assert_array_equal(drawn[80:, 100:], dim(bgr)[80:, 100:])
    assert np.corrcoef(dim(bgr).ravel(), bgr.ravel())[0, 1] > 0.7  # of noise in three colours; a photograph keeps more
    np.testing.assert_array_equal(bgr, make_picture())


@pytest.mark.parametrize("values", [np.zeros((4, 4), np.float32), np.full((1, 1), 3, np.float32)])
def test_flat_maps_are_drawn(values: np.ndarray) -> None:
    drawn = draw_heat(make_picture(), values.astype(np.float32))
    assert drawn.shape == (120, 160, 3)


def test_one_bright_pixel_does_not_leave_the_rest_dark() -> None:
    values = np.full((100, 100), 1, np.float32)
    values[0, 0] = 3
    assert find_top(values) == pytest.approx(1.5)
    values[0, 0] = 1000
    assert find_top(values) == pytest.approx(500)
    assert find_top(np.zeros((3, 3), np.float32)) == 0


def test_the_scale_grows_brighter_to_the_right() -> None:
    light = draw_heat_scale(200, 10).astype(int).sum(axis=2).mean(axis=0)
    assert light[-5:].mean() > light[80:120].mean()
    assert draw_heat_scale(200, 10).shape == (10, 200, 3)


def test_points_are_dots_of_their_levels_colour_and_size() -> None:
    bgr = make_picture(200, 300)
    xy = np.array([[50, 60], [150, 100], [-20, 10], [400, 10], [250, 150]], np.float32)
    weight = np.array([1.0, 0.1, 1.0, 1.0, 0.0], np.float32)
    level = np.array([0, 1, 0, 0, 2], np.int32)
    drawn = draw_points(bgr, xy, weight, level)
    ground = dim(bgr)
    heavy, light = ((drawn == color[::-1]).all(axis=2) for color in LEVEL_COLORS[:2])
    assert heavy[59, 49]
    assert light[99, 149]
    assert heavy.sum() > 3 * light.sum() > 0
    changed = (drawn != ground).any(axis=2)
    assert not changed[140:160, 240:260].any()
    assert changed.sum() < 400


def test_a_sheet_has_a_place_for_everything() -> None:
    columns = [Column("the picture"), Column("model-a", (0x8E, 0x5B, 0xD0))]
    cells = [[Cell(make_picture(), ("car 0.91", "79% inside")), Cell(None, ("not found",))]] * 2
    sheet = draw_sheet(columns, cells, [Key(draw_heat_scale(60, 10), "nothing to most")], 200)
    gap = 5
    assert sheet.shape[1] == 2 * 200 + 3 * gap
    assert (sheet == np.array([0xD0, 0x5B, 0x8E])).all(axis=2).sum() > 50
    assert sheet.shape[0] > 2 * 150


def test_hostile_titles_fit() -> None:
    long = Column("<img src=x onerror=alert(1)>" * 20)
    sheet = draw_sheet([long], [[Cell(make_picture(), ("\x1b[31m" * 30, ""))]], [], 120)
    assert sheet.shape[1] == 120 + 2 * 4
