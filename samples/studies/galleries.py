"""Pictures with what models find in them: the shipped street scenes over and over, with made-up detections."""

from __future__ import annotations

import json
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from detectattn.report.gallery import Gallery, GalleryBox, GalleryPicture, GalleryTruth, Outcome
from detectattn.shipped import shipped_dir

Xyxy = tuple[float, float, float, float]
_Object = tuple[Xyxy, int]
"""A box, and the index of its class."""
_Scene = tuple[str, tuple[int, int], tuple[_Object, ...]]
"""File name, height and width, and what is in it."""

_THUMBNAIL_PX = 480
# How often a model finds an object of the ground truth, and how many things it finds where nothing is.
_RECALL = 0.8
_FALSE_A_PICTURE = 2.0
# Of a detection that is right and of one that is not, by whether there is ground truth.
_OUTCOMES: dict[bool, tuple[Outcome, Outcome]] = {True: ("right", "wrong"), False: ("unknown", "unknown")}


def make_gallery(
    models: tuple[str, ...], count: int, *, inline: int = 24, truth: bool = True, seed: int = 0
) -> Gallery:
    """``count`` pictures of which the first ``inline`` bring their thumbnail; all others name a file.

    The files are what :func:`draw_thumbnail` gives. Without ``truth`` nothing says which detection is right.
    """
    scenes, class_names = _load_scenes()
    rng = np.random.default_rng(seed)
    pictures = []
    for number in range(count):
        name, size_hw, objects = scenes[number % len(scenes)]
        found, truths = _find(rng, len(models), size_hw, objects, truth)
        pictures.append(
            GalleryPicture(
                source=f"{number // len(scenes):03d}/{name}",
                index=0,
                size_hw=size_hw,
                path=f"thumbnails/{number:05d}.jpg",
                jpeg=draw_thumbnail(number) if number < inline else None,
                disagreement=1 - number / count if len(models) > 1 else None,
                found=found,
                truth=truths,
            )
        )
    return Gallery(models, class_names, tuple(pictures), dict.fromkeys(models, 0.25))


def draw_thumbnail(number: int) -> bytes:
    """Picture ``number`` of :func:`make_gallery` as a JPEG whose longer side is 480 px."""
    scenes, _ = _load_scenes()
    return _draw_scene(scenes[number % len(scenes)][0])


@cache
def _draw_scene(name: str) -> bytes:
    bgr = cv2.imread(str(shipped_dir("samples") / "street" / "images" / name))
    assert bgr is not None
    scale = _THUMBNAIL_PX / max(bgr.shape[:2])
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


@cache
def _load_scenes() -> tuple[tuple[_Scene, ...], tuple[str, ...]]:
    """Name, height and width, and objects (box, class index) of every street scene; names of the classes."""
    truth = json.loads((shipped_dir("samples") / "street" / "annotations.json").read_text(encoding="utf-8"))
    places = {category["id"]: place for place, category in enumerate(truth["categories"])}
    objects: dict[int, list[_Object]] = {image["id"]: [] for image in truth["images"]}
    for item in truth["annotations"]:
        left, top, width, height = item["bbox"]
        box = (float(left), float(top), float(left + width), float(top + height))
        objects[item["image_id"]].append((box, places[item["category_id"]]))
    scenes = tuple((i["file_name"], (i["height"], i["width"]), tuple(objects[i["id"]])) for i in truth["images"])
    return scenes, tuple(category["name"] for category in truth["categories"])


def _find(
    rng: np.random.Generator, models: int, size_hw: tuple[int, int], objects: tuple[_Object, ...], truth: bool
) -> tuple[tuple[tuple[GalleryBox, ...], ...], tuple[GalleryTruth, ...] | None]:
    """What each model finds, and the objects themselves where there is ground truth."""
    boxes: list[list[GalleryBox]] = [[] for _ in range(models)]
    truths = []
    right, wrong = _OUTCOMES[truth]
    for number, (xyxy, place) in enumerate(objects):
        finders = tuple(int(model) for model in np.flatnonzero(rng.random(models) < _RECALL))
        truths.append(GalleryTruth(xyxy, place, finders, counts=True))
        for model in finders:
            moved = _keep_inside(np.asarray(xyxy) + rng.normal(0, 2, 4), size_hw)
            score = round(float(rng.uniform(0.5, 0.98)), 5)
            boxes[model].append(GalleryBox(moved, place, score, finders, right, number))
    height, width = size_hw
    wrongs = np.repeat(np.arange(models), rng.poisson(_FALSE_A_PICTURE, models)).tolist()
    for number, model in enumerate(wrongs, len(objects)):
        x, y, w, h = rng.uniform((0, 0, 20, 20), (width - 60, height - 60, 60, 60))
        box = _keep_inside(np.array([x, y, x + w, y + h]), size_hw)
        score = round(float(rng.uniform(0.25, 0.6)), 5)
        boxes[model].append(GalleryBox(box, int(rng.integers(6)), score, (model,), wrong, number))
    return tuple(tuple(found) for found in boxes), tuple(truths) if truth else None


def _keep_inside(xyxy: NDArray[np.float64], size_hw: tuple[int, int]) -> Xyxy:
    """Clipped to the picture, and rounded to 0.01 px as in records."""
    height, width = size_hw
    left, top, right, bottom = np.round(np.clip(xyxy, 0, (width, height, width, height)), 2).tolist()
    return left, top, right, bottom
