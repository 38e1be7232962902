"""Pictures are explained one after another, and sheets follow what the scores say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn import Model
from detectattn.engines.base import EngineOptions
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import EngineError, OutOfMemory
from detectattn.explain import gradients, picture
from detectattn.explain.figures import PAGE_PICTURES
from detectattn.explain.files import name_arrays, name_sheet
from detectattn.explain.gradients import find_gradients
from detectattn.explain.models import OpenModel, open_models
from detectattn.explain.picture import ExplainOptions, look_at
from detectattn.explain.run import ExplanationRun
from detectattn.results.faithfulness import PerturbationCurve
from detectattn.types import U8, Frame, Media
from detectattn.weights.locate import locate_weights


def make_frame(bgr: U8, output: str = "street/noon.jpg", index: int = 0, kind: str = "image") -> Frame:
    return Frame(Media(output, kind, bgr, PurePosixPath(output)), index, bgr)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def models() -> Iterator[tuple[OpenModel, ...]]:
    def locate(name: str) -> Any:
        return locate_weights(name, offline=True, on_notice=print)

    options = EngineOptions(device="cpu", imgsz_hw=(160, 160), threads=1)
    with open_models(["demo-rtdetr", "demo-yolo"], locate, options, print) as opened:
        yield opened


@pytest.fixture(scope="module")
def noon_bgr(noon: Path) -> U8:
    return np.asarray(cv2.imread(str(noon)), np.uint8)


def start(models: tuple[OpenModel, ...], folder: Path, temp_dir: Path, **options: Any) -> ExplanationRun:
    return ExplanationRun(models, [ExplainOptions(**options)] * len(models), 1, folder, temp_dir, sheets=True)


def test_sheets_are_drawn_anew_where_scores_find_a_better_map(
    models: tuple[OpenModel, ...], noon_bgr: U8, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = count()

    def rise(*_: object) -> PerturbationCurve:
        """Every method is more faithful than the one before; the last that is no baseline is HiResCAM."""
        return PerturbationCurve((0.5,), (min(1.0, next(turn) / 50),), (0.0,))

    monkeypatch.setattr(picture, "compute_curve", rise)
    monkeypatch.setattr(picture, "prepare_target", lambda *_: type("Target", (), {"tells": True})())
    (tmp_path / "temp").mkdir()
    run = start(models, tmp_path / "run", tmp_path / "temp", score=True)
    shown = run.add(make_frame(noon_bgr))
    assert shown.sheet == "images/street/noon.jpg"
    before = (tmp_path / "run" / shown.sheet).read_bytes()
    judged = run.finish()
    assert judged[0].default_method == "hirescam"
    after = (tmp_path / "run" / shown.sheet).read_bytes()
    assert after != before
    again = start(models, tmp_path / "again", tmp_path / "temp", methods=("hirescam",))
    again.add(make_frame(noon_bgr))
    if judged[1].default_method == "hirescam":
        assert (tmp_path / "again" / shown.sheet).read_bytes() == after


def test_what_a_step_raises_leaves_nothing_of_the_picture(
    models: tuple[OpenModel, ...], noon_bgr: U8, tmp_path: Path
) -> None:
    def stop(name: str, stage: str, done: int, total: int) -> None:
        if stage == "maps" and name == "demo-yolo":
            raise KeyboardInterrupt

    run = start(models, tmp_path / "run", tmp_path, methods=("layercam",))
    with pytest.raises(KeyboardInterrupt):
        run.add(make_frame(noon_bgr), stop)
    assert not (tmp_path / "run").exists()
    assert run.gathered.pictures == []


def test_what_only_the_page_shows_is_kept_of_the_first_pictures(
    models: tuple[OpenModel, ...], noon_bgr: U8, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detectattn.explain.figures.PAGE_PICTURES", 1)
    monkeypatch.setattr("detectattn.explain.run.PAGE_PICTURES", 1)
    assert PAGE_PICTURES > 1
    run = start(models, tmp_path / "run", tmp_path, methods=("layercam",))
    for index in range(2):
        run.add(make_frame(noon_bgr, "clip.mp4", index, "video"))
    first, second = run.gathered.pictures
    heavy = [d for o in first.objects for d in o.found if d is not None]
    light = [d for o in second.objects for d in o.found if d is not None]
    assert heavy
    assert len(heavy) == len(light)
    assert all(d.maps and d.heads for d in heavy)
    assert all(not d.maps and not d.heads and d.points is None and d.scores for d in light)
    assert first.jpeg is not None
    assert second.jpeg is None


@pytest.mark.parametrize(
    ("output", "kind", "index", "sheet", "arrays"),
    [
        ("a/bus.jpg", "image", 0, "images/a/bus.jpg", "explain/demo-rtdetr/a/bus.jpg.attention.npz"),
        ("bus.png", "image", 0, "images/bus.png.jpg", "explain/demo-rtdetr/bus.png.attention.npz"),
        ("x.tiff", "image", 3, "images/x.tiff.p0003.jpg", "explain/demo-rtdetr/x.tiff.p0003.jpg.attention.npz"),
        ("a/c.mp4", "video", 25, "images/a/c.mp4/000025.jpg", "explain/demo-rtdetr/a/c.mp4/000025.attention.npz"),
    ],
)
def test_files_are_named_after_their_pictures(
    models: tuple[OpenModel, ...], output: str, kind: str, index: int, sheet: str, arrays: str
) -> None:
    frame = make_frame(np.zeros((4, 4, 3), np.uint8), output, index, kind)
    assert str(name_sheet(frame)) == sheet
    assert str(name_arrays(frame, models[0])) == arrays


def test_a_size_that_fits_is_named_where_gradients_do_not(
    models: tuple[OpenModel, ...], noon_bgr: U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = models[0].detector
    compute = gradients.compute_gradients

    def need_memory(detector: Any, *words: Any, **named: Any) -> Any:
        if detector.engine.spec.net_hw[0] > 96:
            raise OutOfMemory("too little memory for gradients at 160×160", hint="?")
        return compute(detector, *words, **named)

    monkeypatch.setattr(gradients, "compute_gradients", need_memory)
    found = look_at(detector, noon_bgr, ExplainOptions()).captured.detections
    with pytest.raises(OutOfMemory, match="Use --imgsz 96, which fits"):
        find_gradients(detector, noon_bgr, found, pixels=False)
    assert detector.engine.spec.net_hw == (160, 160)


def test_the_library_explains_a_picture(noon: Path, noon_bgr: U8) -> None:
    with Model("demo-rtdetr", imgsz=160, offline=True, device="cpu") as model:
        explained = model.explain(noon, top=2, maps=["cross_last"])
        same = model.explain(noon_bgr, top=2, maps=["cross_last"])
    assert len(explained.detections) == 2
    assert list(explained.maps) == ["cross_last", "box_blob", "random"]
    for shown, again in zip(explained.maps["cross_last"], same.maps["cross_last"], strict=True):
        assert shown.values.sum() == pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(shown.values, again.values, atol=1e-6)
    assert explained.scores["cross_last"][0].energy > explained.scores["random"][0].energy


def test_the_library_refuses_what_shows_no_attention(noon: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Model("demo-yolo", imgsz=160, offline=True, device="cpu") as model:
        assert isinstance(model._detector.engine, TorchEngine)
        monkeypatch.setattr(model._detector, "engine", object())
        with pytest.raises(EngineError, match="does not let anyone see its attention"):
            model.explain(noon)
        monkeypatch.undo()
