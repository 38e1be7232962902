"""The pictures of what is disputed: a map a model over the whole picture, and a sheet with a row an object."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from detectattn.attention.maps import METHODS
from detectattn.compare.disputed_objects import merge_maps
from detectattn.compare.explained import FOLDER, DisputedPicture, DisputeMap
from detectattn.drawing.heat import draw_heat
from detectattn.explain.models import OpenModel
from detectattn.explain.objects import FoundObject
from detectattn.explain.picture import ExplainedPicture
from detectattn.explain.sheet import ModelOnSheet, draw_explained
from detectattn.sinks.files import replace_file
from detectattn.sinks.media_files import encode_image
from detectattn.sources.naming import to_output_name
from detectattn.types import U8, Frame

_LONGEST_PX = 960
_MAP_QUALITY, _SHEET_QUALITY = 85, 90


@dataclass(frozen=True, slots=True, eq=False)
class DisputingModel:
    """A model at work.

    Attributes:
        model: Open.
        place: Its place in the agreement.
        method: Its default map.
    """

    model: OpenModel
    place: int
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedByModel:
    """What a model explains of a picture.

    Attributes:
        bench: The model at work.
        explained: Its maps.
        rows: By object, the row of its explained detections; None where it does not find the object.
    """

    bench: DisputingModel
    explained: ExplainedPicture
    rows: tuple[int | None, ...]


def write_disputes_of(
    root: Path, rank: int, frame: Frame, objects: Sequence[FoundObject], found: Sequence[ExplainedByModel]
) -> DisputedPicture:
    """Write a picture's maps, one a model that finds something, and its sheet.

    Args:
        root: The run folder.
        rank: Of the picture, from 1 for the most disputed.
        frame: The picture.
        objects: What is disputed in it.
        found: What each model explains of them.

    Raises:
        OutputError: A file cannot be written.
    """
    shown = [done for done in found if len(done.explained.detections)]
    maps = tuple(_write_map(root, rank, frame, done) for done in shown)
    kept = [n for n in range(len(objects)) if any(done.rows[n] is not None for done in found)]
    columns = [ModelOnSheet(d.bench.model.name, d.bench.model.color, d.bench.method, d.explained) for d in found]
    rows = [[done.rows[n] for done in found] for n in kept]
    sheet = FOLDER / _name_sheet(rank, frame)
    content = encode_image(draw_explained(frame.bgr, [objects[n] for n in kept], rows, columns), ".jpg", _SHEET_QUALITY)
    replace_file(root / sheet, content)
    return DisputedPicture(frame.source, frame.index, str(sheet), maps)


def _write_map(root: Path, rank: int, frame: Frame, done: ExplainedByModel) -> DisputeMap:
    method, count = done.bench.method, len(done.explained.detections)
    values = merge_maps([found.values for found in done.explained.maps[method]])
    # Nothing of a file name becomes a URL, as with thumbnails.
    key = f"{frame.source}\0{frame.index}".encode("utf-8", "surrogatepass")
    path = FOLDER / f"{rank:03d}-{hashlib.sha256(key).hexdigest()[:8]}.{done.bench.place}.jpg"
    replace_file(root / path, encode_image(draw_heat(_shrink(frame.bgr), values, 1.0), ".jpg", _MAP_QUALITY))
    title = f"{METHODS[method].title}: {count} disputed detection{'' if count == 1 else 's'}"
    return DisputeMap(done.bench.model.name, title, str(path))


def _shrink(bgr: U8) -> U8:
    scale = _LONGEST_PX / max(bgr.shape[:2])
    if scale >= 1:
        return bgr
    size_wh = max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale))
    return np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _name_sheet(rank: int, frame: Frame) -> str:
    stem = PurePosixPath(frame.source.replace("\\", "/")).stem or "picture"
    mark = f".p{frame.index:04d}" if frame.index else ""
    return to_output_name(f"{rank:03d}-{stem}{mark}.sheet.jpg")
