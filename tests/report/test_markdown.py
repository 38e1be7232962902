"""``report.md``, as a Markdown parser reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from detectattn.report.content import Report
from detectattn.report.json_file import to_json
from detectattn.report.markdown import render_markdown
from detectattn.report.markdown.text import code_block, escape, picture, table
from detectattn.report.tables.base import Code, make_table

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "a|b|c",
    "`tick` ``two`` \\` end`",
    "line\nbreak\r\n\n# heading",
    "[link](javascript:alert(1)) ![p](http://x)",
    "*bold* _under_ __init__ ~~gone~~ $x$",
    "- list",
    "1. list",
    "> quote & &amp; &#124;",
    "--- | ---",
    "\\|",
    "caf\udce9 \u202e \x1b[31m",
)


def iter_tokens(text: str) -> Iterator[Token]:
    for token in _PARSER.parse(text):
        yield token
        yield from token.children or ()


def read_text(markdown: str) -> str:
    """What a reader sees."""
    return "".join(t.content for t in iter_tokens(markdown) if t.type in ("text", "text_special", "code_inline"))


def read_tables(text: str) -> list[list[list[str]]]:
    """Cells of every row of every table, as a reader sees them."""
    tables: list[list[list[str]]] = []
    for token, following in zip(tokens := _PARSER.parse(text), [*tokens[1:], tokens[-1]], strict=True):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("th_open", "td_open"):
            shown = (child.content for child in following.children or ())
            tables[-1][-1].append("".join(shown))
    return tables


def find_table(report: Report, *header: str) -> list[list[str]]:
    """Rows of the table that begins with these titles."""
    [found] = [t for t in read_tables(render_markdown(report)) if tuple(t[0][: len(header)]) == header]
    return found[1:]


def find_headings(text: str) -> list[str]:
    return re.findall(r"^## (.*)", text, re.MULTILINE)


def test_the_verdict_comes_first_and_word_for_word(study: Report) -> None:
    tokens = _PARSER.parse(render_markdown(study))
    titles = [tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open" and t.tag in ("h1", "h2")]
    assert titles[:2] == ["rtdetr-l, yolo11n and elsewhere compared", "Verdict"]
    start = next(i for i, t in enumerate(tokens) if t.type == "bullet_list_open")
    end = next(i for i, t in enumerate(tokens) if t.type == "bullet_list_close")
    said = [read_text(t.content) for t in tokens[start:end] if t.type == "inline"]
    assert said == [sentence.text for sentence in study.verdict]


@pytest.mark.parametrize("name", ["study", "without_truth", "lone"])
def test_every_row_has_as_many_cells_as_its_header(name: str, request: pytest.FixtureRequest) -> None:
    text = render_markdown(request.getfixturevalue(name))
    blocks = [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
    assert len(blocks) == len(read_tables(text)) > 3
    for lines in blocks:
        assert len({line.count("|") for line in lines}) == 1, lines


@pytest.mark.parametrize("name", ["study", "without_truth", "lone"])
def test_every_caveat_stands_once(name: str, request: pytest.FixtureRequest) -> None:
    report: Report = request.getfixturevalue(name)
    shown = read_text(render_markdown(report))
    assert [shown.count(caveat.text) for caveat in report.caveats] == [1] * len(report.caveats)


def test_times_stem_from_the_json(study: Report) -> None:
    models = to_json(study)["models"]
    rows = {row[0]: row for row in find_table(study, "model", "median (p50)")}
    assert list(rows) == ["rtdetr-l", "rtdetr-l decoder_layers=3", "yolo11n"]
    speed = models["rtdetr-l"]["speed"]
    assert rows["rtdetr-l"][1:4] == ["103 (101–105)", "125", "145"]
    assert [round(speed[key]) for key in ("p50_ms", "p50_low_ms", "p50_high_ms", "p95_ms", "p99_ms")] == [
        103, 101, 105, 125, 145,
    ]  # fmt: skip
    assert all("†" in cell for cell in rows["yolo11n"][1:])
    assert "†" not in "".join(rows["rtdetr-l"])
    [ratio, forward] = find_table(study, "median of")
    assert ratio == ["decode to boxes", "yolo11n", "rtdetr-l", "2.4×† (2.3–2.5)", "43.1†", "103", "yes"]
    assert forward[3:] == ["1.05×†", "30.2", "31.8†", "no"]


def test_accuracies_stem_from_the_json(study: Report) -> None:
    models = to_json(study)["models"]
    for name, ap, *others in find_table(study, "model", "AP", "AP50"):
        accuracy = models[name]["accuracy"]
        assert ap.startswith(f"{accuracy['ap50_95']:.3f}")
        keys = ("ap50", "ap75", "ar_1", "ar_10", "ar_100")
        assert others[:5] == [f"{accuracy[key]:.3f}" for key in keys]
    by_size = {row[0]: row[1:] for row in find_table(study, "model", "AP small")}
    assert by_size["rtdetr-l decoder_layers=3"][0] == "–"
    assert "– where no object has an area up to 32² pixels." in render_markdown(study)


def test_the_better_model_comes_first(study: Report) -> None:
    overall = find_table(study, "metric", "more accurate")
    assert overall[0][1:7] == ["rtdetr-l", "yolo11n", "0.610", "0.532", "0.078 (0.012–0.141)", "yes"]
    assert overall[1][1:] == [
        "yolo11n", "rtdetr-l", "0.810", "0.790", "0.020 (−0.050 to 0.090)", "no", "24", "about 300",
    ]  # fmt: skip
    assert find_table(study, "class", "more accurate") == [
        ["bus", "yolo11n", "rtdetr-l", "0.700", "0.400", "0.300 (0.0004–0.5000)"]
    ]


def test_an_operating_point_stands_once_by_all_that_it_is(study: Report) -> None:
    rows = [row[1:] for row in find_table(study, "model", "point") if row[0] == "rtdetr-l"]
    assert rows == [
        ["of this study, best F1", "0.412", "0.810", "0.740", "0.773", "0.560"],
        ["precision at least 0.900", "0.380", "0.900", "0.610", "0.727", "–"],
    ]


def test_what_objects_were_taken_for_comes_most_often_first(study: Report) -> None:
    rows = [row[1:] for row in find_table(study, "model", "what it is") if row[0] == "yolo11n"]
    assert rows == [["car", "bus", "7"], ["bus", "car", "2"], ["bus", "tram", "1"], ["tram", "bus", "1"]]


def test_what_no_model_has_takes_no_column(study: Report, without_truth: Report) -> None:
    [header] = [t[0] for t in read_tables(render_markdown(study)) if "weights (MB)" in t[0]]
    assert "energy an image (J)" in header
    unmetered = replace(without_truth, models=without_truth.models[1:])
    [header] = [t[0] for t in read_tables(render_markdown(unmetered)) if "weights (MB)" in t[0]]
    assert "energy an image (J)" not in header
    assert "peak on the device (MB)" not in header


def test_what_a_failed_model_lacks_is_no_zero(study: Report) -> None:
    [row] = [row for row in find_table(study, "model", "family") if row[0] == "broken"]
    assert row[-4:] == ["–", "–", "–", "failed: the process was killed for memory"]


def test_sections_follow_from_what_there_is(study: Report, without_truth: Report, lone: Report) -> None:
    assert find_headings(render_markdown(study)) == [
        "Verdict", "Gates", "Speed", "Memory and size", "Accuracy", "Agreement", "Frontier", "Conditions", "Models",
        "Machine and versions", "Command",
    ]  # fmt: skip
    assert find_headings(render_markdown(without_truth))[1:5] == ["Speed", "Memory and size", "Accuracy", "Agreement"]
    assert find_headings(render_markdown(lone)) == [
        "Memory and size", "Conditions", "Models", "Machine and versions", "Command",
    ]  # fmt: skip
    text = render_markdown(without_truth)
    section = text[text.index("## Accuracy") : text.index("## Agreement")]
    assert section == "## Accuracy\n\n> - There is no ground truth, so nothing here says which model is right.\n\n"


def test_failed_gates_come_first(study: Report) -> None:
    rows = find_table(study, "outcome")
    assert [row[0] for row in rows] == ["failed", "passed"]
    assert rows[0][1] == "yolo11n.p50_ms > 40 ms"


def test_pareto_points_are_marked(study: Report) -> None:
    frontier = study.frontier
    assert frontier is not None
    points = (replace(frontier.points[0], pareto=False), *frontier.points[1:])
    rows = find_table(replace(study, frontier=replace(frontier, points=points)), "", "model", "changed")
    assert [(row[0], row[1]) for row in rows] == [
        ("", "yolo11n"), ("●", "rtdetr-l decoder_layers=3"), ("●", "rtdetr-l"),
    ]  # fmt: skip


def test_pictures_are_linked_where_there_are_any(study: Report) -> None:
    images = [t for t in iter_tokens(render_markdown(study)) if t.type == "image"]
    assert [unquote(str(image.attrs["src"])) for image in images] == ["pictures/001-bus (1).jpg.jpg"]
    rows = find_table(study, "", "picture")
    assert [row[1:4] for row in rows] == [["street/bus.jpg", "0.710", "3"], ["clip.mp4, frame 25", "0.400", "8"]]


def test_the_command_can_be_typed_again(study: Report) -> None:
    [fence] = [t for t in _PARSER.parse(render_markdown(study)) if t.type == "fence"]
    assert fence.content == (
        "detectattn compare street/images clip.mp4 -m rtdetr-l --fail-if 'rtdetr-l.ap50_95 < 0.6'\n"
    )


def test_an_interrupted_study_says_so(study: Report) -> None:
    assert "**Interrupted.**" in render_markdown(replace(study, status="interrupted"))
    assert "nterrupted" not in render_markdown(study)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_becomes_markup(text: str, study: Report, hostile: Callable[[Report, str], Report]) -> None:
    plain, spread = (render_markdown(hostile(study, name)) for name in ("plain", text))
    spread.encode("utf-8")
    assert [t.type for t in _PARSER.parse(spread)] == [t.type for t in _PARSER.parse(plain)]
    kinds = {t.type for t in iter_tokens(spread)}
    assert not kinds & {"html_block", "html_inline", "link_open", "s_open", "hardbreak"}
    images = [t for t in iter_tokens(spread) if t.type == "image"]
    assert [str(image.attrs["src"]) for image in images] == ["pictures/001-bus%20%281%29.jpg.jpg"]
    assert [len(row) for t in read_tables(spread) for row in t] == [len(row) for t in read_tables(plain) for row in t]


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from(" |`\\<>&*_[]()#~!-+=1."))


@given(_TEXT)
@example("a\\|b")
@example("`")
@example("__init__.py")
def test_a_reader_sees_the_text_itself(text: str) -> None:
    shown = text.strip()
    for block in (escape(text), f"- {escape(text)}", f"# {escape(text)}"):
        assert read_text(block).strip() == shown
    [[header, row]] = read_tables(table(make_table("t", "c", ("x", text), [(text, "y")])))
    assert (header[1].strip(), row[0].strip()) == (shown, shown)


@given(_TEXT)
def test_code_shows_the_text_itself(text: str) -> None:
    [[_, row]] = read_tables(table(make_table("t", "c", ("x", "y"), [(Code(text), "z")])))
    assert len(row) == 2
    assert row[0].strip() == text.strip()
    [fence] = _PARSER.parse(code_block(text))
    assert fence.content == f"{text}\n"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1))
def test_a_picture_has_its_path(path: str) -> None:
    [image] = [t for t in iter_tokens(picture(f"pictures/{path}", path)) if t.type == "image"]
    assert unquote(str(image.attrs["src"])) == f"pictures/{path}"


def test_line_breaks_in_names_show_as_such() -> None:
    assert read_text(escape("a\nb")) == "a\\nb"


def test_figures_are_those_of_the_json(study: Report) -> None:
    """Every number in the rows of times, sizes and accuracies rounds to one in the JSON."""
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", json.dumps(to_json(study)))]
    known = {f"{n * scale:.2e}" for n in numbers for scale in (1, -1, 100)} | {f"{n:.3f}" for n in numbers}
    for header in (("model", "median (p50)"), ("model", "decode"), ("model", "AP", "AP50"), ("model", "wrong class")):
        for row in find_table(study, *header):
            for shown in re.findall(r"\d[\d,]*\.?\d*", " ".join(row[1:])):
                number = float(shown.replace(",", ""))
                assert f"{number:.2e}" in known or f"{number:.3f}" in known, (shown, row)
