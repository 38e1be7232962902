"""From records to the gallery of the page: who finds what, what became of it, and which pictures come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from detectattn.compare import gallery as gallery_module
from detectattn.compare.frames import PictureInfo
from detectattn.compare.gallery import build_gallery
from detectattn.compare.judge.agreement import agree
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.compare.measured import Measured
from detectattn.compare.panels import build_panels
from detectattn.config import CompareConfig
from detectattn.drawing.marked_boxes import Mark
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.report.gallery import Gallery, GalleryBox, GalleryPicture
from detectattn.types import Detections, Prediction, RunManifest

NAMES = {0: "person", 1: "bus", 2: "tie"}
LEFT, RIGHT, BELOW = (10.0, 10.0, 50.0, 50.0), (60.0, 10.0, 95.0, 50.0), (10.0, 60.0, 50.0, 95.0)
Box = tuple[float, float, float, float]
Found = Sequence[tuple[Box, float, int]]


def predict(model: str, source: str, found: Found, names: Mapping[int, str] = NAMES) -> Prediction:
    rows = sorted(found, key=lambda f: -f[1])
    detections = Detections(
        np.array([f[0] for f in rows], np.float32).reshape(-1, 4),
        np.array([f[1] for f in rows], np.float32),
        np.array([f[2] for f in rows], np.int32),
    )
    return Prediction(source, 0, (100, 100), detections, model, names)


def measured(name: str, base: str | None = None, status: Any = "finished") -> Measured:
    return Measured(name, "model", base or name, {}, status, f"{name}.pt", "0" * 64, class_names=NAMES)


def make_records(
    found: Mapping[str, Mapping[str, Found]],
    truth: GroundTruth | None = None,
    pictures: Sequence[str] | None = None,
    names: Mapping[str, Mapping[int, str]] | None = None,
    **others: Measured,
) -> StudyRecords:
    """Records by model and picture."""
    sources = pictures or list(dict.fromkeys(source for by_source in found.values() for source in by_source))
    return StudyRecords(
        config=CompareConfig(),
        sources=(),
        manifest=RunManifest([], {}, [], {}, {}),
        created="",
        pictures=[PictureInfo(source, 0, (100, 100), 1.0) for source in sources],
        failures=(),
        truth=truth,
        truth_named=True,
        measured={**{name: measured(name) for name in found}, **others},
        predictions={
            name: [predict(name, source, boxes, (names or {}).get(name, NAMES)) for source, boxes in by_source.items()]
            for name, by_source in found.items()
        },
        drawn={},
    )


def make_truth(source: str, *objects: tuple[Box, int], crowd: int = -1, names: Sequence[str] = ()) -> GroundTruth:
    n = len(objects)
    there = ImageTruth(
        (100, 100),
        np.array([o[0] for o in objects], np.float32).reshape(-1, 4),
        np.array([o[1] for o in objects], np.int32),
        np.arange(n) == crowd,
        np.zeros(n, np.bool_),
        np.ones(n),
    )
    return GroundTruth(tuple(names) or ("Bus", "person", "tie", "tram"), {(source, 0): there})


def build(records: StudyRecords, conf: float = 0.25, paths: Mapping[tuple[str, int], str] | None = None) -> Gallery:
    scores = dict.fromkeys(records.measured, conf)
    return build_gallery(records, scores, agree(records, scores), paths or {})


def boxes_of(picture: GalleryPicture, model: int) -> tuple[GalleryBox, ...]:
    boxes = picture.found[model]
    assert boxes is not None
    return boxes


def test_who_finds_what() -> None:
    gallery = build(
        make_records(
            {
                "a": {"x.jpg": [(LEFT, 0.9, 0), (RIGHT, 0.8, 1), (BELOW, 0.7, 0)]},
                "b": {"x.jpg": [(LEFT, 0.8, 0), (RIGHT, 0.7, 1), (BELOW, 0.1, 0)]},
                "c": {"x.jpg": [(LEFT, 0.7, 0), (BELOW, 0.6, 1)]},
            }
        )
    )
    (picture,) = gallery.pictures
    assert gallery.models == ("a", "b", "c")
    assert gallery.conf == {"a": 0.25, "b": 0.25, "c": 0.25}
    assert [b.finders for b in boxes_of(picture, 0)] == [(0, 1, 2), (0, 1), (0,)]
    assert [b.finders for b in boxes_of(picture, 1)] == [(0, 1, 2), (0, 1)]
    assert [b.finders for b in boxes_of(picture, 2)] == [(0, 1, 2), (2,)]
    assert [gallery.class_names[b.class_index] for b in boxes_of(picture, 2)] == ["person", "bus"]
    assert {b.outcome for boxes in picture.found for b in boxes or ()} == {"unknown"}
    shared = [boxes_of(picture, k)[0].object_index for k in range(3)]
    assert len(set(shared)) == 1
    assert shared[0] not in {boxes_of(picture, k)[-1].object_index for k in (0, 2)}
    assert picture.truth is None
    assert boxes_of(picture, 0)[0].xyxy == LEFT
    assert boxes_of(picture, 0)[0].score == pytest.approx(0.9)


def test_truth_tells_right_from_wrong_and_who_finds_each_object() -> None:
    truth = make_truth("x.jpg", (LEFT, 1), (RIGHT, 0), (BELOW, 3))
    found = {"a": {"x.jpg": [(LEFT, 0.9, 0), (RIGHT, 0.8, 0), (BELOW, 0.7, 2)]}, "b": {"x.jpg": [(RIGHT, 0.9, 1)]}}
    gallery = build(make_records(found, truth))
    (picture,) = gallery.pictures
    assert [b.outcome for b in boxes_of(picture, 0)] == ["right", "wrong", "uncounted"]
    assert [b.outcome for b in boxes_of(picture, 1)] == ["right"]
    assert picture.truth is not None
    assert [(gallery.class_names[t.class_index], t.finders, t.counts) for t in picture.truth] == [
        ("person", (0,), True), ("bus", (1,), True), ("tram", (), False),
    ]  # fmt: skip


def test_crowds_do_not_count() -> None:
    gallery = build(
        make_records({"a": {"x.jpg": [(LEFT, 0.9, 0)]}}, make_truth("x.jpg", (LEFT, 1), (RIGHT, 1), crowd=0))
    )
    (picture,) = gallery.pictures
    assert [b.outcome for b in boxes_of(picture, 0)] == ["uncounted"]
    assert [(t.finders, t.counts) for t in picture.truth or ()] == [((), False), ((), True)]


def test_the_gallery_says_what_the_drawn_pictures_say() -> None:
    truth = make_truth("x.jpg", (LEFT, 1), (RIGHT, 0), (BELOW, 1))
    found = {"a": {"x.jpg": [(LEFT, 0.9, 0), (RIGHT, 0.8, 0)]}, "b": {"x.jpg": [(LEFT, 0.8, 0), (BELOW, 0.7, 0)]}}
    records = make_records(found, truth)
    agreement = agree(records, {"a": 0.25, "b": 0.25})
    assert agreement is not None
    (picture,) = build(records).pictures
    panels = {panel.title: panel for panel in build_panels(agreement.images[0], agreement, truth)}
    for model, name in enumerate("ab"):
        drawn = [box.mark is Mark.WRONG for box in panels[name].boxes if box.score is not None]
        assert [box.outcome == "wrong" for box in boxes_of(picture, model)] == drawn
        missed = [t for t in picture.truth or () if model not in t.finders]
        assert len(missed) == sum(box.mark is Mark.MISSED for box in panels[name].boxes)


def test_the_most_disputed_come_first() -> None:
    records = make_records(
        {
            "a": {"same.jpg": [(LEFT, 0.9, 0)], "other.jpg": [(LEFT, 0.9, 0)], "alike.jpg": [(LEFT, 0.5, 0)]},
            "b": {"same.jpg": [(LEFT, 0.9, 0)], "other.jpg": [(RIGHT, 0.9, 0)], "alike.jpg": [(LEFT, 0.5, 0)]},
        }
    )
    gallery = build(records, paths={("same.jpg", 0): "pictures/plain/000000-00.jpg"})
    assert [p.source for p in gallery.pictures] == ["other.jpg", "same.jpg", "alike.jpg"]
    assert [p.path for p in gallery.pictures] == [None, "pictures/plain/000000-00.jpg", None]
    assert [p.disagreement for p in gallery.pictures[1:]] == [0, 0]
    assert (gallery.pictures[0].disagreement or 0) > 0.5


def test_one_model_alone_keeps_the_order_of_the_study() -> None:
    records = make_records(
        {"a": {"b.jpg": [(LEFT, 0.9, 0)], "a.jpg": [(LEFT, 0.2, 0), (RIGHT, 0.6, 1)]}}, pictures=["a.jpg", "b.jpg"]
    )
    gallery = build(records)
    assert [p.source for p in gallery.pictures] == ["a.jpg", "b.jpg"]
    assert [p.disagreement for p in gallery.pictures] == [None, None]
    (box,) = boxes_of(gallery.pictures[0], 0)
    assert (box.finders, box.outcome, box.object_index) == ((0,), "unknown", None)


def test_pictures_that_not_every_model_has_a_record_of_come_last() -> None:
    records = make_records(
        {
            "a": {"all.jpg": [(LEFT, 0.9, 0)], "two.jpg": [(LEFT, 0.9, 0), (RIGHT, 0.9, 0)]},
            "b": {"all.jpg": [(LEFT, 0.9, 0)], "two.jpg": [(LEFT, 0.9, 0)], "one.jpg": [(LEFT, 0.9, 0)]},
            "c": {"all.jpg": [(LEFT, 0.9, 0)]},
        },
        pictures=["one.jpg", "two.jpg", "all.jpg"],
    )
    gallery = build(records)
    assert [p.source for p in gallery.pictures] == ["all.jpg", "one.jpg", "two.jpg"]
    _, one, two = gallery.pictures
    assert [p.disagreement for p in gallery.pictures] == [0, None, None]
    assert [boxes is None for boxes in one.found] == [True, False, True]
    assert boxes_of(one, 1)[0].finders == (1,)
    assert [boxes is None for boxes in two.found] == [False, False, True]
    assert [b.finders for b in boxes_of(two, 0)] == [(0, 1), (0,)]


def test_detections_of_classes_that_not_all_models_know_are_left_out() -> None:
    records = make_records(
        {"a": {"x.jpg": [(LEFT, 0.9, 0), (RIGHT, 0.8, 2)]}, "b": {"x.jpg": [(LEFT, 0.9, 5)]}},
        names={"b": {5: "PERSON"}},
    )
    gallery = build(records)
    assert gallery.class_names == ("person",)
    assert [b.finders for b in boxes_of(gallery.pictures[0], 0)] == [(0, 1)]
    assert [b.finders for b in boxes_of(gallery.pictures[0], 1)] == [(0, 1)]


def test_a_picture_that_truth_does_not_cover() -> None:
    found = {"a": {"x.jpg": [(LEFT, 0.9, 0)], "y.jpg": [(LEFT, 0.9, 0)]}}
    gallery = build(make_records(found, make_truth("y.jpg", (LEFT, 1))))
    assert [p.truth is None for p in gallery.pictures] == [True, False]
    assert [boxes_of(p, 0)[0].outcome for p in gallery.pictures] == ["unknown", "right"]


def test_variants_and_models_that_failed_take_no_part() -> None:
    records = make_records({"a": {"x.jpg": []}, "a@1": {"x.jpg": []}}, **{"a@1": measured("a@1", "a")})
    records.measured["broken"] = measured("broken", status="failed")  # type: ignore[index]
    assert build(records).models == ("a",)


def test_there_is_a_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_module, "MOST_PICTURES", 2)
    gallery = build(make_records({"a": {f"{n}.jpg": [(LEFT, 0.9, 0)] for n in range(5)}}))
    assert [p.source for p in gallery.pictures] == ["0.jpg", "1.jpg"]
    assert gallery.left_out == 3


def test_a_study_in_which_no_model_finished() -> None:
    gallery = build(make_records({}))
    assert gallery.models == ()
    assert gallery.pictures == ()
