"""The picture browser by itself: what it shows, how it is searched, and how it is used with and without a mouse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery, GalleryBox, GalleryPicture, GalleryTruth, Outcome, Overlay
from detectattn.report.html.embed import content_policy, embed_script
from detectattn.report.html.explorer import (
    explorer_data,
    read_explorer_script,
    read_explorer_style,
    render_explorer_json,
)
from detectattn.report.html.files import open_templates
from detectattn.report.looks import Look

CAR, BUS = 0, 1
LEFT, RIGHT, BELOW = (10.0, 10.0, 90.0, 80.0), (200.0, 20.0, 300.0, 90.0), (60.0, 120.0, 160.0, 190.0)
TINY = (250.0, 150.0, 254.0, 154.0)
LOOKS = {"a": Look("#8E5BD0", "circle", ()), "b": Look("#009E73", "square", ())}
SIZE_HW = (200, 320)
JPEG = cv2.imencode(".jpg", np.full((*SIZE_HW, 3), 120, np.uint8))[1].tobytes()
HOSTILE = "<img src=x onerror=document.title='pwned'>.jpg"


def box(
    xyxy: Any, finders: Sequence[int], outcome: Outcome = "right", number: int = 0, class_index: int = CAR
) -> GalleryBox:
    return GalleryBox(xyxy, class_index, 0.8, tuple(finders), outcome, number)


def picture(source: str, a: Any, b: Any, truth: Any = (), **changes: Any) -> GalleryPicture:
    shown = GalleryPicture(source, 0, SIZE_HW, f"plain/{len(source)}.jpg", JPEG, 0.5, (a, b), truth)
    return replace(shown, **changes)


def make_gallery() -> Gallery:
    """Four pictures: agreed on; a alone finds a bus and b is wrong; a missed car; and one that b did not see."""
    agreed = picture(
        "street 10.jpg",
        (box(LEFT, (0, 1)),),
        (box(LEFT, (0, 1)),),
        (GalleryTruth(LEFT, CAR, (0, 1), counts=True),),
        disagreement=0.0,
    )
    disputed = picture(
        "street 9.jpg",
        (box(LEFT, (0, 1)), box(RIGHT, (0,), number=1, class_index=BUS)),
        (box(LEFT, (0, 1)), box(BELOW, (1,), "wrong", number=2)),
        (GalleryTruth(LEFT, CAR, (0, 1), counts=True), GalleryTruth(RIGHT, BUS, (0,), counts=True)),
        disagreement=0.9,
    )
    missed = picture(
        "park.jpg", (), (), (GalleryTruth(BELOW, CAR, (), counts=True), GalleryTruth(TINY, CAR, (), counts=False)),
        disagreement=0.2,
    )  # fmt: skip
    unseen = picture("half.jpg", (box(LEFT, (0,), "unknown"),), None, None, disagreement=None)
    return Gallery(("a", "b"), ("car", "bus"), (disputed, missed, agreed, unseen), {"a": 0.3, "b": 0.4})


def make_many(count: int) -> Gallery:
    pictures = [picture(f"{n}.jpg", (), (), None, jpeg=None, path=f"plain/{n}.jpg") for n in range(count)]
    return Gallery(("a", "b"), (), tuple(pictures), {})


@pytest.fixture
def open_gallery(open_page: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Opens a page that holds the picture browser alone, under the policy of the whole page."""

    def call(gallery: Gallery, **options: Any) -> Any:
        script = embed_script(read_explorer_script())
        content = render_explorer_json(explorer_data(gallery, LOOKS))
        file = tmp_path / "page.html"
        file.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>pictures</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{content_policy([script])}">'
            f'<meta name="viewport" content="width=device-width"><style>{read_explorer_style()}</style>'
            f"{open_templates().get_template('explorer.html').render(explorer_json=content)}"
            f"<script>{script}</script></html>",
            encoding="utf-8",
        )
        return open_page(file, **options)

    return call


@pytest.fixture
def shown(open_gallery: Callable[..., Any]) -> Any:
    return open_gallery(make_gallery())


def part(shown: Any, name: str) -> Any:
    return shown.page.locator(f"[data-part={name}]")


def listed(shown: Any) -> list[str]:
    return [text.split("\n")[0] for text in part(shown, "list").locator("button").all_inner_texts()]


