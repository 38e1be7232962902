"""What is disputed, where models looked for it, and what a report shows of that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.compare.disputed_objects import choose_disputed, find_same, merge_maps
from detectattn.compare.entrants import FileEntrant, ModelEntrant
from detectattn.compare.explain_disputed import explain_disputed
from detectattn.compare.explained import (
    DisputedPicture,
    DisputeMap,
    ExplainedDisputes,
    has_explained,
    lay_over,
    read_explained,
    tell_left_out,
    write_explained,
)
from detectattn.compare.measured import Measured
from detectattn.config import CompareConfig
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError, UnreadableRecord
from detectattn.evaluation.agreement import Agreement, compute_agreement
from detectattn.explain.objects import FoundObject
from detectattn.report.gallery import Gallery, GalleryPicture
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.types import Detections, Media, Prediction, WeightsFile
from detectattn.weights.locate import locate_weights

NAMES = {0: "car", 1: "bus"}
Box = tuple[float, float, float, float]
LEFT, RIGHT, BELOW = (10.0, 10.0, 50.0, 50.0), (60.0, 10.0, 95.0, 50.0), (10.0, 60.0, 50.0, 95.0)


def detect(*rows: tuple[Box, float, int]) -> Detections:
    xyxy = np.array([row[0] for row in rows], np.float32).reshape(-1, 4)
    return Detections(xyxy, np.array([r[1] for r in rows], np.float32), np.array([r[2] for r in rows], np.int32))


def agree(*found: Detections, source: str = "a.jpg", size_hw: tuple[int, int] = (100, 100)) -> Agreement:
    records = {name: [Prediction(source, 0, size_hw, d, name, NAMES)] for name, d in zip("abc", found, strict=False)}
    return compute_agreement(records, dict.fromkeys(records, 0.05))


def choose(*found: Detections, most: int = 6) -> tuple[FoundObject, ...]:
    agreement = agree(*found)
    return choose_disputed(agreement.images[0], agreement.class_names, most)


def test_what_not_all_find_is_disputed() -> None:
    objects = choose(detect((LEFT, 0.9, 0), (RIGHT, 0.6, 1)), detect((LEFT, 0.8, 0), (BELOW, 0.7, 0)))
    assert [(o.class_name, o.rows, tuple(o.xyxy)) for o in objects] == [
        ("car", (None, 1), BELOW),
        ("bus", (1, None), RIGHT),
    ]


def test_of_three_models_the_surest_box_stands_for_an_object() -> None:
    near = (12.0, 12.0, 52.0, 52.0)
    (found,) = choose(detect((LEFT, 0.5, 0)), detect((near, 0.9, 0)), detect())
    assert (found.rows, tuple(found.xyxy), found.score) == ((0, 0, None), near, pytest.approx(0.9))


def test_each_model_has_its_surest() -> None:
    objects = choose(detect((LEFT, 0.9, 0), (RIGHT, 0.8, 0)), detect((BELOW, 0.4, 0)), most=1)
    assert [o.rows for o in objects] == [(0, None), (None, 0)]


def test_nothing_is_disputed_where_all_agree() -> None:
    assert choose(detect((LEFT, 0.9, 0)), detect((LEFT, 0.8, 0))) == ()


def test_a_detection_is_found_again_by_box_and_class_name() -> None:
    wanted = choose(detect((LEFT, 0.9, 0), (RIGHT, 0.8, 1), (BELOW, 0.7, 0)), detect())
    near = (11.0, 11.0, 51.0, 51.0)
    again = detect((BELOW, 0.9, 7), (near, 0.8, 7), (RIGHT, 0.7, 7))
    assert find_same(wanted, again, {7: "Car"}) == (1, None, 0)
    assert find_same(wanted, detect(), {7: "car"}) == (None, None, None)


def test_no_detection_is_found_twice() -> None:
    wanted = choose(detect((LEFT, 0.9, 0)), detect()) * 2
    assert find_same(wanted, detect((LEFT, 0.9, 0)), NAMES) == (0, None)


def test_every_map_is_merged_at_its_own_scale() -> None:
    faint, bright, nothing = (np.zeros((4, 4), np.float32) for _ in range(3))
    faint[0, 0], bright[3, 3], bright[3, 2] = 0.001, 50, 25
    merged = merge_maps([faint, bright, nothing])
    assert merged[0, 0] == merged[3, 3] == 1
    assert 0.4 < merged[3, 2] < 0.6
    assert merged[1, 1] == 0


def make_gallery(*sources: str) -> Gallery:
    return Gallery(
        ("a", "b"), (), tuple(GalleryPicture(s, 0, (9, 9), None, None, None, (None, None), None) for s in sources)
    )


def make_index(*paths: str, model: str = "b") -> ExplainedDisputes:
    maps = tuple(DisputeMap(model, "a map", path) for path in paths)
    return ExplainedDisputes((DisputedPicture("x.jpg", 0, "pictures/explained/x.sheet.jpg", maps),), {"a": "Not a."})


def test_the_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_explained(tmp_path) == ExplainedDisputes()
    assert not has_explained(tmp_path)
    write_explained(tmp_path, make_index("pictures/explained/1.jpg"))
    assert has_explained(tmp_path)
    assert read_explained(tmp_path) == make_index("pictures/explained/1.jpg")
    assert [(c.text, c.models) for c in tell_left_out(read_explained(tmp_path))] == [("Not a.", ("a",))]


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 1, "pictures": [3], "left_out": {}}'])
def test_a_damaged_index_is_named(tmp_path: Path, text: str) -> None:
    write_explained(tmp_path, make_index())
    path = tmp_path / "pictures" / "explained" / "index.json"
    path.write_text(text)
    with pytest.raises(UnreadableRecord, match=r"index\.json cannot be read"):
        read_explained(tmp_path)


def test_maps_lie_over_their_picture_where_they_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "pictures" / "explained"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(b"jpeg")
    (tmp_path / "pictures" / "other.jpg").write_bytes(b"jpeg")
    index = make_index(
        "pictures/explained/1.jpg",
        "pictures/explained/gone.jpg",
        "pictures/explained/../other.jpg",
        "https://a.b/1.jpg",
    )
    first, second = lay_over(make_gallery("x.jpg", "y.jpg"), index, tmp_path).pictures
    assert [(o.model, o.title, o.path) for o in first.overlays] == [(1, "a map", "pictures/explained/1.jpg")]
    assert second.overlays == ()
    unknown = make_index("pictures/explained/1.jpg", model="c")
    assert lay_over(make_gallery("x.jpg"), unknown, tmp_path).pictures[0].overlays == ()


def test_maps_are_pictures() -> None:
    with pytest.raises(ConfigError, match="--explain"):
        CompareConfig(explain=True, images=False)


def measured(name: str) -> Measured:
    return Measured(name, "model", name, {}, "finished", f"{name}.pt", "0" * 64, class_names=NAMES)


def entrant(name: str, weights: WeightsFile) -> ModelEntrant:
    options = EngineOptions(device="cpu", imgsz_hw=(160, 160), threads=1, square=True)
    return ModelEntrant(name, weights, options, "torch", base=name)


def list_media(*paths: Path) -> tuple[Media, ...]:
    items = open_sources([str(path) for path in paths], ReadOptions()).iter_media(ReadCounts())
    return tuple(item for item in items if isinstance(item, Media))


def explain(
    agreement: Agreement, entrants: Sequence[Any], noon: Path, root: Path, warnings: list[str]
) -> ExplainedDisputes | None:
    return explain_disputed(
        agreement,
        entrants=entrants,
        measured={name: measured(name) for name in agreement.models},
        media=list_media(noon),
        read=ReadOptions(),
        root=root,
        on_notice=lambda _: None,
        on_warning=warnings.append,
    )


@pytest.fixture(scope="module")
def yolo() -> WeightsFile:
    return locate_weights("demo-yolo", offline=True, on_notice=print)


@pytest.fixture(scope="module")
def seen(yolo: WeightsFile, noon: Path) -> Detections:
    """Two cars that the model finds at that size, as a study has them."""
    from detectattn.engines import open_detector
    from detectattn.engines.postprocess import Thresholds

    detector = open_detector(yolo, entrant("a", yolo).options, name="a", engine="torch")
    bgr = np.asarray(cv2.imread(str(noon)), np.uint8)
    planes, resize = detector.fit(bgr)
    found = detector.decode(detector.engine.infer(planes[None]), (resize,), Thresholds(0.05))[0]
    names = detector.info.class_names
    detector.close()
    cars = [row for row in range(len(found)) if names[int(found.class_id[row])] == "car"][:2]
    assert len(cars) == 2
    return Detections(found.xyxy[cars], found.score[cars], np.zeros(2, np.int32))


def test_a_model_explains_what_it_alone_finds(yolo: WeightsFile, seen: Detections, noon: Path, tmp_path: Path) -> None:
    agreement = agree(seen, detect(), source=list_media(noon)[0].source, size_hw=(540, 960))
    entrants = [entrant("a", yolo), FileEntrant("b", tmp_path / "b.json", "0" * 64)]
    warnings: list[str] = []
    done = explain(agreement, entrants, noon, tmp_path, warnings)
    assert done is not None
    (picture,) = done.pictures
    (shown,) = picture.maps
    assert (shown.model, shown.title) == ("a", "LayerCAM: 2 disputed detections")
    drawn = cv2.imread(str(tmp_path / shown.path))
    assert drawn is not None
    assert drawn.shape[:2] == (540, 960)
    assert (tmp_path / picture.sheet).name == "001-noon.sheet.jpg"
    assert cv2.imread(str(tmp_path / picture.sheet)) is not None
    assert [text for text in warnings if "file of predictions" in text] == warnings
    assert explain(agreement, entrants, noon, tmp_path, warnings) is None


def test_models_that_fail_are_told_and_cost_nothing(
    yolo: WeightsFile, seen: Detections, noon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"nothing")
    agreement = agree(seen, detect(), source=list_media(noon)[0].source, size_hw=(540, 960))
    entrants = [entrant("a", yolo), entrant("b", WeightsFile(broken, "0" * 64, "pt", "local"))]

    def fail(*_: object) -> None:
        raise RuntimeError("no such layer")

    monkeypatch.setattr("detectattn.explain.picture.explain_look", fail)
    warnings: list[str] = []
    done = explain(agreement, entrants, noon, tmp_path, warnings)
    assert done is not None
    assert done.pictures == ()
    assert "RuntimeError: no such layer." in done.left_out["a"]
    assert str(broken) in done.left_out["b"]
    assert len(warnings) == 2
    left_out = json.loads((tmp_path / "pictures" / "explained" / "index.json").read_text())["left_out"]
    assert left_out == dict(done.left_out)
