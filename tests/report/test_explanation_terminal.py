"""The closing lines of an explanation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from detectattn.report.explanation import Explanation
from detectattn.report.explanation_terminal import render_terminal
from tests.explain.made_up import judge, make_explanation, make_pictures

MAPS = {"layercam": (0.6, 0.2), "hirescam": (0.5, -0.1), "box_blob": (0.9, 0.1), "random": (0.1, -0.6)}
OUTPUTS = (("page", "explain.html"), ("sheets", "images/"))


@pytest.fixture
def scored() -> Explanation:
    pictures = make_pictures({"one": MAPS, "t\x1bwo": MAPS})
    return make_explanation(judge(pictures, {"one": "attention", "t\x1bwo": "cnn"}), pictures)


def test_sentences_first_then_a_line_a_model_and_map_then_what_to_open(scored: Explanation) -> None:
    lines = render_terminal(scored, "runs/explain-001", OUTPUTS, "add more")
    assert lines[:4] == ["One.", "", "note: Beware.", ""]
    assert max(map(len, lines)) <= 80
    table = lines[4:16]
    assert table[1] == "one"
    assert table[2].startswith("* layercam")
    assert table[2].endswith("says more than the box")
    assert "0.20 (0.1" in table[2]
    assert "−0.60 (−0.6" in table[5]
    assert table[6] == r"t\x1bwo"
    assert lines[-3:] == [
        "page      runs/explain-001/explain.html",
        "sheets    runs/explain-001/images/",
        "next      add more",
    ]


def test_without_scores_there_is_no_table(scored: Explanation) -> None:
    pictures = make_pictures({"one": {"layercam": (0.6, None)}})
    lines = render_terminal(make_explanation(judge(pictures, {"one": "cnn"}), pictures), "r", OUTPUTS)
    assert not any("faithfulness" in line for line in lines)
    assert lines[-1] == "sheets    r/images/"


def test_a_map_that_is_nothing_anywhere_has_a_dash(scored: Explanation) -> None:
    [model, _] = scored.models
    nothing = replace(model.methods[0].energy, value=math.nan)
    methods = (replace(model.methods[0], energy=nothing, faithfulness=None), *model.methods[1:])
    lines = render_terminal(replace(scored, models=(replace(model, methods=methods),)), "r", OUTPUTS)
    row = next(line for line in lines if "layercam" in line).split()
    assert row[2:4] == ["–", "–"]


def test_a_long_folder_is_never_broken(scored: Explanation) -> None:
    folder = "/somewhere/" + "deep/" * 20
    lines = render_terminal(scored, folder, OUTPUTS)
    assert lines[-3:] == [folder, "page      explain.html", "sheets    images/"]
