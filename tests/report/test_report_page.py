"""``docs/report.md`` describes every field that ``report.json`` has, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detectattn.compare.gate_figures import FIGURE_NAMES, FigureName
from detectattn.machine import collect_machine
from detectattn.report.content import Report
from detectattn.report.json_file import to_json

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^###? `([^`]+)`\n(.*?)(?=^## |^### |\Z)", re.MULTILINE | re.DOTALL)
# Objects whose keys are names rather than fields, and what the page calls those.
_NAMES = {
    "models": "NAME", "per_class": "CLASS", "versions": "PACKAGE", "variant": "AXIS", "images_per_s_by_batch": "BATCH",
    "left_out": "CLASS", "classes_left_out": "NAME", "alone": "NAME", "only": "NAME",
}  # fmt: skip


def iter_documented() -> Iterator[str]:
    for title, text in _SECTION.findall(_PAGE):
        prefix = "" if title == "report.json" else f"{title}."
        for field in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE):
            yield f"{prefix}{field}"


def iter_fields(value: Any, path: str = "") -> Iterator[tuple[str, bool]]:
    """Every path, and whether it ends there."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        yield path, False
        for item in value:
            yield from iter_fields(item, f"{path}[]")
    elif isinstance(value, dict):
        yield path, False
        for key, item in value.items():
            yield from iter_fields(item, f"{path}.{name_key(path, key, item)}".lstrip("."))
    else:
        yield path, True


def name_key(path: str, key: str, item: Any) -> str:
    last = path.rpartition(".")[2]
    if last == "undefined":
        return "METRIC" if path.endswith("accuracy.undefined") else "PART"
    if isinstance(item, dict) and last in ("operating_points", "errors"):
        return {"operating_points": "POINT", "errors": "KIND"}[last]
    return _NAMES.get(last, key)


def list_fields(report: Report) -> tuple[set[str], set[str]]:
    """What occurs, and what of it must be described: what holds no other fields."""
    content = to_json(report)
    found = set(iter_fields(content))
    alike = {
        f"models.NAME.{part}.{key}"
        for model in content["models"].values()
        for part in ("operating_points", "errors")
        for key in model[part] or ()
    }
    # A part that is null for one model is an object for another.
    objects = {path for path, ends in found if not ends}
    return {path for path, _ in found} | alike, ({path for path, ends in found if ends} - objects) | alike


def test_every_field_is_described_and_no_other(study: Report) -> None:
    occurring, required = list_fields(study)
    documented = set(iter_documented())
    assert required - documented == set()
    assert documented - occurring == set()


def test_both_kinds_of_pairs_are_described_in_order(study: Report) -> None:
    [text] = [text for title, text in _SECTION.findall(_PAGE) if title == "pairs[]"]
    described = [re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE) for part in text.split("Then the accuracies")]
    pairs = to_json(study)["pairs"]
    assert described == [list(pairs[0]), list(pairs[-1])]


@pytest.mark.parametrize("figure", FIGURE_NAMES, ids=str)
def test_the_figures_that_conditions_can_name_are_there(figure: FigureName, study: Report) -> None:
    part = to_json(study)["models"]["rtdetr-l"]
    for key in figure.keys:
        part = part[key]
    assert part is None or isinstance(part, float | int)


def test_the_machine_is_described() -> None:
    documented = {path.removeprefix("machine.") for path in iter_documented() if path.startswith("machine.")}
    assert documented == set(collect_machine())


def test_what_can_be_null_says_when(study: Report) -> None:
    """Every field that is null in the study has an entry in the last column."""
    said = {}
    for title, text in _SECTION.findall(_PAGE):
        prefix = "" if title == "report.json" else f"{title}."
        for field, null in re.findall(r"^\| `([^`]+)` \|.*\| ([^|]*)\|$", text, re.MULTILINE):
            said[f"{prefix}{field}"] = said.get(f"{prefix}{field}", "") + null.strip()
    nulls = set(iter_nulls(to_json(study)))
    assert {path for path in nulls if not said.get(path)} == set()


def iter_nulls(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from iter_nulls(item, f"{path}.{name_key(path, key, item)}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from iter_nulls(item, f"{path}[]" if isinstance(item, dict) else path)
    elif value is None:
        yield path
