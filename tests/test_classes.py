from __future__ import annotations

import pytest

from detectattn.classes import (
    COCO80_TO_91,
    COCO91_TO_80,
    COCO_NAMES,
    is_coco,
    nearest_names,
    resolve_class_ids,
    to_category_id,
)
from detectattn.errors import UnknownClass

COCO = dict(enumerate(COCO_NAMES))
ODD = {0: "Bus", 1: "7", 7: "crate", 8: "bus", 12: "자동차"}


def test_coco_categories():
    assert len(COCO_NAMES) == len(COCO80_TO_91) == len(set(COCO_NAMES)) == 80
    by_name = dict(zip(COCO_NAMES, COCO80_TO_91, strict=True))
    # From the published annotations: the ids on both sides of every gap.
    published = {"person": 1, "fire hydrant": 11, "stop sign": 13, "cow": 21, "backpack": 27, "umbrella": 28,
                 "handbag": 31, "wine glass": 46, "bed": 65, "dining table": 67, "toilet": 70, "tv": 72,
                 "refrigerator": 82, "book": 84, "toothbrush": 90}  # fmt: skip
    assert {name: by_name[name] for name in published} == published
    assert all(COCO91_TO_80[category_id] == i for i, category_id in enumerate(COCO80_TO_91))


def test_coco_names_are_ultralytics_names(ultralytics_assets):
    import yaml

    names = yaml.safe_load((ultralytics_assets.parent / "cfg/datasets/coco.yaml").read_text(encoding="utf-8"))["names"]
    assert names == COCO
    assert is_coco(names)


@pytest.mark.parametrize(
    ("class_id", "class_names", "category_id"),
    [(0, COCO, 1), (79, COCO, 90), (80, COCO, 81), (0, ODD, 1), (79, {}, 80), (0, {**COCO, 80: "more"}, 1)],
)
def test_category_id(class_id, class_names, category_id):
    assert to_category_id(class_id, class_names) == category_id


@pytest.mark.parametrize(
    ("class_names", "expected"),
    [(COCO, True), ({}, False), ({**COCO, 3: "motorbike"}, False), (dict(enumerate(reversed(COCO_NAMES))), False)],
)
def test_is_coco(class_names, expected):
    assert is_coco(class_names) is expected


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("moter cycle", "motorcycle"), ("PERSEN", "person"), ("traficlight", "traffic light"), ("xyzzy", None)],
)
def test_nearest_names(name, nearest):
    assert next(iter(nearest_names(name, COCO_NAMES)), None) == nearest


@pytest.mark.parametrize(
    ("wanted", "class_names", "expected"),
    [
        (["bus", "person"], COCO, [5, 0]),
        (["BUS", " Traffic Light "], COCO, [5, 9]),
        (["5", 5, "bus", 0], COCO, [5, 0]),
        (["bus"], ODD, [0, 8]),
        (["7"], ODD, [1]),
        ([7], ODD, [7]),
        (["자동차"], ODD, [12]),
        ([], COCO, []),
    ],
)
def test_resolve(wanted, class_names, expected):
    assert resolve_class_ids(wanted, class_names) == expected


@pytest.mark.parametrize(
    ("wanted", "class_names", "says"),
    [
        ("persn", COCO, "person"),
        ("80", COCO, "numbered 0 to 79"),
        (-1, COCO, "-1"),
        ("²", COCO, "²"),
        ("xyzzy", ODD, "crate"),
        ("bus", {}, "no class names"),
    ],
)
def test_a_class_that_the_model_lacks(wanted, class_names, says):
    with pytest.raises(UnknownClass) as caught:
        resolve_class_ids(["person", wanted] if class_names is COCO else [wanted], class_names)
    assert says in str(caught.value)
    assert repr(str(wanted)) in caught.value.problem