def frames(shown: Any, side: str) -> list[tuple[str, float, str | None, bool]]:
    """Colour, width and dashes of each box, and whether a corner is filled."""
    found = part(shown, f"layer-{side}").evaluate(
        """(layer) => [...layer.children].filter((g) => !g.querySelector("text")).map((g) => {
          const line = [...g.querySelectorAll("rect")].at(-1), corner = g.querySelector("polygon");
          const of = (name) => line.getAttribute(name);
          return [of("stroke"), Number(of("stroke-width")), of("stroke-dasharray"), Boolean(corner)];
        })"""
    )
    return [tuple(row) for row in found]


def labels(shown: Any, side: str) -> list[str]:
    return part(shown, f"layer-{side}").locator("text").all_text_contents()


def test_the_most_disputed_picture_is_shown_first(shown: Any) -> None:
    assert part(shown, "name").inner_text() == "street 9.jpg"
    assert part(shown, "number").inner_text() == "1 of 4"
    assert part(shown, "count").inner_text() == "4 pictures"
    assert part(shown, "frame").get_attribute("data-state") == "shown"
    assert part(shown, "tally-a").inner_text() == "2 right (1 found by it alone), 0 wrong, 0 missed"
    assert part(shown, "tally-b").inner_text() == "1 right, 1 wrong, 1 missed"
    assert part(shown, "conf-b").inner_text() == "score ≥ 0.40"
    shown.check()


def test_the_line_says_what_became_of_a_box(shown: Any) -> None:
    (both, alone), (agreed, lost, wrong) = frames(shown, "a"), frames(shown, "b")
    assert both[0] == alone[0] == "#8E5BD0"
    assert agreed[0] == "#009E73"
    assert both[1] < alone[1]
    assert lost[0] == wrong[0] == "#D55E00"
    assert (lost[2] is None, lost[3]) == (False, False)
    assert (wrong[2] is None, wrong[3]) == (True, True)
    assert labels(shown, "a") == ["bus 0.80", "car 0.80"]
    assert labels(shown, "b") == ["car 0.80", "bus", "car 0.80"]
    legend = part(shown, "legend").locator("li").all_inner_texts()
    assert legend == ["only this model finds it", "both models find it", "wrong", "missed"]


def test_names_keep_off_one_another(open_gallery: Callable[..., Any]) -> None:
    crowd = tuple(box((10 + 9 * n, 20 + 5 * n, 60 + 9 * n, 70 + 5 * n), (0,), "right", n) for n in range(20))
    shown = open_gallery(Gallery(("a", "b"), ("car",), (picture("x.jpg", crowd, ()),), {}))
    spots = part(shown, "layer-a").evaluate(
        """(layer) => [...layer.querySelectorAll("text")].map((text) => {
          const {x, y, width, height} = text.previousElementSibling.getBBox();
          return [x, y, x + width, y + height];
        })"""
    )
    width, height = part(shown, "frame").evaluate("(frame) => [frame.clientWidth, frame.clientHeight]")
    assert len(spots) >= 3
    assert all(x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height for x0, y0, x1, y1 in spots)
    apart = [
        p[2] <= q[0] or q[2] <= p[0] or p[3] <= q[1] or q[3] <= p[1] for n, p in enumerate(spots) for q in spots[:n]
    ]
    assert all(apart)
    assert len(frames(shown, "a")) == 20


@pytest.mark.parametrize(
    ("choices", "names", "count"),
    [
        ({}, ["street 9.jpg", "park.jpg", "street 10.jpg", "half.jpg"], "4 pictures"),
        ({"filter": "disputed"}, ["street 9.jpg"], "1 of 4 pictures"),
        ({"filter": "only-a"}, ["street 9.jpg"], "1 of 4 pictures"),
        ({"filter": "only-a", "class": "bus"}, ["street 9.jpg"], "1 of 4 pictures"),
        ({"filter": "only-a", "class": "car"}, [], "0 of 4 pictures"),
        ({"filter": "only-b"}, ["street 9.jpg"], "1 of 4 pictures"),
        ({"filter": "wrong"}, ["street 9.jpg"], "1 of 4 pictures"),
        ({"filter": "missed"}, ["street 9.jpg", "park.jpg"], "2 of 4 pictures"),
        ({"filter": "missed", "class": "bus"}, ["street 9.jpg"], "1 of 4 pictures"),
        ({"class": "bus"}, ["street 9.jpg"], "1 of 4 pictures"),
        ({"order": "name"}, ["half.jpg", "park.jpg", "street 9.jpg", "street 10.jpg"], "4 pictures"),
        ({"order": "mistakes"}, ["street 9.jpg", "park.jpg", "street 10.jpg", "half.jpg"], "4 pictures"),
        ({"text": "STREET"}, ["street 9.jpg", "street 10.jpg"], "2 of 4 pictures"),
    ],
)
def test_pictures_are_searched(shown: Any, choices: dict[str, str], names: list[str], count: str) -> None:
    for name, choice in choices.items():
        if name == "text":
            part(shown, name).fill(choice)
        elif name == "class":
            part(shown, name).select_option(label=choice)
        else:
            part(shown, name).select_option(choice)
    assert listed(shown) == names
    assert part(shown, "count").inner_text() == count
    if names:
        assert part(shown, "name").inner_text() == names[0]
    shown.check()


