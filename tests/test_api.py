"""The library's few lines: load by name, predict on anything, count, draw, save, take the record."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import detectattn
from detectattn import Model
from detectattn.api import Shot
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import EngineError, OutputExists, SourceError, UndecodableImage, UnknownClass, UnknownModel
from detectattn.pipeline.stages import RunOptions
from detectattn.types import FrameFailure
from tests.hanging import let_engines_hang


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model("demo-yolo") as opened:
        yield opened


@pytest.fixture(scope="module")
def found(model: Model, noon: Path) -> Shot:
    """What is found in ``noon.jpg`` by default."""
    [shot] = model.predict(noon)
    assert shot.names.count("car") >= 3
    return shot


@pytest.mark.parametrize("form", ["path", "text", "array", "pil", "list"])
def test_one_picture_in_any_form(model: Model, noon: Path, found: Shot, form: str) -> None:
    source: Any = {
        "path": lambda: noon,
        "text": lambda: str(noon),
        "array": lambda: cv2.imread(str(noon)),
        "pil": lambda: Image.open(noon),
        "list": lambda: [noon],
    }[form]()
    [shot] = model.predict(source)
    assert shot.names == found.names
    np.testing.assert_array_equal(shot.detections.xyxy, found.detections.xyxy)


def test_a_model_and_a_shot_are_shown_in_a_line(model: Model, found: Shot) -> None:
    assert re.fullmatch(r"<Model demo-yolo: \w+ on cpu, fp32, 320×320>", repr(model))
    cars = found.names.count("car")
    assert re.fullmatch(rf"<Shot '\S*noon\.jpg' by demo-yolo: (\d+ [a-z ]+, )*{cars} car(, .*)?>", repr(found))
    nothing = replace(
        found, prediction=replace(found.prediction, detections=found.detections.take(np.array([], np.intp)))
    )
    assert repr(nothing).endswith("noon.jpg' by demo-yolo: nothing found>")
    frame = replace(nothing, frame=replace(found.frame, media=replace(found.frame.media, source="clip.mp4"), index=7))
    assert repr(frame) == "<Shot 7 of 'clip.mp4' by demo-yolo: nothing found>"


@pytest.mark.parametrize(("options", "says"), [({"conf": 3}, "conf .* is 3"), ({"iou": -1}, "iou .* is -1"),
                                               ({"max_det": 0}, "max_det .* is 0")])  # fmt: skip
def test_a_threshold_out_of_range_is_named(model: Model, noon: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        model.predict(noon, **options)


def test_several_pictures_of_several_forms(model: Model, noon: Path, found: Shot) -> None:
    shots = model([noon, cv2.imread(str(noon)), Image.open(noon)])
    for shot in shots:
        np.testing.assert_array_equal(shot.detections.xyxy, found.detections.xyxy)
    assert [shot.frame.source for shot in shots] == [str(noon), "image-1", "image-2"]


def test_stream_is_lazy(model: Model, noon: Path) -> None:
    picture = cv2.resize(cv2.imread(str(noon)), (320, 320))
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


def test_folder_with_trouble(model: Model, noon: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(noon.read_bytes())
    (tmp_path / "b.jpg").write_text("no picture")
    (tmp_path / "c.jpg").write_bytes(noon.read_bytes())
    failures: list[FrameFailure] = []
    shots = model.predict(tmp_path, on_failure=failures.append)
    assert [shot.frame.source for shot in shots] == ["a.jpg", "c.jpg"]
    assert [failure.source for failure in failures] == ["b.jpg"]
    with pytest.raises(SourceError, match=r"b\.jpg"):
        model.predict(tmp_path)


def test_options(model: Model, noon: Path, found: Shot) -> None:
    between = float(found.detections.score[:2].mean())
    options: list[dict[str, Any]] = [{"conf": between}, {"classes": ["car"]}, {"max_det": 2}]
    assert [len(model.predict(noon, **o)[0]) for o in options] == [1, found.names.count("car"), 2]
    with pytest.raises(UnknownClass, match="bus"):
        model.predict(noon, classes=["buss"])


def test_draw_save_and_record(model: Model, noon: Path, tmp_path: Path) -> None:
    [shot] = model.predict(noon)
    drawn = shot.draw()
    assert drawn.shape == shot.frame.bgr.shape
    assert (drawn != shot.frame.bgr).any()
    saved = shot.save(tmp_path / "out.png")
    np.testing.assert_array_equal(cv2.imread(str(saved)), drawn)
    with pytest.raises(OutputExists):
        shot.save(saved)
    assert shot.to_pil().size == (960, 540)
    record = shot.to_record()
    assert record["schema"] == 1
    assert len(record["detections"]) == len(shot)


def test_picture_with_exif_rotation_comes_upright(model: Model, noon: Path) -> None:
    turned = Image.open(noon).transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[0x0112] = 6
    import io

    held = io.BytesIO()
    turned.save(held, "PNG", exif=exif)
    [shot] = model.predict(Image.open(held))
    assert shot.frame.size_hw == (540, 960)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3)), np.zeros(3, np.uint8)])
def test_arrays_that_are_no_pictures(model: Model, wrong: Any) -> None:
    with pytest.raises(UndecodableImage, match="is no picture"):
        model.predict(wrong)


def test_grey_array(model: Model) -> None:
    [shot] = model.predict(np.zeros((48, 64), np.uint8), conf=0.99)
    assert (shot.frame.size_hw, len(shot)) == ((48, 64), 0)


def test_on_a_gpu_too_a_picture_that_is_waited_for_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = TorchEngine.__init__

    def begin_on_gpu(engine: TorchEngine, *how: Any) -> None:
        begin(engine, *how)
        engine.spec = replace(engine.spec, device="cuda:0")

    monkeypatch.setattr(TorchEngine, "__init__", begin_on_gpu)
    assert Model("demo-yolo", engine="torch")._detector.batch == 1
    assert Model("demo-yolo", engine="torch", hint="throughput")._detector.batch == 8
    assert Model("demo-yolo", engine="torch", batch=4)._detector.batch == 4


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownModel, match="rtdetr-l"):
        Model("rtdetr-1", offline=True)


def test_public_names_exist() -> None:
    assert all(getattr(detectattn, name) for name in detectattn.__all__)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        detectattn.nothing_like_it  # noqa: B018 - the access is the test


class Told(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    """What the library logs, whatever other libraries have done to logging."""
    log, handler = logging.Logger("detectattn"), Told()
    log.addHandler(handler)
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    monkeypatch.setattr("detectattn.api._log", log)
    return handler.records


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectattn.api.RunOptions", partial(RunOptions, first_answer_s=1.0))


@pytest.mark.timeout(30)
def test_an_engine_that_hangs_is_replaced_for_good(impatient: None, noon: Path, told: list[logging.LogRecord]) -> None:
    with Model("demo-yolo", imgsz=96, engine="torch") as model, let_engines_hang(TorchEngine, engines=1, answers=1):
        hung = model._detector
        whole = [[shot.names for shot in model.predict(source)] for source in (noon, [noon, noon], noon)]
    assert whole == [whole[0], whole[0] * 2, whole[0]]
    assert [record.levelname for record in told] == ["WARNING"]
    assert "demo-yolo did not answer" in told[0].getMessage()
    assert (hung.stalled, model._detector is hung, model._detector.stalled) == (True, False, False)


@pytest.mark.timeout(30)
def test_a_model_without_an_engine_that_answers_is_not_asked_again(impatient: None, noon: Path) -> None:
    with Model("demo-yolo", imgsz=96, engine="torch") as model, let_engines_hang(TorchEngine, engines=2, answers=1):
        with pytest.raises(EngineError, match="did not answer"):
            model.predict([noon] * 4)
        with pytest.raises(EngineError, match="hung before"):
            model.predict(noon)
