"""Panels say of every box who else finds it, and what the ground truth makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from detectattn.compare.panels import build_lone_panels, build_panels
from detectattn.drawing.families import TRUTH_COLOR, family_colors
from detectattn.drawing.marked_boxes import Mark
from detectattn.drawing.side_by_side import Panel, draw_side_by_side
from detectattn.evaluation.agreement import compute_agreement
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.types import Detections, Prediction

NAMES = {0: "person", 1: "bus", 2: "tie"}
LEFT, RIGHT, BELOW = (10, 10, 50, 50), (60, 10, 95, 50), (10, 60, 50, 95)
Box = tuple[float, float, float, float]
Found = Sequence[tuple[Box, float, int]]


def predict(model: str, found: Found, names: dict[int, str] | None = None, source: str = "x.jpg") -> Prediction:
    rows = sorted(found, key=lambda f: -f[1])
    detections = Detections(
        np.array([f[0] for f in rows], np.float32).reshape(-1, 4),
        np.array([f[1] for f in rows], np.float32),
        np.array([f[2] for f in rows], np.int32),
    )
    return Prediction(source, 0, (100, 100), detections, model, names or NAMES)


def make_truth(
    *objects: tuple[Box, int], names: Sequence[str] = ("bus", "person", "tie"), crowd: int = -1, ignored: int = -1,
    source: str = "x.jpg",
) -> GroundTruth:  # fmt: skip
    """Ground truth whose indices are not those of the models."""
    n = len(objects)
    there = ImageTruth(
        (100, 100),
        np.array([o[0] for o in objects], np.float32).reshape(-1, 4),
        np.array([o[1] for o in objects], np.int32),
        np.arange(n) == crowd,
        np.arange(n) == ignored,
        np.ones(n),
    )
    return GroundTruth(tuple(names), {(source, 0): there})


def build(truth: GroundTruth | None, **found: Found) -> dict[str, Panel]:
    agreement = compute_agreement({model: [predict(model, boxes)] for model, boxes in found.items()})
    return {p.title: p for p in build_panels(agreement.images[0], agreement, truth)}


def marks(panel: Panel) -> list[tuple[Mark, str]]:
    return [(box.mark, box.name) for box in panel.boxes]


def test_without_truth_the_marks_say_who_else_finds_an_object() -> None:
    panels = build(
        None,
        a=[(LEFT, 0.9, 0), (RIGHT, 0.8, 1), (BELOW, 0.7, 0)],
        b=[(LEFT, 0.9, 0), (RIGHT, 0.8, 1)],
        c=[(LEFT, 0.9, 0), (BELOW, 0.6, 1)],
    )
    assert list(panels) == ["a", "b", "c"]
    assert marks(panels["a"]) == [(Mark.ALL, "person"), (Mark.SOME, "bus"), (Mark.ONE, "person")]
    assert marks(panels["b"]) == [(Mark.ALL, "person"), (Mark.SOME, "bus")]
    assert marks(panels["c"]) == [(Mark.ALL, "person"), (Mark.ONE, "bus")]
    assert panels["a"].boxes[1].xyxy == RIGHT
    assert panels["a"].boxes[1].score == pytest.approx(0.8)


def test_truth_comes_first_and_tells_right_wrong_and_missed() -> None:
    truth = make_truth((LEFT, 1), (RIGHT, 0), (BELOW, 0))
    panels = build(truth, a=[(LEFT, 0.9, 0), (RIGHT, 0.8, 0)], b=[(LEFT, 0.9, 0), (RIGHT, 0.8, 1)])
    assert list(panels) == ["ground truth", "a", "b"]
    assert panels["ground truth"].is_truth
    assert panels["ground truth"].color == TRUTH_COLOR
    assert marks(panels["ground truth"]) == [(Mark.ALL, "person"), (Mark.SOME, "bus"), (Mark.NONE, "bus")]
    assert marks(panels["a"]) == [
        (Mark.ALL, "person"), (Mark.WRONG, "person"), (Mark.MISSED, "bus"), (Mark.MISSED, "bus"),
    ]  # fmt: skip
    assert marks(panels["b"]) == [(Mark.ALL, "person"), (Mark.ONE, "bus"), (Mark.MISSED, "bus")]


def test_of_two_boxes_on_one_object_the_less_sure_is_wrong() -> None:
    near = (12, 10, 52, 50)
    panels = build(make_truth((LEFT, 1)), a=[(near, 0.9, 0), (LEFT, 0.8, 0)], b=[])
    assert marks(panels["a"]) == [(Mark.ONE, "person"), (Mark.WRONG, "person")]
    assert panels["a"].boxes[0].xyxy == near


@pytest.mark.parametrize("kind", ["crowd", "ignored"])
def test_crowds_and_ignored_objects_do_not_count(kind: str) -> None:
    truth = make_truth((LEFT, 1), (BELOW, 0), **{kind: 0})
    panels = build(truth, a=[(LEFT, 0.9, 0), (BELOW, 0.9, 1)], b=[(BELOW, 0.9, 1)])
    assert marks(panels["ground truth"]) == [(Mark.UNCOUNTED, "person"), (Mark.ALL, "bus")]
    assert marks(panels["a"]) == [(Mark.UNCOUNTED, "person"), (Mark.ALL, "bus")]
    assert marks(panels["b"]) == [(Mark.ALL, "bus")]


def test_any_number_of_boxes_may_lie_inside_a_crowd() -> None:
    truth = make_truth(((0, 0, 100, 100), 1), (BELOW, 0), (RIGHT, 1), crowd=0)
    panels = build(truth, a=[((5, 5, 20, 20), 0.9, 0), (RIGHT, 0.8, 0), ((30, 5, 40, 20), 0.7, 0)], b=[(BELOW, 0.9, 0)])
    assert [m for m, _ in marks(panels["a"])] == [Mark.UNCOUNTED, Mark.ONE, Mark.UNCOUNTED, Mark.MISSED]
    assert [m for m, _ in marks(panels["b"])] == [Mark.UNCOUNTED, Mark.MISSED, Mark.MISSED]


def test_classes_without_truth_are_not_judged() -> None:
    for names in (("bus", "person"), ("bus", "person", "tie")):
        panels = build(make_truth((LEFT, 1), names=names), a=[(LEFT, 0.9, 0), (RIGHT, 0.8, 2)], b=[(LEFT, 0.9, 0)])
        assert marks(panels["a"]) == [(Mark.ALL, "person"), (Mark.UNCOUNTED, "tie")]


def test_objects_of_classes_that_not_all_models_know_do_not_count() -> None:
    records = {"a": [predict("a", [(LEFT, 0.9, 0)])], "b": [predict("b", [(LEFT, 0.9, 0)], {0: "person", 1: "dog"})]}
    agreement = compute_agreement(records)
    panels = build_panels(agreement.images[0], agreement, make_truth((LEFT, 1), (RIGHT, 0)))
    assert [marks(p) for p in panels] == [
        [(Mark.ALL, "person"), (Mark.UNCOUNTED, "bus")], [(Mark.ALL, "person")], [(Mark.ALL, "person")],
    ]  # fmt: skip


def test_a_picture_that_the_truth_does_not_cover_has_no_truth_panel() -> None:
    panels = build(make_truth((LEFT, 1), source="other.jpg"), a=[(LEFT, 0.9, 0)], b=[])
    assert list(panels) == ["a", "b"]
    assert marks(panels["a"]) == [(Mark.ONE, "person")]


def test_a_picture_without_objects_or_detections() -> None:
    assert [marks(p) for p in build(None, a=[], b=[]).values()] == [[], []]
    truth = make_truth()
    panels = build(truth, a=[(LEFT, 0.9, 0)], b=[])
    assert [marks(p) for p in panels.values()] == [[], [(Mark.UNCOUNTED, "person")], []]
    assert draw_side_by_side(np.zeros((100, 100, 3), np.uint8), tuple(panels.values())).any()


def test_one_model_alone() -> None:
    prediction = predict("a", [(LEFT, 0.9, 0), (RIGHT, 0.8, 0), (BELOW, 0.2, 1)])
    (panel,) = build_lone_panels(prediction, 0.25, family="cnn")
    assert marks(panel) == [(Mark.FOUND, "person"), (Mark.FOUND, "person")]
    assert panel.color == family_colors(["cnn"])[0]
    truth, judged = build_lone_panels(prediction, 0.25, make_truth((LEFT, 1), (BELOW, 0)))
    assert marks(truth) == [(Mark.ALL, "person"), (Mark.NONE, "bus")]
    assert marks(judged) == [(Mark.FOUND, "person"), (Mark.WRONG, "person"), (Mark.MISSED, "bus")]


def test_one_model_alone_with_gaps_in_its_classes() -> None:
    prediction = predict("a", [(LEFT, 0.9, 7), (RIGHT, 0.8, 99)], {3: "bus", 7: "person"})
    (panel,) = build_lone_panels(prediction, 0.25)
    assert marks(panel) == [(Mark.FOUND, "person")]


def test_models_of_one_family_take_shades_of_its_colour() -> None:
    colors = family_colors(["attention", "cnn", "attention", None, "hybrid", "attention", None])
    assert colors[0] == (0x8E, 0x5B, 0xD0)
    assert len(set(colors)) == len(colors)
    assert sum(colors[5]) < sum(colors[0]) < sum(colors[2])


def test_seven_models_in_one_picture() -> None:
    found: dict[str, Found] = {f"model-{k}": [(LEFT, 0.9, 0)] + [(RIGHT, 0.5, 1)] * (k == 3) for k in range(7)}
    panels = build(None, **found)
    assert len(panels) == 7
    assert [m for m, _ in marks(panels["model-3"])] == [Mark.ALL, Mark.ONE]
    assert draw_side_by_side(np.zeros((100, 100, 3), np.uint8), tuple(panels.values())).shape[1] > 800
