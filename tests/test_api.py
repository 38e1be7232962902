"""The library's few lines: load by name, predict on anything, count, draw, save, take the record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import detectattn
from detectattn import Model
from detectattn.errors import OutputExists, SourceError, UndecodableImage, UnknownClass, UnknownModel
from detectattn.types import FrameFailure


@pytest.fixture(scope="module")
def model(shared: Path) -> Iterator[Model]:
    with Model(shared / "models" / "yolov8n_int8_openvino_model") as opened:
        yield opened


@pytest.fixture
def bus(ultralytics_assets: Path) -> Path:
    return ultralytics_assets / "bus.jpg"


@pytest.mark.parametrize("form", ["path", "text", "array", "pil", "list"])
def test_one_picture_in_any_form(model: Model, bus: Path, form: str) -> None:
    source: Any = {
        "path": lambda: bus,
        "text": lambda: str(bus),
        "array": lambda: cv2.imread(str(bus)),
        "pil": lambda: Image.open(bus),
        "list": lambda: [bus],
    }[form]()
    [shot] = model.predict(source)
    assert len(shot) == 5
    assert Counter(shot.names) == {"person": 4, "bus": 1}


def test_all_forms_find_the_same(model: Model, bus: Path) -> None:
    shots = model([bus, cv2.imread(str(bus)), Image.open(bus)])
    for shot in shots[1:]:
        np.testing.assert_array_equal(shot.detections.xyxy, shots[0].detections.xyxy)
    assert [shot.frame.source for shot in shots] == [str(bus), "image-1", "image-2"]


def test_stream_is_lazy(model: Model, bus: Path) -> None:
    picture = cv2.resize(cv2.imread(str(bus)), (320, 320))
    taken = 0

    def endless() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            yield picture

    shots = model.stream(endless())
    assert [len(next(shots)) > 0 for _ in range(3)] == [True] * 3
    shots.close()  # type: ignore[attr-defined]  # a generator
    assert taken < 40


def test_folder_with_trouble(model: Model, bus: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(bus.read_bytes())
    (tmp_path / "b.jpg").write_text("no picture")
    (tmp_path / "c.jpg").write_bytes(bus.read_bytes())
    failures: list[FrameFailure] = []
    shots = model.predict(tmp_path, on_failure=failures.append)
    assert [shot.frame.source for shot in shots] == ["a.jpg", "c.jpg"]
    assert [failure.source for failure in failures] == ["b.jpg"]
    with pytest.raises(SourceError, match=r"b\.jpg"):
        model.predict(tmp_path)


def test_options(model: Model, bus: Path) -> None:
    assert [len(model.predict(bus, **o)[0]) for o in ({"conf": 0.8}, {"classes": ["bus"]}, {"max_det": 2})] == [4, 1, 2]
    with pytest.raises(UnknownClass, match="bus"):
        model.predict(bus, classes=["buss"])


def test_draw_save_and_record(model: Model, bus: Path, tmp_path: Path) -> None:
    [shot] = model.predict(bus)
    drawn = shot.draw()
    assert drawn.shape == shot.frame.bgr.shape
    assert (drawn != shot.frame.bgr).any()
    saved = shot.save(tmp_path / "out.png")
    np.testing.assert_array_equal(cv2.imread(str(saved)), drawn)
    with pytest.raises(OutputExists):
        shot.save(saved)
    assert shot.to_pil().size == (810, 1080)
    record = shot.to_record()
    assert record["schema"] == 1
    assert len(record["detections"]) == 5


def test_picture_with_exif_rotation_comes_upright(model: Model, bus: Path) -> None:
    turned = Image.open(bus).transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[0x0112] = 6
    import io

    held = io.BytesIO()
    turned.save(held, "PNG", exif=exif)
    [shot] = model.predict(Image.open(held))
    assert shot.frame.size_hw == (1080, 810)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3)), np.zeros(3, np.uint8)])
def test_arrays_that_are_no_pictures(model: Model, wrong: Any) -> None:
    with pytest.raises(UndecodableImage, match="is no picture"):
        model.predict(wrong)


def test_grey_array(model: Model) -> None:
    [shot] = model.predict(np.zeros((48, 64), np.uint8))
    assert (shot.frame.size_hw, len(shot)) == ((48, 64), 0)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownModel, match="rtdetr-l"):
        Model("rtdetr-1", offline=True)


def test_public_names_exist() -> None:
    assert all(getattr(detectattn, name) for name in detectattn.__all__)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        detectattn.nothing_like_it  # noqa: B018 - the access is the test
