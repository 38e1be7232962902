from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectattn.drawing import DrawStyle, class_color, draw_detections
from detectattn.drawing.palette import casing_color
from detectattn.types import Detections

NAMES = {0: "person", 2: "car", 7: "truck"}
PLAIN = DrawStyle(show_labels=False)


def detect(*rows):
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int32),
    )


def grey(height=300, width=400, value=128):
    return np.full((height, width, 3), value, np.uint8)


def has_color(picture, rgb):
    return bool((picture == np.array(rgb[::-1])).all(axis=-1).any())


def test_the_input_is_left_as_it_is():
    picture = grey()
    drawn = draw_detections(picture, detect(([50, 60, 200, 220], 0.9, 0)), NAMES)
    assert (picture == 128).all()
    assert drawn.shape == picture.shape
    assert drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, picture)


def test_without_detections_the_picture_comes_back():
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    assert (draw_detections(picture, Detections.empty(), NAMES) == picture).all()


def test_the_line_lies_on_the_box_with_a_casing_on_both_sides():
    drawn = draw_detections(grey(), detect(([50, 60, 200, 220], 0.9, 0)), NAMES, PLAIN)
    color, dark = list(class_color("person")[::-1]), list(casing_color(class_color("person"))[::-1])
    assert drawn[140, 48:52].tolist() == [[128] * 3, dark, color, dark]
    assert drawn[140, 198:202].tolist() == [dark, color, dark, [128] * 3][:4]
    assert drawn[59:62, 120].tolist() == [dark, color, dark]
    assert (drawn[70:210, 60:190] == 128).all()


@pytest.mark.parametrize("box", [(-50, -50, 30, 30), (-9, -9, 410, 310), (380, 280, 900, 900), (0, 0, 400, 300)])
def test_a_box_beyond_the_picture_is_drawn_at_its_edge(box):
    drawn = draw_detections(grey(), detect((box, 0.9, 0)), NAMES, PLAIN)
    x, y = min(max(box[2], 0), 400) - 1, min(max(box[3], 0), 300) - 1
    corner = drawn[max(0, y - 3) : y + 3, max(0, x - 3) : x + 3]
    assert has_color(corner, class_color("person"))


@pytest.mark.parametrize(
    "box",
    [(-50, 10, -1, 60), (400, 10, 450, 60), (10, -80, 60, 0), (10, 300, 60, 350), (np.nan, 1, 2, 3), (1, 1, np.inf, 9),
     (90, 90, 10, 10)],
)  # fmt: skip
def test_what_cannot_be_seen_is_not_drawn(box):
    assert (draw_detections(grey(), detect((box, 0.9, 0)), NAMES) == 128).all()


@pytest.mark.parametrize(
    ("picture_hw", "text_px", "line_px"),
    [
        ((240, 320), 11, 1),
        ((1080, 810), 17, 2),
        ((720, 1280), 18, 2),
        ((480, 640), 11, 2),
        ((3000, 4000), 64, 6),
        ((1, 1), 11, 1),
    ],
)
def test_text_and_lines_fit_the_picture(picture_hw, text_px, line_px):
    style = DrawStyle()
    assert (style.text_px(picture_hw), style.line_px(picture_hw)) == (text_px, line_px)
    assert DrawStyle(text_scale=2).text_px(picture_hw) == pytest.approx(2 * text_px, abs=1)
    assert DrawStyle(line_scale=3).line_px((3000, 4000)) == 18


def test_one_class_has_one_colour_in_any_model():
    box = [50, 60, 200, 220]
    one = draw_detections(grey(), detect((box, 0.9, 0)), {0: "person", 7: "truck"})
    other = draw_detections(grey(), detect((box, 0.9, 7)), {0: "truck", 7: "person"})
    assert (one == other).all()


def test_one_colour_for_every_box_when_it_is_asked_for():
    rows = detect(([50, 60, 200, 220], 0.9, 0), ([210, 60, 300, 220], 0.8, 2))
    drawn = draw_detections(grey(), rows, NAMES, DrawStyle(one_color=(142, 91, 208)))
    assert has_color(drawn, (142, 91, 208))
    assert not has_color(drawn, class_color("person"))
    assert not has_color(drawn, class_color("car"))


def test_labels_and_scores_can_be_left_out():
    rows = detect(([50, 60, 250, 220], 0.91, 0))
    full, nameless, scoreless = (
        draw_detections(grey(), rows, NAMES, style)
        for style in (DrawStyle(), DrawStyle(show_labels=False), DrawStyle(show_scores=False))
    )
    widths = [int((drawn[66:72, 55:245] != 128).any(axis=(0, 2)).sum()) for drawn in (nameless, scoreless, full)]
    assert widths[0] == 0
    assert 0 < widths[1] < widths[2]


def test_a_class_without_a_name_and_a_very_long_one_are_drawn():
    box = [5, 60, 395, 220]
    unnamed = draw_detections(grey(), detect((box, 0.9, 9)), NAMES)
    assert has_color(unnamed, class_color("class 9"))
    drawn = draw_detections(grey(), detect((box, 0.9, 0)), {0: "a very long class name " * 20})
    assert 0.5 < (drawn[70] != 128).any(axis=1).mean() < 0.65


def test_many_threads_draw_what_one_does():
    rng = np.random.default_rng(5)
    jobs = []
    for _ in range(24):
        corner, size = rng.uniform(0, 250, (20, 2)), rng.uniform(10, 140, (20, 2))
        xyxy = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
        score = np.sort(rng.uniform(0.2, 1, 20).astype(np.float32))[::-1].copy()
        jobs.append(Detections(xyxy, score, rng.choice([0, 2, 7], 20).astype(np.int32)))
    names = {**NAMES, 7: "écluse"}
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda job: draw_detections(grey(), job, names), jobs))
    assert all((draw_detections(grey(), job, names) == drawn).all() for job, drawn in zip(jobs, parallel, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_boxes_on_any_picture(data):
    height, width = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    edges = st.floats(-200, 300, width=32)
    rows = data.draw(st.lists(st.tuples(st.tuples(edges, edges, edges, edges), st.just(0.5), st.just(0)), max_size=6))
    style = DrawStyle(line_scale=data.draw(st.sampled_from([1.0, 4.0])), show_labels=False)
    drawn = draw_detections(grey(height, width), detect(*rows), NAMES, style)
    allowed = [(128, 128, 128), class_color("person")[::-1], casing_color(class_color("person"))[::-1]]
    assert {tuple(pixel) for pixel in drawn.reshape(-1, 3).tolist()} <= set(allowed)
