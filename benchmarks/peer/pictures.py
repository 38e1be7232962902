"""Folders of JPEGs to work on: street scenes drawn from seeds, so that every run has the same ones."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from samples.scenes import SAMPLE_SEEDS, draw_scene

_QUALITY = 90
_LARGE_PX = 4_000_000


def make_folder(parent: Path, hw: tuple[int, int], count: int) -> Path:
    """A folder of ``count`` JPEGs of height and width ``hw``; made unless it is there.

    There are eight different scenes (four, when they are large), linked under as many names as it takes. The folder
    has no folders inside, since ``yolo predict`` would not look there.
    """
    folder = parent / f"{hw[1]}x{hw[0]}-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:05d}.jpg"
        if not path.exists():
            os.link(_original(parent, hw, number), path)
    return folder


def _original(parent: Path, hw: tuple[int, int], number: int) -> Path:
    kinds = 4 if hw[0] * hw[1] > _LARGE_PX else 8
    path = parent / f"{hw[1]}x{hw[0]}-scene-{number % kinds}.jpg"
    if not path.exists():
        scene = draw_scene(SAMPLE_SEEDS[number % kinds], hw)
        encoded = cv2.imencode(".jpg", scene.bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(encoded.tobytes())
        unfinished.rename(path)
    return path
