"""The embedded models as PyTorch runs them, and a cache with one conversion in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from detectattn.conversion.choose import OpenedModel, open_model
from detectattn.conversion.work import Tell, Work
from detectattn.engines.base import EngineOptions
from detectattn.types import WeightsFile
from detectattn.weights.locate import locate_weights

SIDE_PX = 160


@pytest.fixture(scope="session")
def embedded() -> Callable[[str], WeightsFile]:
    """The weights of an embedded model."""
    return lambda name: locate_weights(name, offline=True, on_notice=print)


@pytest.fixture(scope="session")
def street_pictures(street_images: Path) -> list[Any]:
    """Two street scenes of unlike shapes, BGR."""
    return [cv2.imread(str(street_images / name)) for name in ("noon.jpg", "yellow-bus.jpg")]


class Opener:
    """Opens ``demo-yolo`` at 160 pixels with a cache of its own, and remembers what it was told."""

    def __init__(self, weights: WeightsFile, sources: tuple[str, ...]) -> None:
        self.weights = weights
        self.sources = sources
        self.said: list[str] = []
        self.warned: list[str] = []

    def open(self, engine: str = "auto", pictures: int | None = 1, **options: Any) -> OpenedModel:
        tell = Tell(self.said.append, self.warned.append)
        asked = EngineOptions(**{"device": "cpu", "imgsz_hw": (SIDE_PX, SIDE_PX), **options})
        return open_model(self.weights, asked, engine=engine, work=Work(pictures, self.sources), tell=tell)


@pytest.fixture(scope="session")
def filled_cache(
    make_once: Callable[[str, Callable[[Path], None]], Path],
    embedded: Callable[[str], WeightsFile],
    street_images: Path,
) -> Path:
    """A cache folder that holds ``demo-yolo`` for OpenVINO at 160 pixels, made as a run makes it."""

    def fill(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DETECTATTN_CACHE", str(folder))
            Opener(embedded("demo-yolo"), (str(street_images),)).open("openvino").detector.close()

    return make_once("filled-cache", fill)


@pytest.fixture
def own_cache(filled_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled cache that a test may spoil; the folder of the conversions of ``demo-yolo``."""
    folder = tmp_path / "cache"
    shutil.copytree(filled_cache / "engines", folder / "engines")
    monkeypatch.setenv("DETECTATTN_CACHE", str(folder))
    return next((folder / "engines").iterdir())


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("DETECTATTN_CACHE", str(folder))
    return folder


@pytest.fixture
def opener(embedded: Callable[[str], WeightsFile], street_images: Path) -> Opener:
    return Opener(embedded("demo-yolo"), (str(street_images),))
