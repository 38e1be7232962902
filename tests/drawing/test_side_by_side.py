"""Panels side by side: sizes, order, titles that fit, and a legend for what occurs."""

from __future__ import annotations

import numpy as np
import pytest

from detectattn.drawing.marked_boxes import Mark, MarkedBox
from detectattn.drawing.side_by_side import Panel, draw_side_by_side

PURPLE, GREEN, BLUE = (0x8E, 0x5B, 0xD0), (0x00, 0x9E, 0x73), (0x56, 0xB4, 0xE9)
BOX = MarkedBox((40.0, 30.0, 200.0, 150.0), "car", 0.9, Mark.ONE)


def grey(height=240, width=320):
    return np.full((height, width, 3), 128, np.uint8)


def panel(title="a", color=PURPLE, boxes=(BOX,), is_truth=False):
    return Panel(title, color, tuple(boxes), is_truth)


def marked(mark):
    return MarkedBox(BOX.xyxy, BOX.name, BOX.score, mark)


def has_color(picture, rgb):
    return bool((picture == np.array(rgb[::-1])).all(axis=-1).any())


def count_pictures(drawn):
    """How many areas of the grey picture lie beside each other in any row, and below each other in any column."""
    there = (drawn == 128).all(axis=-1)
    rows, columns = there.mean(axis=1) > 0.15, there.mean(axis=0) > 0.15
    return tuple(int((np.diff(np.r_[0, line.astype(int)]) == 1).sum()) for line in (columns, rows))


@pytest.mark.parametrize(
    ("panels", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 2, 2), (5, 3, 2), (6, 3, 2), (7, 3, 3)]
)
def test_a_row_of_up_to_three_and_then_a_grid(panels, columns, rows):
    drawn = draw_side_by_side(grey(), [panel(boxes=())] * panels)
    assert count_pictures(drawn) == (columns, rows)


@pytest.mark.parametrize(
    ("hw", "panels", "width"),
    [
        ((240, 320), 1, 320),
        ((4000, 6000), 1, 960),
        ((4000, 6000), 2, 2 * 960 + 8),
        ((4000, 6000), 3, 3 * 960 + 16),
        ((16, 16), 1, 280),
        ((1, 1), 1, 280),
        ((1, 12000), 1, 960),
        ((12000, 1), 1, 280),
        ((9000, 3000), 1, 480),
    ],
)
def test_a_panel_is_at_most_960_wide_and_never_too_narrow_for_a_title(hw, panels, width):
    drawn = draw_side_by_side(grey(*hw), [panel(boxes=())] * panels, show_legend=False)
    assert drawn.shape[1] == width
    assert drawn.shape[0] < 1600
    assert drawn.dtype == np.uint8


def test_the_width_can_be_chosen():
    assert draw_side_by_side(grey(600, 800), [panel()] * 2, max_panel_px=400).shape[1] == 804
    assert draw_side_by_side(grey(600, 800), [panel()], max_panel_px=100).shape[1] == 100


def test_boxes_follow_the_scale_of_the_picture():
    whole = draw_side_by_side(grey(1200, 1920), [panel(boxes=[MarkedBox((0, 0, 960, 600), "x", 0.9, Mark.ONE)])])
    title = len(whole) - 600 - len_of_legend(whole)
    picture = whole[title : title + 600]
    assert has_color(picture[295:306, 100:380], PURPLE)
    assert (picture[350:, 500:] == 128).all()


def len_of_legend(drawn):
    bare = (drawn == 128).all(axis=-1).any(axis=1)
    return len(drawn) - 1 - int(np.flatnonzero(bare).max())


def test_it_is_the_same_for_the_same_input_and_leaves_it_alone():
    picture = np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)
    before = picture.copy()
    panels = [panel("a"), panel("b", GREEN, [marked(m) for m in Mark])]
    one, two = draw_side_by_side(picture, panels), draw_side_by_side(picture, panels)
    assert (one == two).all()
    assert (picture == before).all()


def test_every_panel_has_its_own_colour_and_boxes():
    drawn = draw_side_by_side(grey(), [panel("a", PURPLE), panel("b", GREEN, ())])
    left, right = drawn[:, :320], drawn[:, 330:]
    assert has_color(left, PURPLE)
    assert not has_color(left, GREEN)
    assert has_color(right[:30], GREEN)
    assert not has_color(right[40:230], GREEN)


def test_empty_panels_say_so_and_need_no_legend():
    with_legend = draw_side_by_side(grey(), [panel(boxes=())])
    without = draw_side_by_side(grey(), [panel(boxes=())], show_legend=False)
    assert with_legend.shape == without.shape
    counted = draw_side_by_side(grey(), [panel()], show_legend=False)
    assert (without[:24] != counted[:24]).any()


def test_no_panel_is_refused():
    with pytest.raises(ValueError, match="nothing to show"):
        draw_side_by_side(grey(), [])


def test_the_legend_grows_with_what_occurs_and_wraps():
    def legend_px(marks):
        panels = [panel(boxes=[marked(m) for m in marks])]
        return len(draw_side_by_side(grey(), panels)) - len(draw_side_by_side(grey(), panels, show_legend=False))

    one, all_marks = legend_px([Mark.ONE]), legend_px(Mark)
    assert 0 < one < all_marks
    assert all_marks % one == 0


def test_titles_count_what_is_drawn():
    def title(*marks, is_truth=False, beside_truth=False):
        panels = [panel(boxes=[marked(m) for m in marks], is_truth=is_truth)]
        panels += [panel("truth", BLUE, (), is_truth=True)] if beside_truth else []
        return draw_side_by_side(grey(480, 640), panels)[:20, :640].tobytes()

    titles = [
        title(),
        title(Mark.ALL),
        title(Mark.ALL, Mark.ALL),
        title(Mark.ALL, Mark.ONE),
        title(Mark.ALL, beside_truth=True),
        title(Mark.WRONG, beside_truth=True),
        title(Mark.MISSED, beside_truth=True),
        title(Mark.ALL, is_truth=True),
        title(Mark.NONE, is_truth=True),
    ]
    assert len(set(titles)) == len(titles)
    assert title(Mark.UNCOUNTED) == title()


LONG = "runs/export/" + "yolo11n-visdrone" * 40 + "-int8_openvino_model"


@pytest.mark.parametrize("name", [LONG, "модель обнаружения пешеходов " * 8, "检测模型" * 60, "", "\n", "a"])
def test_any_name_fits_its_panel(name):
    panels = [panel(name, PURPLE, [BOX] * 120), panel("b", GREEN, ())]
    drawn = draw_side_by_side(grey(), panels, show_legend=False)
    alone = draw_side_by_side(grey(), [panel("b", PURPLE, [BOX] * 120), panel("b", GREEN, ())], show_legend=False)
    assert drawn.shape == alone.shape
    # What is beside the first title is not touched by it.
    assert (drawn[:, 324:] == alone[:, 324:]).all()
    assert (drawn[:20, 270:316] != drawn[0, 322]).any() == (len(name) > 20)


def test_the_end_of_a_long_name_is_kept():
    starts = [draw_side_by_side(grey(), [panel(LONG[:-1] + end, boxes=())])[:20].tobytes() for end in "ab"]
    assert starts[0] != starts[1]
    middles = [draw_side_by_side(grey(), [panel(f"{LONG}{m}{LONG}", boxes=())])[:20].tobytes() for m in "ab"]
    assert middles[0] == middles[1]
