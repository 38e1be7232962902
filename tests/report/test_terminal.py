"""The closing lines of a study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectattn.report.columns import WIDTH, align, measure, shorten, wrap
from detectattn.report.content import Caveat, Report, Sentence
from detectattn.report.json_file import to_json
from detectattn.report.terminal import render_terminal

FOLDER = "runs/compare-001"


def find_row(report: Report, name: str) -> list[str]:
    [line] = [line for line in render_terminal(report, FOLDER) if line.lstrip("* ").startswith(f"{name}  ")]
    return line.split()


@pytest.mark.parametrize("name", ["study", "without_truth", "lone"])
def test_lines_fit_a_terminal(name: str, request: pytest.FixtureRequest) -> None:
    lines = render_terminal(request.getfixturevalue(name), FOLDER)
    assert max(map(measure, lines)) <= WIDTH
    assert "\n" not in "".join(lines)
    assert all(line == line.rstrip() for line in lines)


def test_the_verdict_comes_first_word_for_word(study: Report) -> None:
    long = "Which is more accurate is not decided on these 24 images; " * 4
    study = replace(study, verdict=(Sentence("accuracy", long, ("a",)), *study.verdict))
    lines = render_terminal(study, FOLDER)
    verdict = " ".join(" ".join(lines[: lines.index("")]).split())
    assert verdict == " ".join(" ".join(sentence.text for sentence in study.verdict).split())
    assert lines[1].startswith("  ")


def test_a_line_a_model_from_the_json(study: Report) -> None:
    model = to_json(study)["models"]["rtdetr-l"]
    mark, _, p50, p95, rate, peak, ap, ap50 = find_row(study, "rtdetr-l")
    assert mark == "*"
    assert [p50, p95] == [f"{model['speed'][key]:.0f}" for key in ("p50_ms", "p95_ms")]
    assert rate == f"{model['speed']['images_per_s']:.1f}"
    assert peak == f"{model['memory']['peak_device_mb']:.0f}"
    assert [ap, ap50] == [f"{model['accuracy'][key]:.3f}" for key in ("ap50_95", "ap50")]


def test_variants_failures_and_predictions_have_their_line(study: Report) -> None:
    assert find_row(study, "decoder_layers 3")[0] == "*"
    assert find_row(study, "broken") == ["broken", "failed", "–", "–", "–", "–", "–"]
    assert find_row(study, "elsewhere") == ["elsewhere", "–", "–", "–", "–", "0.300", "0.500"]


def test_times_that_are_not_trusted_are_marked(study: Report) -> None:
    assert find_row(study, "yolo11n")[2] == "43.1†"
    assert [cell.endswith("†") for cell in find_row(study, "yolo11n")[2:5]] == [True, True, True]
    assert any(line.startswith("† not to be trusted") for line in render_terminal(study, FOLDER))
    quiet = replace(study, models=study.models[:2])
    assert "†" not in "".join(render_terminal(quiet, FOLDER))


def test_without_truth_there_are_counts_instead(without_truth: Report) -> None:
    text = "\n".join(render_terminal(replace(without_truth, verdict=()), FOLDER))
    assert "AP" not in text
    assert find_row(without_truth, "yolo11n")[-1] == "301"
    assert "none is both as fast and closer to rtdetr-l" in text


def test_gates_that_failed_are_named(study: Report) -> None:
    lines = render_terminal(study, FOLDER)
    at = lines.index("failed: yolo11n.p50_ms > 40 ms")
    assert lines[at + 1] == "  The p50_ms of yolo11n is 43.1 ms, which is above 40 ms."
    assert not any("rtdetr-l.ap50_95 <" in line for line in lines)
    assert "the gate passed" in render_terminal(replace(study, gates=study.gates[:1]), FOLDER)


def test_the_last_lines_are_what_to_open_and_what_to_type(without_truth: Report) -> None:
    assert render_terminal(without_truth, FOLDER)[-5:] == [
        "report    runs/compare-001/report.html",
        "figures   runs/compare-001/report.json",
        "disputed  runs/compare-001/disputed/disputed.csv",
        "pictures  runs/compare-001/pictures/",
        "next      correct the labels in disputed/ by hand, and give them with --truth",
    ]
    stopped = render_terminal(replace(without_truth, status="interrupted"), "my runs/1")
    assert stopped[-1] == "next      detectattn compare --resume 'my runs/1'"
    assert "note: the study was interrupted: models are missing." in stopped


def test_a_long_folder_is_not_broken(study: Report) -> None:
    folder = f"/data/{'long/' * 20}runs/compare-001"
    lines = render_terminal(study, folder)
    assert [line for line in lines if measure(line) > WIDTH] == [folder]
    assert lines[lines.index(folder) + 1] == "report    report.html"


def test_many_caveats_are_counted(study: Report) -> None:
    many = tuple(Caveat("model", f"Note {i}.") for i in range(20))
    lines = render_terminal(replace(study, caveats=many), FOLDER)
    assert "note: Note 7." in lines
    assert "note: 12 more to know, in report.html." in lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.text(max_size=120))
def test_no_name_breaks_a_line(study: Report, hostile: Callable[[Report, str], Report], text: str) -> None:
    lines = render_terminal(hostile(study, text), FOLDER)
    assert max(map(measure, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)


@given(st.text(st.characters(exclude_categories=("C",))), st.integers(5, 40))
def test_what_is_shortened_fits_and_keeps_both_ends(text: str, width: int) -> None:
    shown = shorten(text, width)
    assert measure(shown) <= width
    head, cut, tail = shown.partition("…")
    assert shown == text or (cut and text.startswith(head) and text.endswith(tail))


def test_wide_characters_take_two_columns() -> None:
    assert measure("模型") == 4
    assert measure("e\N{COMBINING ACUTE ACCENT}") == 1
    assert shorten("模型模型模型", 7) == "模…模型"
    header, row = align(("name", "n"), [("模型", "1")], numbers=[1])
    assert measure(header) == measure(row)


@given(st.text())
def test_wrapping_loses_nothing(text: str) -> None:
    lines = wrap(text, first="note: ", rest="  ")
    assert max(map(measure, lines)) <= WIDTH
    assert "".join("".join(lines).removeprefix("note: ").split()) == "".join(text.split())
