"""Inputs, a model that loads in a moment, and a store for runs on a cluster."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

from detectattn.storage import Store, open_store
from detectattn.types import Media
from tests.engines.tiny_openvino import write_tiny_openvino

PICTURES = 12


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``p00.jpg`` to ``p11.jpg``, noise of several sizes, and ``p05x.jpg``, which is no picture.

    ``p07`` is a WebP, which is decoded in a process of its own.
    """
    folder = tmp_path_factory.mktemp("inputs") / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(PICTURES):
        coarse = rng.integers(0, 256, (4, 6, 3), np.uint8)
        suffix = "webp" if number == 7 else "jpg"
        cv2.imwrite(str(folder / f"p{number:02d}.{suffix}"), cv2.resize(coarse, (96 + 8 * (number % 3), 64)))
    (folder / "p05x.jpg").write_bytes(b"no picture at all")
    return folder


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OpenVINO folder; it finds something in most pictures."""
    return write_tiny_openvino(tmp_path_factory.mktemp("model"), imgsz=96).path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path / "run")


@pytest.fixture
def media(pictures: Path) -> list[Media]:
    """The pictures as a folder source yields them."""
    files = sorted(pictures.iterdir())
    return [Media(file.name, "image", file, PurePosixPath(file.name)) for file in files]
