"""How the annotated pictures of both sides are encoded: alike, or the comparison is not fair."""

from __future__ import annotations

import inspect
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from detectattn.sinks.annotated_image import AnnotatedImageSink

_SAMPLINGS = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}


def find_quality() -> int:
    """The JPEG quality of our annotated pictures."""
    return int(inspect.signature(AnnotatedImageSink).parameters["jpeg_quality"].default)


def describe_jpeg(path: Path) -> dict[str, Any]:
    """Its size in pixels and bytes, the quality as OpenCV counts it (None for other tables), how colour is sampled."""
    with Image.open(path) as picture:
        tables = _read_tables(picture)
        first = picture.layer[0]  # type: ignore[attr-defined]  # component, horizontal and vertical sampling
        return {
            "size_wh": list(picture.size),
            "bytes": path.stat().st_size,
            "quality": next((quality for quality in range(100, 0, -1) if _tables_of(quality) == tables), None),
            "colour": _SAMPLINGS.get((first[1], first[2]), "other"),
        }


@cache
def _tables_of(quality: int) -> list[list[int]]:
    grey = np.zeros((16, 16, 3), np.uint8)
    encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    with Image.open(BytesIO(encoded.tobytes())) as picture:
        return _read_tables(picture)


def _read_tables(picture: Image.Image) -> list[list[int]]:
    """The quantisation tables, which are all that a quality means."""
    return [list(table) for table in picture.quantization.values()]  # type: ignore[attr-defined]  # of JPEGs alone
