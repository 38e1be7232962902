"""Frames and predictions for the sinks to write."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from detectattn.classes import COCO_NAMES
from detectattn.types import Detections, Frame, Media, ModelInfo, Prediction, StageTiming


@pytest.fixture(scope="session")
def make_frame():
    """``make_frame(output, kind="image", index=0, size_hw=(100, 200))``; its source is its output unless given."""

    def make(output, kind="image", index=0, size_hw=(100, 200), source=None):
        media = Media(source or output, kind, Path(output), PurePosixPath(output))
        timestamp_s = index / 25 if kind in ("video", "stream") else None
        return Frame(media, index, np.zeros((*size_hw, 3), np.uint8), timestamp_s)

    return make


@pytest.fixture(scope="session")
def make_prediction():
    """``make_prediction(frame, (xyxy, score, class_id), …)``, with COCO's class names unless others are given."""

    def make(frame, *rows, class_names=None, traced=True, **changes):
        n = len(rows)
        found = Detections(
            np.array([row[0] for row in rows], np.float32).reshape(n, 4),
            np.array([row[1] for row in rows], np.float32),
            np.array([row[2] for row in rows], np.int32),
            np.arange(100, 100 + n, dtype=np.int32) if traced else None,
        )
        fields = {
            "source": frame.source,
            "index": frame.index,
            "size_hw": frame.size_hw,
            "detections": found,
            "model": "demo",
            "class_names": dict(enumerate(COCO_NAMES)) if class_names is None else class_names,
            "timing": StageTiming(1, 2, 3, 4, 5),
            "timestamp_s": frame.timestamp_s,
        }
        return Prediction(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def make_model_info():
    """``make_model_info(class_names)``; COCO's when left out."""

    def make(class_names=None):
        names = dict(enumerate(COCO_NAMES)) if class_names is None else class_names
        return ModelInfo("demo", "cnn", names, (640, 640), "torch", "cpu", "fp32")

    return make


@pytest.fixture(scope="session")
def limit_file_size():
    """``with limit_file_size(bytes):`` no file may grow beyond that, as on a disk that fills up."""
    resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")

    @contextmanager
    def limit(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture
def full_disk():
    """A file that refuses every byte, as a full disk does."""
    device = Path("/dev/full")
    if os.name != "posix" or not device.exists():
        pytest.skip("/dev/full is not present")
    return device


@pytest.fixture(scope="session")
def documented_columns():
    """``documented_columns(heading, table)``: first and second cells of one table of docs/records.md."""
    text = (Path(__file__).parents[2] / "docs/records.md").read_text(encoding="utf-8")

    def read(heading, table):
        section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        rows = section.split(f"| {table} | type | meaning |\n|---|---|---|\n")[1].split("\n\n")[0].splitlines()
        cells = [[cell.strip() for cell in row.split("|")[1:3]] for row in rows]
        return {name.strip("`"): kind.removesuffix(" or null").removesuffix(" or empty") for name, kind in cells}

    return read
