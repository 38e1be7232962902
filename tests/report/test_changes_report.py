"""A comparison of two studies as JSON, as Markdown, as a page, in plots and in a terminal."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectattn.compare.changes import build_changes
from detectattn.report.changes import Changes, ConditionChange, Finding
from detectattn.report.changes_cells import FIGURE_NAMES, value_text
from detectattn.report.changes_json import changes_to_json, render_changes_json
from detectattn.report.changes_terminal import render_changes_terminal
from detectattn.report.columns import WIDTH, measure
from detectattn.report.content import Caveat
from detectattn.report.html.changes import render_changes_html
from detectattn.report.markdown.changes import render_changes_markdown
from detectattn.report.plots.changes import build_change_plots
from detectattn.report.tables.base import Cell
from detectattn.report.tables.changes import (
    accuracy_change_table,
    changed_image_table,
    class_change_table,
    condition_change_table,
    detection_table,
    figure_table,
    ranking_table,
    speed_change_table,
)
from tests.compare.changes.studies import IMAGES, Entrant, forget_records, make_side

FOLDER = "runs/report-001"


def make_changes() -> Changes:
    """One model that got worse and slower, one that lost objects, one on another engine, one that is gone."""
    before = make_side(
        "runs/compare-001",
        {"yolo": Entrant(), "detr": Entrant(forward_ms=80.0), "third": Entrant(), "old": Entrant()},
    )
    after = make_side(
        "runs/compare-002",
        {
            "yolo": Entrant(shift=6.0, sha256="b" * 64, forward_ms=50.0, memory_mb=700.0),
            "detr": Entrant(forward_ms=78.5, misses=frozenset({2})),
            "third": Entrant(info={"engine": "torch"}),
        },
        IMAGES[2:],
        versions={"python": "3.13"},
    )
    return build_changes(before, after)


@pytest.fixture(scope="module")
def changes() -> Changes:
    return make_changes()


@pytest.fixture(scope="module")
def unpaired() -> Changes:
    """Two reports without their records."""
    entrants = {"yolo": Entrant(), "detr": Entrant(forward_ms=80.0)}
    sides = make_side("a", entrants), make_side("b", {**entrants, "yolo": Entrant(shift=6.0)})
    return build_changes(*map(forget_records, sides))


@pytest.fixture(scope="module")
def untrue() -> Changes:
    """Two studies without ground truth."""
    sides = [
        make_side(run, {"yolo": Entrant(shift=s, forward_ms=None)}, truth=False) for run, s in (("a", 0), ("b", 9))
    ]
    return build_changes(sides[0], sides[1])


EVERY = ("changes", "unpaired", "untrue")


@pytest.fixture(params=EVERY)
def every(request: pytest.FixtureRequest) -> Changes:
    found: Changes = request.getfixturevalue(request.param)
    return found


def test_the_text_of_the_json_is_its_content(every: Changes) -> None:
    content = changes_to_json(every)
    assert json.loads(render_changes_json(every)) == content
    assert (content["schema"], content["kind"]) == (1, "changes")
    assert list(content["models"]) == [model.name for model in every.models]


def test_lines_fit_a_terminal(every: Changes) -> None:
    lines = render_changes_terminal(every, FOLDER)
    assert max(map(measure, lines)) <= WIDTH
    assert lines[-3:] == [
        "page      runs/report-001/changes.html",
        "text      runs/report-001/changes.md",
        "figures   runs/report-001/changes.json",
    ]
    assert " ".join(lines).startswith(every.findings[0].text[:40])


def test_a_line_a_model(changes: Changes) -> None:
    lines = render_changes_terminal(changes, FOLDER)
    [row] = [line.split() for line in lines if line.startswith("yolo  ")]
    model = changes.models[0]
    assert model.accuracy is not None
    overall = model.accuracy.differences[0]
    assert row[1:4] == [f"{overall.before:.3f}", f"{overall.after:.3f}", f"{overall.difference:.3f}*".replace("-", "−")]
    assert row[6] == "1.23×*"
    assert row[7:] == ["33", "7", "7"]


def test_large_counts_never_widen_the_table(changes: Changes) -> None:
    model = changes.models[0]
    assert model.detections is not None
    huge = replace(model.detections, both=10**12, only_before=10**12, only_after=10**12)
    lines = render_changes_terminal(replace(changes, models=(replace(model, detections=huge),)), FOLDER)
    assert max(map(measure, lines)) <= WIDTH


def test_a_long_folder_is_not_broken(changes: Changes) -> None:
    folder = "/data/" + "long/" * 30
    lines = render_changes_terminal(changes, folder)
    assert [line for line in lines if measure(line) > WIDTH] == [folder]


def test_what_does_not_fit_is_counted(changes: Changes) -> None:
    many = replace(
        changes,
        findings=tuple(Finding("speed", "open", f"Sentence {i}.") for i in range(20)),
        caveats=tuple(Caveat("model", f"Note {i}.") for i in range(10)),
        conditions=tuple(ConditionChange("options", f"--o{i}", 1, 2) for i in range(11)),
    )
    text = "\n".join(render_changes_terminal(many, FOLDER))
    assert "8 more sentences are in changes.md." in text
    assert "note: 4 more to know, in changes.md." in text
    assert "changed: 5 more, in changes.md." in text


def iter_numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from iter_numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def iter_shown(cell: Cell) -> Iterator[str]:
    for part in cell if isinstance(cell, tuple) else (cell,):
        yield from re.findall(r"(?<![\w.])[−+]?[\d,]*\.?\d+(?![\w.])", str(part))


def is_held(shown: str, held: list[float]) -> bool:
    """Whether a number of the file is this one when it is written with as many decimals; a ratio may be turned."""
    value = float(shown.replace("−", "-").replace(",", ""))
    step = 10.0 ** -len(shown.partition(".")[2]) * 0.51
    return any(abs(abs(n) - abs(value)) <= step or (n and abs(1 / abs(n) - abs(value)) <= step) for n in held)


def test_every_number_of_a_table_is_in_the_json(every: Changes) -> None:
    held = [n for n in iter_numbers(changes_to_json(every)) if math.isfinite(n)]
    tables = [table(every) for table in (accuracy_change_table, speed_change_table, ranking_table, detection_table)]
    of_model = (class_change_table, changed_image_table, figure_table)
    tables += [table(model) for table in of_model for model in every.models]
    shown = {
        number
        for table in tables
        if table is not None
        for row in table.rows
        for i, cell in enumerate(row)
        if i != table.names_row
        for number in iter_shown(cell)
    }
    assert {number for number in shown if not is_held(number, held)} == set()
    assert len(shown) > 3


def test_every_figure_has_a_name(changes: Changes) -> None:
    assert {figure.figure for model in changes.models for figure in model.figures} <= set(FIGURE_NAMES)


def test_the_markdown_says_everything(changes: Changes) -> None:
    text = render_changes_markdown(changes)
    for title in ("What changed", "Accuracy", "Speed", "One model against another", "Detections", "Conditions"):
        assert f"\n## {title}\n" in text
    assert text.index("yolo lost") < text.index("## Accuracy")
    assert "| yolo | AP | 1.000 |" in text
    assert "another engine (openvino then, torch now)" in text
    assert "- `00.png`" in text
    assert "| model | engine of third | `openvino` | `torch` |" in text


def test_what_is_not_compared_says_why(unpaired: Changes) -> None:
    text = render_changes_markdown(unpaired)
    assert "Not compared image by image (yolo, detr): the records of a and b are not at hand." in text
    assert "## Detections" not in text


def test_nothing_is_said_of_what_there_is_not(untrue: Changes) -> None:
    text = render_changes_markdown(untrue)
    assert "## Accuracy" not in text
    assert "## Speed" not in text
    assert "## Detections" in text


@pytest.mark.parametrize(
    ("change", "value", "text"),
    [
        (ConditionChange("images", "median size of the images", None, None), [480, 640], "640×480"),
        (ConditionChange("machine", "memory bytes", None, None), 16_500_000_000, "16.5 GB"),
        (ConditionChange("command", "command", None, None), ["detectattn", "a b"], "detectattn 'a b'"),
        (ConditionChange("options", "--images", None, None), False, "no"),
        (ConditionChange("options", "--limit", None, None), None, "–"),
        (ConditionChange("options", "--truth", None, None), "", "none"),
        (ConditionChange("images", "sources", None, None), ["a", "b"], "a, b"),
        (ConditionChange("model", "variant of x", None, None), {"imgsz": 320}, "imgsz 320"),
    ],
)
def test_conditions_are_written_for_people(change: ConditionChange, value: Any, text: str) -> None:
    assert value_text(change, value) == text


class _Markup(HTMLParser):
    """Notes elements and what could be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Where a long name may break is no markup of its own.
        self.tags += [tag] if tag != "wbr" else []
        self.loaded += [
            value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")
        ]
        self.ids += [value or "" for name, value in attrs if name == "id"]


