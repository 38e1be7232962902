"""The page of an explanation: what it holds, what it says, and that names stay names."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from detectattn.report.explanation import DetectionExplained, Explanation, PointCloud
from detectattn.report.html.explanation import render_explanation
from detectattn.report.html.explanation.data import explanation_data
from detectattn.report.html.explanation.pack import POINT_STEP_PX, WEIGHT_STEPS, Pack, shrink_maps
from detectattn.report.html.marks import make_marks
from detectattn.report.looks import assign_looks
from detectattn.types import U8
from samples.studies.explanations import make_explanation, make_hostile_explanation
from tests.report.html_pages import Element, read_page, read_table

HOSTILE = (
    "<img src=x onerror=alert(1)>\"'</script>",
    "{{7*7}}{% raw %}",
    "<!--<script>",
    "javascript:alert(1)",
    "../../etc/passwd?#",
    "caf\udce9 \u202e \x1b[31m \u2028",
    "line\nbreak\r\n",
)


@cache
def made() -> Explanation:
    return make_explanation(3, objects=2)


@cache
def page() -> Element:
    return read_page(render_explanation(made()))


def unpack(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def read_maps(content: bytes, offset: int, width: int, height: int, count: int = 1) -> U8:
    """As ``unpack.js`` does: differences summed up modulo 256."""
    flat = np.frombuffer(content, np.uint8, count * width * height, offset)
    return flat.reshape(count, height, width).cumsum(axis=1, dtype=np.uint8).cumsum(axis=2, dtype=np.uint8)


def data_of(explanation: Explanation) -> dict[str, object]:
    looks = assign_looks({model.name: model.family for model in explanation.models})
    return explanation_data(explanation, make_marks(looks))


def detections(explanation: Explanation) -> list[DetectionExplained]:
    return [d for p in explanation.pictures for found in p.objects for d in found.found if d is not None]


def test_the_first_screen_says_what_was_found_and_of_whom() -> None:
    first = page().by_id("verdict")
    for told in (*made().sentences, *made().caveats):
        assert letters(told) in letters(first.words)
    for place, model in enumerate(made().models, start=1):
        card = page().by_id(f"model-{place}").words
        assert model.name in card
        assert model.default_reason in card
        assert model.methods[0].title in card
        assert (model.attention or "none") in card
        assert f"{100 * (1 - model.methods[0].reach[0]):.0f}%" in card


def letters(text: str) -> str:
    """Where a sentence is broken in two is the page's business."""
    return re.sub(r"[^\w%.]|\.(?!\d)", "", text).casefold()


def test_an_option_stays_in_one_piece() -> None:
    told = "It is the first of --maps <that> fits; --no-images too, but no-- or a--b."
    models = tuple(replace(model, default_reason=told) for model in made().models)
    first = read_page(render_explanation(replace(made(), models=models, caveats=(told,)))).by_id("verdict")
    assert [e.words for e in first.of_class("option")] == ["--maps", "--no-images"] * 3
    assert first.words.count("<that> fits;") == 3


def test_the_difference_is_shown_large_and_the_rest_below_the_cards() -> None:
    [leading] = page().by_id("verdict").of_class("verdict")
    assert letters(made().sentences[0]) == letters(leading.words)


def test_every_map_of_every_model_is_judged() -> None:
    for place, model in enumerate(made().models, start=1):
        rows = read_table(page().by_id(f"table-worth-{place}").find("table")[0])
        assert [row[0] for row in rows[1:]] == [figures.title for figures in model.methods]
        assert "✓ says more than the box" in rows[1][1] or model.methods[0].worth != "says more than the box"
        assert rows[-1][1] == "baseline"
    assert {e.attributes["id"] for e in page().of_class("plot")} == {
        "plot-gains", "plot-curves-1", "plot-curves-2", "plot-reach",
    }  # fmt: skip