def test_where_nothing_fits_it_says_so(shown: Any) -> None:
    part(shown, "text").fill("nowhere")
    assert part(shown, "stage").is_hidden()
    part(shown, "reset").click()
    assert part(shown, "stage").is_visible()
    assert part(shown, "text").input_value() == ""
    assert len(listed(shown)) == 4


def test_a_side_may_be_the_truth_or_no_model(shown: Any) -> None:
    part(shown, "b").select_option("ground truth")
    assert [color for color, *_ in frames(shown, "b")] == ["#56B4E9", "#56B4E9"]
    assert part(shown, "tally-b").inner_text() == "2 objects"
    assert "only-a" not in part(shown, "filter").evaluate("(s) => [...s.options].map((o) => o.value)")
    assert part(shown, "filter").locator("option").all_inner_texts()[-1] == "missed by a"
    part(shown, "b").select_option("no boxes")
    assert frames(shown, "b") == []
    shown.check()


def test_the_same_picture_stays_when_a_side_changes(shown: Any) -> None:
    part(shown, "after").click()
    part(shown, "a").select_option("no boxes")
    assert part(shown, "name").inner_text() == "park.jpg"


def test_keys(shown: Any) -> None:
    keyboard = shown.page.keyboard
    part(shown, "after").focus()
    for key, name in (("ArrowRight", "park.jpg"), ("ArrowRight", "street 10.jpg"), ("ArrowLeft", "park.jpg")):
        keyboard.press(key)
        assert part(shown, "name").inner_text() == name
    keyboard.press("l")
    assert labels(shown, "a") == []
    assert not part(shown, "labels").is_checked()
    keyboard.press("g")
    assert part(shown, "layer-truth").locator("path").count() == 4
    keyboard.press("g")
    assert part(shown, "layer-truth").locator("path").count() == 0
    shown.check()


def test_keys_do_not_get_in_the_way_of_typing(shown: Any) -> None:
    part(shown, "text").press_sequentially("gl")
    shown.page.keyboard.press("ArrowLeft")
    assert part(shown, "text").input_value() == "gl"
    assert part(shown, "labels").is_checked()
    assert not part(shown, "truth").is_checked()


def test_letters_act_only_where_the_focus_is(shown: Any) -> None:
    shown.page.evaluate("document.activeElement.blur()")
    shown.page.keyboard.press("l")
    assert part(shown, "labels").is_checked()


def test_the_slider_has_its_own_arrows(shown: Any) -> None:
    slider = part(shown, "slider")
    assert slider.get_attribute("aria-label") == "a at the left, b at the right"
    assert slider.get_attribute("aria-valuetext") == "50% a, 50% b"
    slider.focus()
    shown.page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "51% a, 49% b"
    assert part(shown, "frame").evaluate("(f) => f.style.getPropertyValue('--split')") == "51%"
    assert part(shown, "name").inner_text() == "street 9.jpg"
    shown.page.keyboard.press("Home")
    assert part(shown, "layer-a").evaluate("(l) => getComputedStyle(l).clipPath").startswith("inset(0px 100% 0px 0px")


def test_the_handle_is_dragged(shown: Any) -> None:
    area = part(shown, "frame").bounding_box()
    mouse = shown.page.mouse
    mouse.move(area["x"] + area["width"] / 2, area["y"] + 20)
    mouse.down()
    mouse.move(area["x"] + area["width"] / 4, area["y"] + 60)
    assert part(shown, "slider").input_value() == "25"
    mouse.up()
    mouse.move(area["x"] + area["width"] / 2, area["y"] + 60)
    assert part(shown, "slider").input_value() == "25"


