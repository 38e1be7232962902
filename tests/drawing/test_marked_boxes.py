"""A box's line tells what became of it, without its colour."""

from __future__ import annotations

import numpy as np
import pytest

from detectattn.drawing.marked_boxes import (
    WRONG_COLOR,
    Mark,
    MarkedBox,
    Strokes,
    draw_marked_boxes,
)

PURPLE = (0x8E, 0x5B, 0xD0)
LINES = Strokes(line_px=2, text_px=0)
BOX = (50.0, 60.0, 200.0, 220.0)


def grey(height=300, width=400):
    return np.full((height, width, 3), 128, np.uint8)


def draw(mark, xyxy=BOX, strokes=LINES, picture=None, name="car", score=0.9):
    picture = grey() if picture is None else picture
    return draw_marked_boxes(picture, [MarkedBox(xyxy, name, score, mark)], PURPLE, strokes)


def painted(drawn, color):
    return (drawn == np.array(color[::-1])).all(axis=-1)


def test_the_input_is_left_as_it_is():
    picture = grey()
    drawn = draw(Mark.ONE, picture=picture)
    assert (picture == 128).all()
    assert (drawn != 128).any()
    assert not np.shares_memory(drawn, picture)


def test_without_boxes_the_picture_comes_back():
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    assert (draw_marked_boxes(picture, [], PURPLE, Strokes(2, 12)) == picture).all()


def test_the_fewer_find_it_the_wider_the_line():
    widths = [int(painted(draw(mark), PURPLE)[140, :120].sum()) for mark in (Mark.SOME, Mark.ONE)]
    assert widths == [2, 4]
    assert painted(draw(Mark.NONE), PURPLE).sum() == painted(draw(Mark.ONE), PURPLE).sum()


def test_what_all_find_is_faded():
    line = draw(Mark.ALL)[140, 45:60]
    changed = line[(line != 128).any(axis=1)]
    assert len(changed) == 3
    assert not painted(draw(Mark.ALL), PURPLE).any()


@pytest.mark.parametrize("mark", [Mark.MISSED, Mark.UNCOUNTED])
def test_dashes_show_the_picture_between_them(mark):
    drawn = draw(mark)
    edge = (drawn[:, 50] != 128).any(axis=-1)[70:210]
    assert edge.any()
    assert not edge.all()
    gaps = np.count_nonzero(np.diff(edge.astype(int)) == -1)
    assert gaps > 5
    # Red is the strongest part of vermilion, and no less than the others in grey; of the panel's purple blue is.
    lines = drawn[(drawn != 128).any(axis=-1)]
    assert (lines[:, 2] >= lines[:, 0]).all()


def test_only_a_wrong_box_has_a_filled_corner():
    inside = slice(66, 72), slice(188, 194)
    assert painted(draw(Mark.WRONG), WRONG_COLOR)[inside].mean() > 0.4
    for mark in set(Mark) - {Mark.WRONG}:
        assert (draw(mark)[inside] == 128).all()


def test_a_small_missed_box_keeps_its_four_corners_alone():
    drawn = draw(Mark.MISSED, xyxy=(100, 100, 114, 114))
    there = painted(drawn, WRONG_COLOR)
    rows, columns = np.nonzero(there)
    top, left, bottom, right = rows.min(), columns.min(), rows.max(), columns.max()
    assert there[top, left]
    assert there[top, right]
    assert there[bottom, left]
    assert there[bottom, right]
    assert not there[(top + bottom) // 2].any()


@pytest.mark.parametrize(
    "xyxy",
    [(-50, 10, -1, 60), (400, 10, 450, 60), (10, -80, 60, 0), (10, 300, 60, 350), (np.nan, 1, 2, 3), (1, 1, np.inf, 9),
     (90, 90, 10, 10)],
)  # fmt: skip
def test_what_cannot_be_seen_is_not_drawn(xyxy):
    assert (draw(Mark.ONE, xyxy, Strokes(2, 12)) == 128).all()


@pytest.mark.parametrize("mark", Mark)
@pytest.mark.parametrize("xyxy", [(-900, -900, 900, 900), (0, 0, 1, 1), (399.9, 299.9, 400, 300), (7, 7, 8, 8)])
@pytest.mark.parametrize("strokes", [LINES, Strokes(40, 200), Strokes(1, 4)])
def test_any_box_is_drawn_in_any_picture(mark, xyxy, strokes):
    for picture in (grey(), grey(1, 1), grey(1, 500), grey(500, 1)):
        assert draw(mark, xyxy, strokes, picture).shape == picture.shape
    assert (draw(mark, xyxy, strokes) != 128).any()


@pytest.mark.parametrize("mark", Mark)
def test_what_all_find_and_what_does_not_count_has_no_label(mark):
    labelled = bool((draw(mark, strokes=Strokes(2, 14)) != draw(mark)).any())
    assert labelled == (mark not in (Mark.ALL, Mark.UNCOUNTED))


def test_a_label_names_the_class_and_the_score_of_a_detection():
    texts = [draw(Mark.ONE, strokes=Strokes(2, 14), name=name, score=s) for name, s in
             (("car", 0.9), ("bus", 0.9), ("car", 0.5), ("car", None))]  # fmt: skip
    assert len({t.tobytes() for t in texts}) == 4


def test_labels_leave_the_picture_to_be_seen():
    corners = [(x * 30.0 + 5, y * 30.0 + 5) for x in range(20) for y in range(20)]
    boxes = [MarkedBox((x, y, x + 8, y + 8), "car", 0.9, Mark.ONE) for x, y in corners]
    picture = grey(620, 620)
    bare = draw_marked_boxes(picture, boxes, PURPLE, Strokes(1, 0))
    drawn = draw_marked_boxes(picture, boxes, PURPLE, Strokes(1, 12))
    hidden = (drawn != bare).any(axis=-1).mean()
    assert 0.02 < hidden < 0.1


def test_the_most_telling_label_comes_first():
    crowd = [MarkedBox((x * 24.0, 200, x * 24.0 + 20, 230), "car", 0.99, Mark.SOME) for x in range(16)]
    alone = MarkedBox((150, 20, 250, 90), "bus", 0.3, Mark.ONE)
    drawn = draw_marked_boxes(grey(), [*crowd, alone], PURPLE, Strokes(1, 14))
    without = draw_marked_boxes(grey(), [*crowd, alone], PURPLE, Strokes(1, 0))
    assert (drawn[15:90] != without[15:90]).any()


@pytest.mark.parametrize("name", ["грузовик", "汽车", "سيارة", "", "\n\t", "a" * 500, "\U0001f697"])
def test_any_name_is_drawn(name):
    assert (draw(Mark.ONE, strokes=Strokes(2, 14), name=name) != draw(Mark.ONE)).any()