def test_without_scores_it_says_how_to_get_them() -> None:
    plain = read_page(render_explanation(make_explanation(2, objects=1, scored=False)))
    assert "--score" in plain.by_id("truth").words
    assert {e.attributes["id"] for e in plain.of_class("plot")} == {"plot-reach"}
    assert "Faithfulness" not in plain.by_id("model-1").words


def test_files_beside_the_page_are_linked_from_it() -> None:
    links = {e.attributes["href"] for e in page().by_id("files").find("a")}
    for picture in made().pictures:
        assert f"./{picture.sheet}" in links
        assert {f"./{path}" for path in picture.arrays.values()} <= links


def test_methods_measures_weights_and_command_are_told() -> None:
    told = page().by_id("reading").words
    for model in made().models:
        assert model.sha256 in told
        for figures in model.methods:
            assert figures.meaning in told
    assert "What is measured, and what that hides" in told
    assert "detectattn explain street/images" in page().by_id("command-line").words


def test_data_hold_every_detection_of_the_pictures_shown() -> None:
    shown = [picture for picture in made().pictures if picture.jpeg is not None]
    data = json.loads(page().by_id("looks-data").source)
    assert [p["name"] for p in data["pictures"]] == [p.source for p in shown]
    for own, picture in zip(data["pictures"], shown, strict=True):
        content = unpack(own["pack"])
        assert base64.b64decode(own["image"].partition(",")[2]) == picture.jpeg
        for kept, found in zip(own["objects"], picture.objects, strict=True):
            assert [d is None for d in kept["found"]] == [d is None for d in found.found]
            for small, detection in zip(kept["found"], found.found, strict=True):
                if detection is not None:
                    check_detection(small, detection, content)


def check_detection(small: dict[str, object], detection: DetectionExplained, content: bytes) -> None:
    assert np.allclose(small["box"], detection.xyxy, atol=0.051)  # type: ignore[arg-type]
    for (_, offset, width, height, inside, faithful), map_, score in zip(
        small["maps"], detection.maps, detection.scores, strict=True  # type: ignore[call-overload]
    ):  # fmt: skip
        assert (read_maps(content, offset, width, height) == shrink_maps(map_.grey[None])).all()
        assert inside == pytest.approx(score.energy, abs=1e-4)
        assert score.curve is not None
        assert faithful == pytest.approx(score.curve.faithfulness, abs=1e-4)
    for (module, count, offset, width, height), heads in zip(small["heads"], detection.heads, strict=True):  # type: ignore[call-overload]
        assert module == heads.module
        assert (read_maps(content, offset, width, height, count) == shrink_maps(heads.grey)).all()


def test_points_come_back_to_a_tenth_of_a_pixel() -> None:
    points = next(d.points for d in detections(made()) if d.points is not None)
    far = PointCloud(points.xy * 40 - 9000, points.weight, points.level, points.head, points.layer)
    pack = Pack()
    pack.add_maps(np.zeros((1, 3, 5), np.uint8))
    offset, count = pack.add_points(far)
    content = unpack(pack.render())
    xy = np.frombuffer(content, "<i4", 2 * count, offset).reshape(-1, 2) * POINT_STEP_PX
    weight = np.frombuffer(content, "<u2", count, offset + 8 * count) / WEIGHT_STEPS
    level, head, layer = np.frombuffer(content, np.uint8, 3 * count, offset + 10 * count).reshape(3, -1)
    assert np.abs(xy - far.xy).max() <= POINT_STEP_PX / 2 + 1e-2
    assert np.abs(weight - far.weight).max() < 1e-4
    assert (level == far.level).all()
    assert (head == far.head).all()
    assert (layer == far.layer).all()


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 160), (90, 160), (160, 3)])
def test_maps_of_any_size_come_back(size_hw: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (2, *size_hw), np.uint8)
    pack = Pack()
    offset, width, height = pack.add_maps(grey)
    assert (read_maps(unpack(pack.render()), offset, width, height, 2) == shrink_maps(grey)).all()


