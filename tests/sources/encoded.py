"""Pictures as bytes, and the frames that come of them."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageFilter

from detectattn.sources.base import ReadOptions
from detectattn.sources.image import iter_image_frames
from detectattn.types import Frame, Media

STRICT = ReadOptions()
LENIENT = ReadOptions(allow_truncated=True)


def decode(content: bytes | Path, options: ReadOptions = STRICT) -> list[Frame]:
    media = Media("picture", "image", content, PurePosixPath("picture"))
    return list(iter_image_frames(media, options))


def encode(image: Image.Image, picture_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def noisy(size_wh: tuple[int, int] = (320, 240), seed: int = 0) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 255, (size_wh[1], size_wh[0], 3), np.uint8)
    return Image.fromarray(levels).filter(ImageFilter.GaussianBlur(2))
