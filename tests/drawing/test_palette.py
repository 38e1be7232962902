from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.classes import COCO_NAMES
from detectattn.drawing.palette import PALETTE, casing_color, class_color, compute_contrast, text_color

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
channels = st.tuples(*[st.integers(0, 255)] * 3)


def oklab(color, deficiency):
    """100 × OKLab (Ottosson 2020) of a colour as a person with the deficiency sees it."""
    srgb = np.array(color) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear, 0, 1)
    lms = np.cbrt(
        [[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.6806995, 0.10739696], [0.08830246, 0.28171884, 0.62997871]]
        @ seen
    )
    to_lab = [
        [0.21045426, 0.79361779, -0.00407205],
        [1.97799850, -2.42859221, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
    return 100 * np.array(to_lab) @ lms


@pytest.mark.parametrize(
    ("deficiency", "least"), [("none", 10.0), ("protanopia", 8.0), ("deuteranopia", 8.0), ("tritanopia", 6.5)]
)
def test_any_two_colours_stay_apart(deficiency, least):
    seen = [oklab(color, deficiency) for color in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > least


def test_every_coco_class_has_a_fixed_place_and_all_places_are_used():
    used = [class_color(name) for name in COCO_NAMES]
    assert {color: used.count(color) for color in PALETTE} == dict.fromkeys(PALETTE, 5)


@pytest.mark.parametrize(
    "scene",
    [
        "person bicycle car motorcycle bus truck",
        "person|car|traffic light|stop sign|bus|truck|backpack|handbag",
        "person|chair|couch|dining table|cup|bottle|laptop|tv",
        "fork knife spoon cup bowl bottle",
        "person dog cat bird horse cow sheep",
        "laptop|mouse|keyboard|cell phone|cup|book",
    ],
)
def test_what_appears_together_looks_different(scene):
    names = scene.split("|") if "|" in scene else scene.split()
    assert set(names) <= set(COCO_NAMES)
    assert len({class_color(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("person", "Person"),
        ("traffic light", "traffic_light"),
        ("motorbike", "motorcycle"),
        ("강아지", "\u1100\u1161\u11bc아지"),
    ],
)
def test_one_class_has_one_colour_however_it_is_written(one, same):
    assert class_color(one) == class_color(same)


def test_colours_are_the_same_in_every_run():
    assert class_color("person") == (0x23, 0xDB, 0x8B)
    assert class_color("forklift") == PALETTE[12]
    assert class_color("강아지") == PALETTE[13]


@given(channels)
def test_text_reads_on_any_ground(background):
    assert compute_contrast(background, text_color(background)) >= 4.5


@given(channels)
def test_casing_is_darker_than_its_line(color):
    assert all(dark <= bright for dark, bright in zip(casing_color(color), color, strict=True))


@pytest.mark.parametrize("color", PALETTE)
def test_line_or_casing_shows_on_any_grey(color):
    for grey in range(256):
        ground = (grey, grey, grey)
        assert max(compute_contrast(color, ground), compute_contrast(casing_color(color), ground)) >= 1.75


def test_contrast_has_the_published_ends():
    assert compute_contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert compute_contrast((10, 20, 30), (10, 20, 30)) == 1
