"""Models to look into: the embedded pair, and architectures of seeded noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import pytest

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.types import U8, WeightsFile
from detectattn.weights.embedded import embedded_path
from detectattn.weights.embedded_model import load_embedded_model
from detectattn.weights.locate import locate_weights
from tests.attention.noisy_models import build_noisy, save_noisy


@pytest.fixture(scope="session")
def noisy_model() -> Callable[[str], Any]:
    """``noisy_model("yolo11n")``: an architecture of seeded noise; ``demo-rtdetr`` is the trained, embedded one.

    Whoever changes a model changes it back.
    """

    @cache
    def build(name: str) -> Any:
        shipped = embedded_path(name)
        return build_noisy(name) if shipped is None else load_embedded_model(shipped)

    return build


@pytest.fixture(scope="session")
def open_noisy(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Detector]:
    """``open_noisy("rtdetr-l", imgsz_hw=(96, 128))``: a detector of seeded noise, shared by all tests."""

    @cache
    def open_(name: str, **options: Any) -> Detector:
        path = save_noisy(name, tmp_path_factory.mktemp("noisy"))
        return open_detector(WeightsFile(path, "", "pt", "local"), EngineOptions(device="cpu", threads=1, **options))

    return open_


@pytest.fixture(scope="session")
def open_embedded() -> Callable[..., Detector]:
    """``open_embedded("demo-rtdetr", square=True)``: one of the embedded pair, shared by all tests."""

    @cache
    def open_(name: str, **options: Any) -> Detector:
        weights = locate_weights(name, offline=True, on_notice=print)
        return open_detector(weights, EngineOptions(device="cpu", threads=1, **options))

    return open_


@pytest.fixture(scope="session")
def noon_bgr(noon: Path) -> U8:
    """A street scene, u8[540, 960, 3]."""
    bgr: U8 = cv2.imread(str(noon))  # type: ignore[assignment]  # the stubs promise no dtype
    return bgr
