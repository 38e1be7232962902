"""What a model says of its classes is held to what tables of them can be made for."""

from __future__ import annotations

from typing import Any

import pytest

from detectattn.errors import CorruptWeights
from detectattn.weights.class_names import MAX_CLASSES, MAX_NAME_CHARACTERS, read_class_names


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (["a", "b"], {0: "a", 1: "b"}),
        ({1: "b", 0: "a"}, {1: "b", 0: "a"}),
        ({"0": "a", "1": "b"}, {0: "a", 1: "b"}),
        ([7, False, None, 1.5], {0: "7", 1: "False", 2: "None", 3: "1.5"}),  # as YAML reads such names
        (["same", "same"], {0: "same", 1: "same"}),
        (["x" * MAX_NAME_CHARACTERS], {0: "x" * MAX_NAME_CHARACTERS}),
        ([], {}),
    ],
)
def test_honest_names_are_read(names: Any, read: dict[int, str]) -> None:
    assert read_class_names(names, "model") == read


def test_the_largest_vocabulary_is_read() -> None:
    assert len(read_class_names(["a"] * MAX_CLASSES, "model")) == MAX_CLASSES


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ({0: "a", 999_999_999: "b"}, "names 2 classes, and numbers one of them 999999999: they must go from 0 to 1"),
        ({0: "a", 2: "b"}, "numbers one of them 2"),
        ({-1: "a"}, "numbers one of them -1"),
        ({"first": "a"}, "numbers one of them 'first'"),
        ({0.0: "a"}, r"numbers one of them 0\.0"),
        ({(0,): "a"}, "numbers one of them otherwise"),
        ({1 << 20_000: "a"}, "numbers one of them otherwise"),
        (["a"] * (MAX_CLASSES + 1), "names 100,001 classes, and 100,000 is the most"),
        (["x" * (MAX_NAME_CHARACTERS + 1)], "a name for class 0 of 10,001 characters, and 10,000 is the most"),
        (["a", ["b"]], "no text for the name of class 1"),
        ([1 << 20_000], "no text for the name of class 0"),
        ("abc", "names no classes"),
        (None, "names no classes"),
        (5, "names no classes"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_others_are_refused(names: Any, problem: str) -> None:
    with pytest.raises(CorruptWeights, match=f"model .*{problem}"):
        read_class_names(names, "model")
