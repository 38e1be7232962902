from __future__ import annotations

import numpy as np
import pytest

from detectattn.drawing.palette import casing_color
from detectattn.drawing.tiles import LabelText, draw_label, measure_label, shorten_name

GREEN = (0x23, 0xDB, 0x8B)


@pytest.mark.parametrize("text_px", [11, 18, 40, 80])
@pytest.mark.parametrize("score", ["", "0.87"])
def test_the_tile_is_as_large_as_measured_and_edged(text_px, score):
    label = LabelText("stop sign", score, text_px, 2)
    tile = draw_label(label, GREEN)
    assert tile.shape == (*measure_label(label)[::-1], 3)
    dark = casing_color(GREEN)[::-1]
    assert (tile[:2] == dark).all()
    assert (tile[-2:] == dark).all()
    assert (tile[:, :2] == dark).all()
    assert (tile[2:-2, 2] == GREEN[::-1]).all()
    assert not tile.flags.writeable


def test_labels_of_one_size_are_equally_high_and_the_text_is_centred():
    heights = {measure_label(LabelText(name, "0.50", 20, 1))[1] for name in ("person", "tie", "jug", "CAR", "aeo")}
    assert len(heights) == 1
    ink = (draw_label(LabelText("HEH", "", 40, 0), GREEN) == 0).all(axis=2)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert abs(rows[0] - (len(ink) - 1 - rows[-1])) <= 0.2 * 40
    assert abs(columns[0] - (ink.shape[1] - 1 - columns[-1])) <= 0.12 * 40


def test_different_scores_differ_only_where_the_score_stands():
    one, other = (draw_label(LabelText("person", score, 20, 1), GREEN) for score in ("0.81", "0.87"))
    columns = np.flatnonzero((one[:, : other.shape[1]] != other[:, : one.shape[1]]).any(axis=(0, 2)))
    assert columns.min() > measure_label(LabelText("person", "", 20, 1))[0]


@pytest.mark.parametrize("width_px", [60, 100, 200])
def test_a_long_name_is_cut_to_fit(width_px):
    label = LabelText("", "", 14, 1)
    name = shorten_name("a remarkably long class name", label, width_px)
    assert name.endswith("...")
    assert measure_label(LabelText(name, "", 14, 1))[0] <= width_px
    assert shorten_name("cat", label, width_px) == "cat"
