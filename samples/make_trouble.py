"""Writes ``trouble/``: what real folders hold besides good pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from samples.files import encode_image, write_bytes
from samples.scenes import SAMPLE_SEEDS, draw_scene

EXIF_ORIENTATION = 0x0112
TURN_RIGHT_TO_VIEW = 6


def write_trouble(out: Path) -> None:
    """Write a picture cut short, one that its metadata turns, a text that calls itself a picture."""
    folder = out / "trouble"
    bgr = draw_scene(SAMPLE_SEEDS[82], (480, 640)).bgr
    whole = encode_image(bgr, ".jpg")
    write_bytes(folder / "truncated.jpg", whole[: len(whole) * 3 // 5])
    write_bytes(folder / "text.jpg", b"This is a text file that calls itself a picture.\n")
    as_the_camera_saw = Image.fromarray(np.rot90(bgr[..., ::-1], k=1))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURN_RIGHT_TO_VIEW
    turned = io.BytesIO()
    as_the_camera_saw.save(turned, "JPEG", quality=88, exif=exif)
    write_bytes(folder / "rotated.jpg", turned.getvalue())
