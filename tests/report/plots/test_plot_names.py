"""Names and labels that fit."""

from __future__ import annotations

from itertools import pairwise

import pytest

from detectattn.report.plots.label_places import place_labels
from detectattn.report.plots.names import clean_name, join_words, label_names
from detectattn.report.plots.spread import spread_apart


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("rtdetr-l", "rtdetr-l"),
        ("", "(no name)"),
        (" \n\t ", "(no name)"),
        ("a\nb\x00c", "a b c"),
        ("x\ud800y", "x y"),
        ("\u202eabc", "abc"),
        ("abcdefghijklmnop", "abcdef…lmnop"),
    ],
)
def test_names_become_one_short_line(name: str, clean: str) -> None:
    assert clean_name(name, 12) == clean


def test_labels_are_unlike_one_another_and_short() -> None:
    names = [f"{'x' * 40}{i}{'y' * 40}" for i in range(12)] + ["a\n", "a"]
    labels = label_names(names, 20)

    assert len(set(labels.values())) == len(names)
    assert max(map(len, labels.values())) <= 20


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abcde"), "a, b, c and 2 more")],
)
def test_words_are_joined(words: list[str], text: str) -> None:
    assert join_words(words, 3) == text


def test_labels_of_close_points_do_not_overlap() -> None:
    points = [(100.0, 100.0), (130.0, 104.0), (120.0, 96.0)]
    places = place_labels(points, ["first", "second", "third"], 600, 300)

    boxes = []
    for (x, y), label, place in zip(points, ("first", "second", "third"), places, strict=True):
        assert place is not None
        length = 6 * len(label)
        left = x + place.dx - {"left": 0, "center": length / 2, "right": length}[place.align]
        boxes.append((left, y + place.dy - 6, left + length, y + place.dy + 6))
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_labels_keep_off_bars_where_they_can() -> None:
    bar = (130.0, 0.0, 130.0, 300.0)
    [freely] = place_labels([(100.0, 150.0)], ["a label"], 600, 300)
    [aside] = place_labels([(100.0, 150.0)], ["a label"], 600, 300, [bar])
    [anyway] = place_labels([(5.0, 150.0)], ["a label"], 600, 300, [bar, (20.0, 0.0, 20.0, 300.0)])

    assert freely is not None
    assert freely.align == "left"
    assert aside is not None
    assert aside.align == "right"
    assert anyway is not None


def test_a_label_without_room_is_left_out() -> None:
    crowd = [(300.0 + i % 5, 150.0 + i // 5) for i in range(40)]

    places = place_labels(crowd, ["a rather long label"] * 40, 600, 300)

    assert places[0] is not None
    assert places.count(None) > 20


def test_labels_stay_inside_of_the_plot() -> None:
    [place] = place_labels([(598.0, 150.0)], ["a label"], 600, 300)

    assert place is not None
    assert place.align == "right"


def test_places_are_moved_no_more_than_is_needed() -> None:
    assert spread_apart([0.0, 10.0, 100.0], least=5) == [0, 10, 100]
    assert spread_apart([50.0, 50.0], least=10) == [45, 55]
    moved = sorted(spread_apart([3.0, 1.0, 2.0, 2.0], least=4))
    assert all(b - a >= 4 - 1e-9 for a, b in pairwise(moved))
