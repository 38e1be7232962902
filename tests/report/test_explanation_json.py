"""``explain.json`` holds what was explained, and ``docs/explain.md`` describes every field of it and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detectattn.report.explanation import Explanation
from detectattn.report.explanation_json import render_json, to_json
from tests.explain.made_up import judge, make_explanation, make_pictures

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^###? `([^`]+)`\n(.*?)(?=^## |^### |\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `([^`]+)` \|.*\| ([^|]*)\|$", re.MULTILINE)
_NAMES = {
    "models": "NAME", "methods": "METHOD", "maps": "METHOD", "found": "NAME", "further": "NAME", "arrays": "NAME",
    "versions": "PACKAGE",
}  # fmt: skip
_FIGURE = {"value", "low", "high", "units", "unit"}
MAPS = {"layercam": (0.6, 0.2), "hirescam": (0.5, -0.1), "box_blob": (0.9, 0.1), "random": (0.1, -0.6)}


@pytest.fixture
def scored() -> Explanation:
    pictures = make_pictures({"one": MAPS, "two": MAPS})
    bare = replace(pictures[0], sheet=None, below=("two",))
    return make_explanation(judge(pictures, {"one": "attention", "two": "cnn"}), (bare, *pictures[1:]))


@pytest.fixture
def unscored() -> Explanation:
    pictures = make_pictures(
        {"one": {"layercam": (0.6, None), "random": (float("nan"), None)}, "two": {}}, images=1, each=1
    )
    return make_explanation(judge(pictures, {"one": "attention", "two": "cnn"}), pictures)


def iter_documented() -> Iterator[tuple[str, str]]:
    for title, text in _SECTION.findall(_PAGE):
        prefix = "" if title == "explain.json" else f"{title}."
        for field, null in _ROW.findall(text):
            yield f"{prefix}{field}", null.strip()


def iter_fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every path that is no object of fields, and what is there."""
    if isinstance(value, dict) and set(value) != _FIGURE and path != "machine" and value:
        last = path.rpartition(".")[2]
        for key, item in value.items():
            yield from iter_fields(item, f"{path}.{_NAMES.get(last, key)}".lstrip("."))
        return
    yield path, value
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from iter_fields(item, f"{path}[]")


def list_paths(*explanations: Explanation) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for explanation in explanations:
        for path, value in iter_fields(to_json(explanation)):
            found.setdefault(path, []).append(value)
    return found


def test_every_field_is_described_and_no_other(scored: Explanation, unscored: Explanation) -> None:
    found = set(list_paths(scored, unscored))
    documented = {path for path, _ in iter_documented()}
    # What holds only other fields is described by them, and by a line of its own.
    holders = {
        "models",
        "models.NAME.methods",
        "pictures[].objects[].found.NAME.maps",
        "pictures[].objects[].found.NAME",
    }
    assert found - documented == set()
    assert documented - found - holders == set()


def test_what_can_be_null_says_when(scored: Explanation, unscored: Explanation) -> None:
    said = dict(iter_documented())
    nulls = {path for path, values in list_paths(scored, unscored).items() if None in values}
    assert nulls >= {"pictures[].sheet", "fractions", "models.NAME.methods.METHOD.over_box"}
    assert {path for path in nulls if not said.get(path)} == set()


def test_the_text_holds_the_content(scored: Explanation, unscored: Explanation) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    for explanation in (scored, unscored):
        assert json.loads(render_json(explanation), parse_constant=refuse) == to_json(explanation)
    content = to_json(scored)
    assert list(content)[:3] == ["schema", "kind", "created"]
    assert (content["schema"], content["kind"]) == (1, "explanation")


def test_figures_are_under_their_names_and_not_rounded(scored: Explanation) -> None:
    content = to_json(scored)
    [one, two] = scored.models
    assert list(content["models"]) == ["one", "two"]
    figures = next(f for f in two.methods if f.method == "hirescam")
    entry = content["models"]["two"]["methods"]["hirescam"]
    assert figures.faithfulness is not None
    assert entry["faithfulness"]["value"] == figures.faithfulness.value
    assert entry["worth"] == "no more than the box"
    assert next(iter(content["models"]["one"]["methods"])) == one.default_method
    found = scored.pictures[1].objects[0].found[0]
    assert found is not None
    shown = content["pictures"][1]["objects"][0]["found"]["one"]
    assert shown["maps"]["layercam"]["energy"] == found.scores[0].energy
    assert content["fractions"] == [0.1, 0.5]
    assert content["pictures"][0]["below"] == ["two"]


def test_what_no_model_finds_and_what_was_not_scored_is_null(unscored: Explanation) -> None:
    content = to_json(unscored)
    [item] = content["pictures"][0]["objects"]
    assert item["found"]["two"] is None
    assert item["found"]["one"]["maps"]["layercam"]["insertion"] is None
    assert item["found"]["one"]["maps"]["random"]["energy"] is None
    assert content["models"]["two"]["methods"] == {}
    assert content["fractions"] is None
