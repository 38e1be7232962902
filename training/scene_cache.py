"""Scenes are drawn once and kept: pixels in memory-mapped files of 100 scenes, labels beside them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectattn.types import F32, I32, U8
from samples.scenes import draw_scene

DRAWN_PX = 640
_PER_FILE = 100


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScene:
    """One picture and what is in it.

    Attributes:
        bgr: u8[S, S, 3].
        xyxy: f32[N, 4] in its pixels.
        class_id: i32[N].
    """

    bgr: U8
    xyxy: F32
    class_id: I32


class SceneSet(Sequence[LabelledScene]):
    """Scenes of one size, read from disk as they are asked for.

    Attributes:
        drawing: Fingerprint of what drew them.
    """

    def __init__(self, scenes: Sequence[LabelledScene], drawing: str) -> None:
        self._scenes = scenes
        self.drawing = drawing

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> LabelledScene:  # type: ignore[override]  # slices are not needed
        return self._scenes[index]


def load_scenes(
    seeds: Sequence[int], size_px: int, folder: Path, on_progress: Callable[[int, int], None] = lambda *_: None
) -> SceneSet:
    """The scenes of these seeds, drawn where the cache lacks them.

    What the cache holds is filed under a fingerprint of one drawn scene, so that it is drawn afresh once the code that
    draws has changed.

    Args:
        seeds: Of the scenes.
        size_px: Side that they are kept at; they are drawn at 640. One drawing process a core.
        folder: Of the cache.
        on_progress: Told how many are there, and of how many, after each file.
    """
    drawing = compute_fingerprint()
    shelf = folder / f"{drawing}-{size_px}"
    shelf.mkdir(parents=True, exist_ok=True)
    chunks = [seeds[start : start + _PER_FILE] for start in range(0, len(seeds), _PER_FILE)]
    missing = [chunk for chunk in chunks if not _paths(chunk, shelf)[1].exists()]
    done = len(seeds) - sum(map(len, missing))
    for count in _draw_files(missing, size_px, shelf):
        done += count
        on_progress(done, len(seeds))
    return SceneSet([scene for chunk in chunks for scene in _load_file(chunk, shelf)], drawing)


def compute_fingerprint() -> str:
    """Changes when the pixels or boxes that a seed gives do."""
    _use_one_thread()
    scene = draw_scene(0, (96, 96))
    return hashlib.sha256(scene.bgr.tobytes() + scene.xyxy.tobytes()).hexdigest()[:12]


def _paths(seeds: Sequence[int], shelf: Path) -> tuple[Path, Path]:
    """Where the pixels and the labels of these scenes lie."""
    stem = f"{seeds[0]}-{len(seeds)}"
    return shelf / f"{stem}.npy", shelf / f"{stem}.npz"


def _draw_files(chunks: Sequence[Sequence[int]], size_px: int, shelf: Path) -> Iterator[int]:
    """Draw file after file, one process a core; yields how many scenes each holds."""
    if len(chunks) <= 1:
        yield from (_draw_file(chunk, size_px, shelf) for chunk in chunks)
        return
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(_draw_file, chunks, [size_px] * len(chunks), [shelf] * len(chunks))


def _use_one_thread() -> None:
    """OpenCV rounds some filters differently on one thread and on several; Ultralytics sets it to one on import."""
    cv2.setNumThreads(1)


def _draw_file(seeds: Sequence[int], size_px: int, shelf: Path) -> int:
    _use_one_thread()
    _write_file([_draw(seed, size_px) for seed in seeds], *_paths(seeds, shelf))
    return len(seeds)


def _load_file(seeds: Sequence[int], shelf: Path) -> list[LabelledScene]:
    pixels, labels = _paths(seeds, shelf)
    bgr: U8 = np.load(pixels, mmap_mode="r")
    with np.load(labels) as table:
        ends: NDArray[np.int64] = np.cumsum(table["counts"])[:-1]
        boxes, classes = np.split(table["xyxy"], ends), np.split(table["class_id"], ends)
    return [LabelledScene(*row) for row in zip(bgr, boxes, classes, strict=True)]


def _draw(seed: int, size_px: int) -> LabelledScene:
    scene = draw_scene(seed, (DRAWN_PX, DRAWN_PX))
    small = cv2.resize(scene.bgr, (size_px, size_px), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return LabelledScene(small, (scene.xyxy * (size_px / DRAWN_PX)).astype(np.float32), scene.class_id)


def _write_file(scenes: Sequence[LabelledScene], pixels: Path, labels: Path) -> None:
    """Pixels first: labels that are there vouch for them."""
    draft = pixels.with_suffix(f".{os.getpid()}.npy")
    np.save(draft, np.stack([scene.bgr for scene in scenes]))
    draft.replace(pixels)
    draft = labels.with_suffix(f".{os.getpid()}.npz")
    np.savez(
        draft,
        counts=np.array([len(scene.class_id) for scene in scenes]),
        xyxy=np.concatenate([scene.xyxy.reshape(-1, 4) for scene in scenes]),
        class_id=np.concatenate([scene.class_id for scene in scenes]),
    )
    draft.replace(labels)