def test_a_box_under_the_pointer_is_told(shown: Any) -> None:
    area = part(shown, "frame").bounding_box()
    scale = area["width"] / SIZE_HW[1]
    shown.page.mouse.move(area["x"] + 30 * scale, area["y"] + 40 * scale)
    assert part(shown, "readout").inner_text() == "car 0.80 · found by a and b · right"
    shown.page.mouse.move(area["x"] + 250 * scale, area["y"] + 50 * scale)
    assert part(shown, "readout").inner_text() == "bus · found by a · missed here"


def test_a_picture_that_is_not_there_leaves_its_boxes(open_gallery: Callable[..., Any]) -> None:
    gallery = make_gallery()
    lost = tuple(replace(p, jpeg=None) for p in gallery.pictures)
    none = tuple(replace(p, jpeg=None, path=None) for p in gallery.pictures)
    shown = open_gallery(replace(gallery, pictures=lost))
    part(shown, "frame").and_(shown.page.locator("[data-state=missing]")).wait_for()
    assert "plain/12.jpg" in part(shown, "note").inner_text()
    assert len(frames(shown, "a")) == 2
    width, height = part(shown, "frame").evaluate("(frame) => [frame.clientWidth, frame.clientHeight]")
    assert width / height == pytest.approx(SIZE_HW[1] / SIZE_HW[0], rel=0.01)
    shown = open_gallery(replace(gallery, pictures=none))
    assert part(shown, "note").inner_text() == "No copy of this picture was kept. These are its boxes."
    shown.check()


def test_everything_stands_in_a_table_too(shown: Any) -> None:
    shown.page.locator(".explorer-objects summary").click()
    table = part(shown, "table").locator("table")
    assert table.locator("thead th").all_inner_texts() == ["object", "where", "a", "b"]
    rows = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert rows == [
        ["car", "top left, 80 × 70 px", "0.80, right", "0.80, right"],
        ["bus", "top right, 100 × 70 px", "0.80, right", "not found"],
        ["car", "bottom centre, 100 × 70 px", "not found", "0.80, wrong"],
    ]
    part(shown, "after").click()
    rows = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert rows == [["car", "bottom centre, 100 × 70 px", "missed", "missed"]]
    assert part(shown, "status").inner_text().startswith("park.jpg, 2 of 4. a: 0 right, 0 wrong, 1 missed")


def test_a_model_without_a_record_says_so(shown: Any) -> None:
    shown.page.get_by_role("button", name="half.jpg").click()
    assert part(shown, "tally-b").inner_text() == "has no record of this picture"
    assert part(shown, "tally-a").inner_text() == "1 box"


@pytest.mark.parametrize(("truth", "side", "tally"), [(True, "truth", "1 object"), (False, "nothing", None)])
def test_one_model_alone(open_gallery: Callable[..., Any], truth: bool, side: str, tally: str | None) -> None:
    there = (GalleryTruth(LEFT, CAR, (0,), counts=True),) if truth else None
    found = (box(LEFT, (0,), "right" if truth else "unknown"),)
    alone = replace(picture("x.jpg", found, (), there, disagreement=None), found=(found,))
    shown = open_gallery(Gallery(("a",), ("car",), (alone,), {"a": 0.3}))
    assert part(shown, "b").input_value() == side
    assert tally is None or part(shown, "tally-b").inner_text() == tally
    assert part(shown, "order").locator("option").first.inner_text() == "as they came"
    assert len(frames(shown, "a")) == 1
    assert part(shown, "truth-toggle").is_visible() is truth
    shown.check()


def test_maps_lie_on_the_side_of_their_model(open_gallery: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "map.jpg").write_bytes(JPEG)
    gallery = make_gallery()
    first = replace(gallery.pictures[0], overlays=(Overlay(1, "activation", "map.jpg"),))
    shown = open_gallery(replace(gallery, pictures=(first, *gallery.pictures[1:])))
    assert part(shown, "maps-a-toggle").is_hidden()
    part(shown, "maps-b").select_option("activation")
    assert part(shown, "map-b").is_visible()
    assert part(shown, "map-b").evaluate("(i) => i.decode().then(() => i.naturalWidth)") == SIZE_HW[1]
    assert part(shown, "map-a").is_hidden()
    shown.page.keyboard.press("Escape")
    part(shown, "after").click()
    assert part(shown, "map-b").is_hidden()
    shown.check()


