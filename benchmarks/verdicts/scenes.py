"""Scenes that no model has seen, and what models detect in them: computed once, kept in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.machine import count_usable_cores
from detectattn.types import F32, I32, WeightsFile
from detectattn.weights.locate import locate_weights
from samples.scenes import CLASS_NAMES, Scene, draw_scene
from training.scene_cache import DRAWN_PX, compute_fingerprint

SEEDS = range(4_000_000, 4_100_000)
"""Neither trained nor validated on, nor among the samples."""

# As `detectattn compare` judges accuracy.
_KEEP = Thresholds(conf=0.001, iou=0.7, max_det=300, multi_label=True)
_A_FILE = 100


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model that detects.

    Attributes:
        name: In tables.
        model: As ``detectattn predict -m`` takes it.
        decoder_layers: Of an RT-DETR, how many of them run; all where None.
    """

    name: str
    model: str
    decoder_layers: int | None = None

    def locate(self) -> WeightsFile:
        """Its weights."""
        return locate_weights(self.model, offline=True, on_notice=lambda _: None)

    def name_files(self, drawing: str) -> str:
        """The cache's name for what it detects in scenes of that fingerprint."""
        cut = "" if self.decoder_layers is None else f"-{self.decoder_layers}-layers"
        return f"{drawing}-{self.locate().sha256[:12]}{cut}"


@dataclass(frozen=True, slots=True, eq=False)
class BoxList:
    """Boxes of many pictures, one picture after the other.

    Attributes:
        counts: i64[I], boxes of each picture.
        xyxy: f32[N, 4], pixels.
        class_id: i32[N], index into the scenes' class names.
        score: f32[N]; 1 for objects.
    """

    counts: NDArray[np.int64]
    xyxy: F32
    class_id: I32
    score: F32


def load_boxes(
    entrants: Sequence[Entrant], scenes: int, folder: Path, on_progress: Callable[[int, int], None]
) -> tuple[BoxList, dict[str, BoxList]]:
    """The objects of the scenes, and what each entrant detects, by its name; what the cache lacks is computed.

    Files are named after the weights' checksum and a fingerprint of the drawing, so that new weights and new scenes
    are computed and nothing else is. An interrupted call goes on where it stopped.

    Args:
        entrants: The models.
        scenes: How many, from the first of :data:`SEEDS`.
        folder: Of the cache.
        on_progress: Told how many scenes are done, of how many.
    """
    drawing = compute_fingerprint()
    truth_shelf = folder / f"{drawing}-truth"
    shelves = {e: folder / e.name_files(drawing) for e in entrants}
    blocks = [SEEDS[start : min(start + _A_FILE, scenes)] for start in range(0, scenes, _A_FILE)]
    missing = [b for b in blocks if not all(_path(s, b).exists() for s in (truth_shelf, *shelves.values()))]
    done = scenes - sum(map(len, missing))
    on_progress(done, scenes)
    with ProcessPoolExecutor(count_usable_cores(), mp_context=get_context("spawn")) as pool:
        tasks = [pool.submit(_fill, block, truth_shelf, shelves) for block in missing]
        for block, task in zip(missing, tasks, strict=True):
            task.result()
            done += len(block)
            on_progress(done, scenes)
    return _load(truth_shelf, blocks), {e.name: _load(shelf, blocks) for e, shelf in shelves.items()}


def _path(shelf: Path, block: range) -> Path:
    return shelf / f"{block.start}-{len(block)}.npz"


def _fill(block: range, truth_shelf: Path, shelves: Mapping[Entrant, Path]) -> None:
    """Draw some scenes and write what is missing of them."""
    # OpenCV rounds some filters differently on one thread and on several.
    cv2.setNumThreads(1)
    drawn = [draw_scene(seed, (DRAWN_PX, DRAWN_PX)) for seed in block]
    _write(_path(truth_shelf, block), [(s.xyxy, s.class_id, np.ones(len(s.class_id), np.float32)) for s in drawn])
    for entrant, shelf in shelves.items():
        if not _path(shelf, block).exists():
            _write(_path(shelf, block), [_detect(entrant, scene) for scene in drawn])


def _detect(entrant: Entrant, scene: Scene) -> tuple[F32, I32, F32]:
    detector = _open(entrant)
    planes, resize = detector.fit(scene.bgr)
    found = detector.decode(detector.engine.infer(planes[None]), (resize,), _KEEP)[0]
    return found.xyxy, found.class_id, found.score


@cache
def _open(entrant: Entrant) -> Detector:
    """Open a model once a process, on one thread: every core has a process."""
    options = EngineOptions(device="cpu", threads=1, square=True, decoder_layers=entrant.decoder_layers)
    detector = open_detector(entrant.locate(), options)
    if tuple(detector.info.class_names.values()) != CLASS_NAMES:
        raise ValueError(f"{entrant.model} does not know the classes of the scenes")
    return detector


def _write(path: Path, rows: Sequence[tuple[F32, I32, F32]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(
        draft,
        counts=np.array([len(row[1]) for row in rows]),
        xyxy=np.concatenate([row[0].reshape(-1, 4) for row in rows]).astype(np.float32),
        class_id=np.concatenate([row[1] for row in rows]).astype(np.int32),
        score=np.concatenate([row[2] for row in rows]).astype(np.float32),
    )
    draft.replace(path)


def _load(shelf: Path, blocks: Sequence[range]) -> BoxList:
    parts = []
    for block in blocks:
        with np.load(_path(shelf, block)) as file:
            parts.append([file[key] for key in ("counts", "xyxy", "class_id", "score")])
    return BoxList(*(np.concatenate(column) for column in zip(*parts, strict=True)))
