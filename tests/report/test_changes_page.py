"""``docs/changes.md`` describes every field that ``changes.json`` has, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detectattn.compare.changes import build_changes
from detectattn.report.changes_json import changes_to_json
from tests.compare.changes.studies import IMAGES, Entrant, forget_records, make_side

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "changes.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^###? (`[^\n]+`)\n(.*?)(?=^## |^### |\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `([^`]+)` \|.*\| ([^|]*)\|$", re.MULTILINE)


def iter_documented() -> Iterator[tuple[str, str]]:
    """Every field, and when it is null."""
    for title, text in _SECTION.findall(_PAGE):
        for part in re.findall("`([^`]+)`", title):
            prefix = "" if part == "changes.json" else f"{part}."
            yield from ((f"{prefix}{field}", null.strip()) for field, null in _ROW.findall(text))


def iter_fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every path and what is there."""
    yield path, value
    if path.startswith("conditions[]."):
        return  # whatever a study records
    if isinstance(value, dict):
        for key, item in value.items():
            yield from iter_fields(item, f"{path}.{'NAME' if path == 'models' else key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from iter_fields(item, f"{path}[]")


@pytest.fixture(scope="module")
def fields() -> list[tuple[str, Any]]:
    """Of comparisons in which everything occurs."""
    pair = {"yolo": Entrant(), "detr": Entrant(forward_ms=80.0), "gone": Entrant(misses=frozenset(range(4)))}
    worse = {**pair, "yolo": Entrant(shift=6.0, misses=frozenset({1})), "detr": Entrant(info={"engine": "torch"})}
    before = make_side("a", pair)
    other = make_side("b", worse, [*IMAGES[1:], "99.png"], truth=3.0, versions={"python": "4"})
    resized = make_side("c", pair, IMAGES[:2], size_hw=(90, 90), truth=False)
    broken = make_side("d", {**pair, "yolo": Entrant(error="out of memory")})
    hollow = replace(forget_records(before), content={"models": {"yolo": {"status": "finished"}}})
    pairs = [(before, other), (before, resized), (before, broken), (forget_records(before), other), (hollow, before)]
    pairs += [(before, hollow), (hollow, hollow)]
    return [field for then, now in pairs for field in iter_fields(changes_to_json(build_changes(then, now)))]


def test_every_field_is_described_and_no_other(fields: list[tuple[str, Any]]) -> None:
    occurring = {path for path, _ in fields}
    # What holds fields of its own is described by those.
    holders = {"", "models.NAME", *(path for path in occurring if path.endswith("[]"))}
    holders |= {
        path for path, value in fields if isinstance(value, dict | list) and any(isinstance(v, dict) for v in value)
    }
    holders |= {"rankings[].before", "rankings[].after", "images.removed", "images.added", "images.resized"}
    documented = {path for path, _ in iter_documented()}
    assert occurring - documented - holders == set()
    assert documented - occurring == set()


def test_what_can_be_null_says_when(fields: list[tuple[str, Any]]) -> None:
    said = dict(iter_documented())
    assert {path for path, value in fields if value is None and not said.get(path)} == set()


def test_what_is_said_to_be_null_can_be(fields: list[tuple[str, Any]]) -> None:
    nulls = {path for path, value in fields if value is None}
    said = {path for path, null in iter_documented() if null}
    # A single image, or one without objects, leaves nothing to say.
    rare = re.compile(r"rankings\[\]|most_changed|^after\.|agreement$|detections\.(low|high)$|conditions")
    assert {path for path in said - nulls if not rare.search(path)} == set()