def read(page: str) -> _Markup:
    parser = _Markup()
    parser.feed(page)
    return parser


def test_the_page_is_whole(every: Changes) -> None:
    page = render_changes_html(every)
    found = read(page)
    assert found.loaded == []
    assert len(found.ids) == len(set(found.ids))
    assert not any(" " in anchor for anchor in found.ids)
    assert page == render_changes_html(every)
    assert "changes.json" in page


def test_the_page_tells_the_most_important_first(changes: Changes) -> None:
    page = render_changes_html(changes)
    assert page.index("lost 0.888 AP") < page.index("finds exactly the same")
    assert page.count('data-plot="changes-accuracy"') == page.count('data-plot="changes-speed"') == 1


def make_hostile(text: str) -> Changes:
    classes = {0: f"car {text}", 1: f"bus {text}"}
    entrants = {f"yolo {text}": Entrant(), f"detr {text}": Entrant(forward_ms=80.0)}
    other = {**entrants, f"yolo {text}": Entrant(shift=6.0, sha256="b" * 64, misses=frozenset({1}))}
    images = [f"{i:02}{text}.png" for i in range(6)]
    before = make_side(f"runs/{text}", entrants, images, classes=classes, versions={text: text})
    after = make_side(f"runs/b{text}", other, images[1:], classes=classes)
    return build_changes(before, after)


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "{{ 7 * 7 }}"])
def test_names_are_text_on_the_page(text: str) -> None:
    plain, hostile = (read(render_changes_html(make_hostile(t))) for t in ("plain", text))
    assert hostile.tags == plain.tags
    assert hostile.loaded == []


