"""The data of the picture browser: small, finite, and nothing in it that could be taken for markup."""

from __future__ import annotations

import json
import math
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from detectattn.report.gallery import Gallery, GalleryBox, GalleryPicture, GalleryTruth, Overlay
from detectattn.report.html.explorer import (
    explorer_data,
    read_explorer_script,
    read_explorer_style,
    render_explorer_json,
)
from detectattn.report.looks import Look

HOSTILE = '</script><!--<img src=x onerror="alert(1)"> & \u2028 \ud800.jpg'
LOOKS = {"a": Look("#8E5BD0", "circle", ())}


def make_box(**changes: Any) -> GalleryBox:
    return replace(GalleryBox((1.04, 2.0, 30.26, 40.0), 0, 0.91234, (0, 1), "right", 3), **changes)


def make_picture(**changes: Any) -> GalleryPicture:
    truth = (GalleryTruth((1, 2, 3.33, 4), 1, (), counts=False),)
    picture = GalleryPicture("x.jpg", 0, (480, 640), "p/x.jpg", None, 0.51239, ((make_box(),), None), truth)
    return replace(picture, **changes)


def make_gallery(*pictures: GalleryPicture) -> Gallery:
    return Gallery(("a", "b"), ("car", "bus"), pictures, {"a": 0.41239}, 7)


def test_everything_that_is_shown_is_there() -> None:
    overlay = Overlay(1, "cross-attention", "maps/1.png")
    data = explorer_data(make_gallery(make_picture(overlays=(overlay,))), LOOKS)
    assert [m["name"] for m in data["models"]] == ["a", "b"]
    assert [m["color"] for m in data["models"]] == ["#8E5BD0", "#9AA0A6"]
    assert [m["conf"] for m in data["models"]] == [0.412, None]
    assert data["classes"] == ["car", "bus"]
    assert data["leftOut"] == 7
    assert data["finders"] == [[0, 1], []]
    assert data["pictures"] == [
        [
            "x.jpg", 0, 640, 480, "p/x.jpg", 0.5124,
            [[0, 912, 1, 3, 0, 1, 2, 30.3, 40], None],
            [1, 0, 1, 1, 2, 3.3, 4],
            [[1, "cross-attention", "maps/1.png"]],
        ]
    ]  # fmt: skip


@pytest.mark.parametrize(("outcome", "number"), [("unknown", 0), ("right", 1), ("wrong", 2), ("uncounted", 3)])
def test_outcomes_and_lone_objects(outcome: Any, number: int) -> None:
    lone = make_box(outcome=outcome, object_index=None)
    row = explorer_data(make_gallery(make_picture(found=((lone,), ()))), LOOKS)["pictures"][0][6][0]
    assert row[2:4] == [number, -1]


def test_pictures_inside_the_page_are_data_uris() -> None:
    data = explorer_data(make_gallery(make_picture(), make_picture(jpeg=b"\xff\xd8\xff")), LOOKS)
    assert list(data["inside"]) == ["1"]
    head, _, content = data["inside"]["1"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert b64decode(content) == b"\xff\xd8\xff"


def test_what_is_not_finite_is_left_out() -> None:
    broken = (make_box(xyxy=(math.nan, 0, 1, 1)), make_box(score=math.inf), make_box())
    truth = (GalleryTruth((0, 0, math.inf, 1), 0, (), counts=True),)
    data = explorer_data(make_gallery(make_picture(found=(broken, None), truth=truth, disagreement=math.nan)), LOOKS)
    (picture,) = data["pictures"]
    assert len(picture[6][0]) == 9
    assert picture[5] is None
    assert picture[7] == []
    assert json.loads(json.dumps(data, allow_nan=False)) == json.loads(render_explorer_json(data))


def test_hostile_names_cannot_end_their_element() -> None:
    picture = make_picture(source=HOSTILE, overlays=(Overlay(0, HOSTILE, "x.png"),))
    gallery = replace(make_gallery(picture), models=(HOSTILE, "b"), class_names=(HOSTILE, "bus"))
    text = render_explorer_json(explorer_data(gallery, LOOKS))
    assert not set("<>&\u2028") & set(text)
    assert text.isascii()
    content = json.loads(text)
    assert content["pictures"][0][0] == content["models"][0]["name"] == content["classes"][0] == HOSTILE


def test_a_thousand_pictures_stay_small() -> None:
    boxes = tuple(make_box(xyxy=(n * 51.37, n * 40.11, n * 51.37 + 99.99, 1079.9), object_index=n) for n in range(12))
    name = "a folder of some length/and another one/picture-{:06d}.jpg"
    pictures = [make_picture(source=name.format(n), found=(boxes, boxes), truth=None) for n in range(1000)]
    assert len(render_explorer_json(explorer_data(make_gallery(*pictures), LOOKS))) < 2_500_000


def test_nothing_in_the_script_needs_leave() -> None:
    """No code from text, no markup from text, no handlers within markup: a strict policy lets it run."""
    script = read_explorer_script()
    for forbidden in ("eval(", "new Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "</"):
        assert forbidden not in script
    assert script.count('"use strict"') == script.count("(explorer) => {")
    assert "url(" not in read_explorer_style()
