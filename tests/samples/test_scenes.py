"""Scenes: the same seed gives the same bytes, boxes fit what shows, and a data set of them is worth training on."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from samples.scenes import CLASS_NAMES, SAMPLE_SEEDS, TRAIN_SEEDS, VAL_SEEDS, Scene, draw_scene
from samples.scenes.canvas import NOBODY, Canvas, Sun
from samples.scenes.cars import sketch_car
from samples.scenes.clip import CLIP_SEED
from samples.scenes.heavy import sketch_bus, sketch_truck
from samples.scenes.light import HOURS, choose_light
from samples.scenes.painting import MIN_VISIBLE, find_visible, paint_layout
from samples.scenes.parking import lay_parking
from samples.scenes.people import sketch_bicycle, sketch_person
from samples.scenes.signals import sketch_traffic_light
from samples.scenes.sketch import Pose, Sketch
from samples.scenes.streets import lay_street
from samples.scenes.view import View

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = {0: "718884b346ee3cb6", 7: "76380cec8bd5a09a", 1_000_003: "e2125cef8d299a65"}


def _digest(scene: Scene) -> str:
    return hashlib.sha256(scene.bgr.tobytes() + scene.xyxy.tobytes() + scene.class_id.tobytes()).hexdigest()[:16]


@pytest.fixture(scope="module")
def sixty() -> list[Scene]:
    return [draw_scene(seed, (192, 192)) for seed in range(60)]


@pytest.mark.parametrize("seed", GOLDEN)
def test_a_seed_gives_the_same_bytes_as_ever(seed: int) -> None:
    assert _digest(draw_scene(seed, (320, 320))) == GOLDEN[seed]


def test_a_seed_gives_the_same_bytes_with_other_threads_and_on_a_lesser_processor() -> None:
    code = (
        "import cv2, hashlib; cv2.setNumThreads(3)\n"
        "from samples.scenes import draw_scene\n"
        "draw_scene(5, (128, 128)); s = draw_scene(11, (400, 600))\n"
        "print(hashlib.sha256(s.bgr.tobytes() + s.xyxy.tobytes() + s.class_id.tobytes()).hexdigest()[:16])"
    )
    lesser = {
        "OPENCV_CPU_DISABLE": "AVX512_ICL,AVX512_SKX,AVX2,FMA3,AVX",
        "OPENCV_IPP": "disabled",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL",
    }
    # What a feature is called, and whether there is one to disable, differs: both programs only warn.
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **lesser},
    )  # fmt: skip
    assert told.stdout.split()[-1] == _digest(draw_scene(11, (400, 600)))


@pytest.mark.parametrize("hw", [(640, 640), (97, 161), (480, 200)])
def test_a_scene_has_the_size_and_types_that_it_promises(hw: tuple[int, int]) -> None:
    scene = draw_scene(3, hw)
    assert (scene.bgr.shape, scene.bgr.dtype) == ((*hw, 3), np.uint8)
    assert scene.xyxy.shape == (len(scene.class_id), 4)
    assert (scene.xyxy.dtype, scene.class_id.dtype) == (np.float32, np.int32)


def test_splits_share_no_seed() -> None:
    splits = (TRAIN_SEEDS, VAL_SEEDS, SAMPLE_SEEDS, range(CLIP_SEED, CLIP_SEED + 1))
    for number, first in enumerate(splits):
        for second in splits[number + 1 :]:
            assert first.stop <= second.start or second.stop <= first.start


def test_every_class_is_frequent(sixty: list[Scene]) -> None:
    counts = np.array([np.bincount(scene.class_id, minlength=len(CLASS_NAMES)) for scene in sixty])
    assert ((counts > 0).mean(axis=0) >= 0.35).all()
    assert counts.sum(axis=0).min() / counts.sum() > 0.03
    assert 20 <= np.median(counts.sum(axis=1)) <= 40


def test_sizes_span_more_than_ten_times(sixty: list[Scene]) -> None:
    boxes = np.concatenate([scene.xyxy for scene in sixty])
    side = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    assert np.percentile(side, 99.5) / np.percentile(side, 2) > 10


def test_boxes_lie_in_the_picture_and_have_an_area(sixty: list[Scene]) -> None:
    boxes = np.concatenate([scene.xyxy for scene in sixty])
    assert boxes.min() >= 0
    assert boxes.max() <= 192
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= 3


def test_every_hour_is_drawn_and_night_is_darkest() -> None:
    rng = np.random.default_rng(1)
    assert {choose_light(rng).hour for _ in range(60)} == set(HOURS)


@pytest.mark.parametrize("lay", [lambda v, r: lay_street(v, r, junction=True), lay_parking], ids=["street", "parking"])
def test_boxes_are_tight_around_the_pixels_that_show_an_object(lay) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(12)
    view = View((300, 400), 12.0, 0.4)
    layout, ground = lay(view, rng)
    canvas = Canvas.of_ground(ground.finish(), Sun((0.6, 0.8), 0.6, 0.04))
    seen = paint_layout(canvas, layout, view)
    assert len(seen.number) > 10
    for box, number in zip(seen.xyxy, seen.number, strict=True):
        x, y, w, h = cv2.boundingRect((canvas.owner == number).astype(np.uint8))
        assert box.tolist() == [x, y, x + w, y + h]


SKETCHES = {
    "person": lambda rng: sketch_person(rng),
    "bicycle": lambda rng: sketch_bicycle(rng, 20.0),
    "leaning": lambda rng: sketch_bicycle(rng, 20.0, leaning=True),
    "car": sketch_car,
    "bus": sketch_bus,
    "truck": sketch_truck,
    "traffic light": lambda rng: sketch_traffic_light(1),
}


@pytest.mark.parametrize("name", SKETCHES)
@pytest.mark.parametrize("heading", [0.0, 0.7, 2.5])
def test_an_object_by_itself_is_boxed_within_a_pixel(name: str, heading: float) -> None:
    ground = np.full((420, 420, 3), (90, 200, 90), np.uint8)
    sketch: Sketch = SKETCHES[name](np.random.default_rng(4))
    canvas = Canvas.of_ground(ground.copy(), Sun((1.0, 0.0), 0.5, 0.03))
    whole = canvas.place(sketch, Pose(210.3, 208.8, heading, 20.0), 0)
    seen = find_visible(canvas.owner, np.array([2], np.int32), np.array([whole]))
    # A shadow is another layer, so only the object itself changes the colours.
    changed = (np.abs(canvas.bgr.astype(int) - ground).sum(axis=2) > 90).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(changed)
    assert seen.xyxy[0] == pytest.approx([x, y, x + w, y + h], abs=1.01)
    assert canvas.shadow.any()


@pytest.mark.parametrize(("cut_px", "kept"), [(0, True), (60, True), (66, False), (100, False)])
def test_an_object_too_hidden_has_no_box(cut_px: int, kept: bool) -> None:
    owner = np.full((120, 120), NOBODY, np.int16)
    owner[10:110, 10:20] = 0
    owner[10 : 10 + cut_px, 10:20] = NOBODY
    seen = find_visible(owner, np.array([3], np.int32), np.array([1000]))
    assert seen.number.tolist() == ([0] if kept else [])
    assert kept == (1 - cut_px / 100 >= MIN_VISIBLE)
    if kept:
        assert seen.xyxy.tolist() == [[10, 10 + cut_px, 20, 110]]


def test_what_the_edge_cuts_counts_its_pixels_beyond() -> None:
    canvas = Canvas.of_ground(np.zeros((200, 200, 3), np.uint8), Sun((1.0, 0.0), 0.0, 0.1))
    car = sketch_car(np.random.default_rng(3))
    whole = canvas.place(car, Pose(100, 100, 0.3, 20.0), 0)
    beyond = canvas.place(car, Pose(198, 20, 0.3, 20.0), 1)
    assert beyond == pytest.approx(whole, rel=0.05)
    assert canvas.place(car, Pose(900, 100, 0.3, 20.0), 2) == 0


def test_a_shadow_falls_away_from_the_sun_as_far_as_height_says() -> None:
    canvas = Canvas.of_ground(np.zeros((300, 300, 3), np.uint8), Sun((0.0, 1.0), 1.5, 0.01))
    pose = Pose(150, 100, 0.0, 20.0)
    bus = sketch_bus(np.random.default_rng(2))
    canvas.place(bus, pose, 0)
    bottom = np.flatnonzero((canvas.shadow > 128).any(axis=1)).max()
    half_width = max(outline[:, 1].max() for outline in bus.bodies)
    assert bottom == pytest.approx(100 + (half_width + 1.5 * bus.height) * 20, abs=3)
    assert math.isclose(float(canvas.shadow[100, 150]), 0.0)