def test_smooth_maps_are_kept_small_and_rough_ones_whole() -> None:
    y, x = np.mgrid[:90, :160]
    smooth = (255 * np.exp(-(((x - 70) / 40) ** 2) - ((y - 40) / 40) ** 2)).astype(np.uint8)[None]
    rough = np.random.default_rng(0).integers(0, 256, (1, 90, 160), np.uint8)
    assert max(shrink_maps(smooth).shape) < 80
    assert shrink_maps(rough) is rough


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_becomes_markup(text: str) -> None:
    rendered = render_explanation(make_hostile_explanation(text))
    rendered.encode("utf-8")
    hostile, plain = read_page(rendered), read_page(render_explanation(make_hostile_explanation("plain")))
    assert shape(hostile) == shape(plain)
    assert scripts(hostile) == scripts(plain)
    assert hostile.words.count("49") == plain.words.count("49")
    for name in ("looks-data", "plots-data"):
        json.loads(hostile.by_id(name).source)
    for link in hostile.by_id("files").find("a"):
        assert re.fullmatch(r"\./[\w.~%/-]+", link.attributes["href"] or "")


def shape(root: Element) -> list[tuple[str, tuple[str, ...]]]:
    # Where a long name may break follows from the name.
    return [(e.tag, tuple(sorted(e.attributes))) for e in root.walk() if e.tag != "wbr"]


def scripts(root: Element) -> list[str]:
    return [e.source for e in root.find("script") if e.attributes.get("type") is None]


def test_nothing_is_loaded() -> None:
    loads = [e.attributes[n] or "" for e in page().walk() for n in ("src", "href") if n in e.attributes]
    assert [url for url in loads if not url.startswith(("#", "./"))] == []
    assert [name for e in page().walk() for name in e.attributes if name.startswith("on")] == []
    assert not re.search(r"url\(|@import|@font-face", "".join(e.source for e in page().find("style")))
    assert not re.search(r"\beval\(|innerHTML|new Function|outerHTML|insertAdjacentHTML", own_script())


def own_script() -> str:
    [source] = [source for source in scripts(page()) if "detectattnLooks" in source]
    return source


def test_without_pictures_to_show_the_files_are_listed() -> None:
    bare = replace(made(), pictures=tuple(replace(p, jpeg=None) for p in made().pictures))
    rendered = read_page(render_explanation(bare))
    assert [e for e in rendered.walk() if e.attributes.get("id") == "looks-data"] == []
    assert len(rendered.by_id("files").find("a")) == sum(1 + len(p.arrays) for p in bare.pictures)


def test_without_anything_found_there_still_is_a_page() -> None:
    empty = replace(
        made(),
        sentences=(), caveats=(), pictures=(),
        models=tuple(replace(m, methods=(), default_method="", default_reason="") for m in made().models),
    )  # fmt: skip
    rendered = read_page(render_explanation(empty))
    assert "No map was made." in rendered.by_id("model-1").words


def test_a_page_of_twenty_pictures_stays_light() -> None:
    """Twenty of eight objects, each with the maps of two models; pictures of the page are twice as long as these."""
    data = data_of(make_explanation(3, objects=8, inline=2))
    each = [len(json.dumps(picture)) - len(picture["image"]) for picture in data["pictures"]]  # type: ignore[attr-defined]
    assert 20 * (max(each) + 300_000) < 14_000_000


def test_the_same_explanation_gives_the_same_text() -> None:
    assert render_explanation(made()) == render_explanation(make_explanation(3, objects=2))


def test_a_picture_that_is_no_jpeg_is_refused() -> None:
    odd = replace(made(), pictures=(replace(made().pictures[0], jpeg=b"<svg onload=alert(1)>"),))
    with pytest.raises(ValueError, match="JPEG"):
        data_of(odd)