@pytest.mark.parametrize("text", ["a|b", "**x**", "<b>", "`x`", "[a](http://b)"])
def test_names_are_text_in_markdown(text: str) -> None:
    shown = render_changes_markdown(make_hostile(text))
    for line in shown.splitlines():
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            assert cells > 2
    assert f"| yolo {text} |" not in shown or text == "[a](http://b)"
    rows = [line.count("|") for line in shown.splitlines() if line.startswith("| yolo ")]
    plain = render_changes_markdown(make_hostile("plain"))
    assert rows == [line.count("|") for line in plain.splitlines() if line.startswith("| yolo ")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.text(max_size=120))
def test_no_name_breaks_a_line(changes: Changes, text: str) -> None:
    hostile = replace(
        changes,
        findings=(Finding("speed", "open", text or "x", (text,)),),
        caveats=(Caveat("model", text),),
        models=tuple(replace(model, name=text) for model in changes.models[:1]),
        conditions=(ConditionChange("options", text, text, [text, text]),),
    )
    lines = render_changes_terminal(hostile, FOLDER)
    assert max(map(measure, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)


def test_plots_tell_what_they_show(changes: Changes) -> None:
    accuracy, speed = build_change_plots(changes)
    assert "yolo: AP −0.888 (−0.930 to −0.807), 0.112, 1.000 before, decided" in accuracy.alt
    assert "third: 43.7 ms before, 43.7 ms after, not compared" in speed.alt
    assert {plot.section for plot in (accuracy, speed)} == {"changes"}
    for plot in (accuracy, speed):
        json.dumps(plot.spec, allow_nan=False)
        assert plot.spec["width"] == "container"


def test_there_is_no_plot_without_figures(unpaired: Changes, untrue: Changes) -> None:
    assert [plot.name for plot in build_change_plots(unpaired)] == ["changes-speed"]
    assert build_change_plots(untrue) == ()


def test_plots_can_be_drawn(changes: Changes) -> None:
    from detectattn.report.plots import render_png

    for plot in build_change_plots(changes):
        assert render_png(plot, width_px=400, scale=1).startswith(b"\x89PNG")


def test_conditions_table_names_what_changed(changes: Changes) -> None:
    table = condition_change_table(changes)
    assert table is not None
    assert ("versions", "python", "3.12", "3.13") in table.rows