def test_many_pictures_come_a_page_at_a_time(open_gallery: Callable[..., Any]) -> None:
    shown = open_gallery(make_many(60))
    assert part(shown, "range").inner_text() == "1–24 of 60"
    images = part(shown, "list").locator("img")
    assert all(value == "lazy" for value in images.evaluate_all("(all) => all.map((i) => i.loading)"))
    part(shown, "page-after").click()
    part(shown, "page-after").click()
    assert part(shown, "range").inner_text() == "49–60 of 60"
    assert part(shown, "page-after").is_disabled()
    assert part(shown, "name").inner_text() == "48.jpg"
    part(shown, "before").click()
    assert part(shown, "range").inner_text() == "25–48 of 60"
    assert part(shown, "list").locator("[aria-current]").inner_text().startswith("47.jpg")


def test_what_was_left_out_is_told(open_gallery: Callable[..., Any]) -> None:
    many = make_many(3)
    shown = open_gallery(
        replace(many, left_out=1200, pictures=(*many.pictures[:2], replace(many.pictures[2], path=None)))
    )
    told = part(shown, "left-out").inner_text()
    assert "1,200 pictures more took part" in told
    assert "Copies were kept of 2 pictures" in told


def test_hostile_names_are_text(open_gallery: Callable[..., Any]) -> None:
    gallery = make_gallery()
    hostile = replace(
        gallery,
        models=(HOSTILE, "b"),
        class_names=(HOSTILE, "bus"),
        pictures=(replace(gallery.pictures[0], source=HOSTILE),),
    )
    shown = open_gallery(hostile)
    shown.page.locator(".explorer-objects summary").click()
    assert part(shown, "name").inner_text() == HOSTILE
    assert shown.page.locator("[onerror]").count() == 0
    assert shown.page.title() == "pictures"
    shown.check()


def test_on_a_phone(open_gallery: Callable[..., Any], screenshot: Callable[..., Path]) -> None:
    shown = open_gallery(make_gallery(), width=360, height=740, is_mobile=True, has_touch=True)
    screenshot(shown)
    assert shown.page.evaluate("document.documentElement.scrollWidth") == 360
    area = part(shown, "frame").bounding_box()
    shown.page.touchscreen.tap(area["x"] + area["width"] * 0.75, area["y"] + 10)
    assert part(shown, "slider").input_value() == "75"
    shown.check()


def test_on_paper(open_gallery: Callable[..., Any], screenshot: Callable[..., Path]) -> None:
    shown = open_gallery(make_gallery())
    assert part(shown, "print").is_hidden()
    shown.page.emulate_media(media="print")
    screenshot(shown)
    printed = part(shown, "print").locator(".explorer-printed")
    assert printed.count() == 3
    assert printed.first.locator("figcaption").all_inner_texts() == [
        "a: 2 right (1 found by it alone), 0 wrong, 0 missed",
        "b: 1 right, 1 wrong, 1 missed",
    ]
    assert shown.page.locator("button:visible, select:visible, input:visible").count() == 0
    assert printed.first.locator("img").first.evaluate("(image) => image.naturalWidth") == SIZE_HW[1]


@pytest.mark.parametrize("percent", [20, 50, 80])
def test_no_label_is_cut_by_the_divide(
    open_report: Callable[..., Any], reports: Mapping[str, Report], galleries: Mapping[str, Gallery], percent: int
) -> None:
    shown = open_report(reports["full"], galleries["full"])
    cut = shown.page.evaluate(
        """(percent) => {
          const slider = document.querySelector(".explorer-slider");
          slider.value = percent;
          slider.dispatchEvent(new Event("input"));
          const frame = document.querySelector(".explorer-frame").getBoundingClientRect();
          const divide = frame.left + frame.width * percent / 100;
          const reads = (box, side) => box.width === 0 || (side === "a" ? box.right <= divide : box.left >= divide);
          const labels = ["a", "b"].flatMap((side) =>
            [...document.querySelectorAll(`.explorer-layer.is-${side} .explorer-label`)].map((label) => [label, side]));
          const crossing = labels.filter(([label, side]) => !reads(label.getBoundingClientRect(), side));
          return [labels.length, crossing.map(([label]) => label.textContent)];
        }""",
        percent,
    )
    assert cut[0] > 4
    assert cut[1] == []
    shown.check()
