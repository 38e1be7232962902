"""A run that writes all there is to write, and what no fault may leave behind."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest

from benchmarks.tiny_model import write_tiny_model
from detectattn.cli.app import run

Words = list[str]


@pytest.fixture(scope="module", autouse=True)
def _needs_onnx() -> None:
    for package in ("onnx", "onnxruntime", "polars"):
        if find_spec(package) is None:  # not imported: ONNX Runtime would write into the home folder
            pytest.skip(f"{package} is not installed")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Words:
    """A run over six pictures, a broken one and a clip that writes all there is to write."""
    import av

    folder, rng = tmp_path_factory.mktemp("faults"), np.random.default_rng(0)
    pictures = [cv2.resize(rng.integers(0, 256, (9, 12, 3), np.uint8), (96, 72)) for _ in range(9)]
    for number, name in enumerate("012456"):
        cv2.imwrite(str(folder / f"{name}.jpg"), pictures[number])
    (folder / "3.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    with av.open(str(folder / "7.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        for picture in pictures[6:]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    model = write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")
    formats = "csv,coco,yolo,voc,crops,parquet"
    return ["predict", str(folder), "-m", str(model), "--conf", "0.35", "--save", formats, "--isolate", "none"]


@pytest.fixture(scope="module")
def whole(words: Words, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in which nothing fails."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run([*words, "-o", str(folder), "-q"]) == 4
    return folder


def list_children() -> set[psutil.Process]:
    """Processes that this one began, but for the browser of other tests."""
    children = psutil.Process().children(recursive=True)
    return {child for child in children if child.is_running() and "chrom" not in child.name()}


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where logs of bugs go
    before, children = set(threading.enumerate()), list_children()
    yield
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"threads left behind: {left}"
    assert list_children() <= children
