"""What the camera does to a picture: blur, noise, compression. Integers only, so that every machine agrees."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import cv2
import numpy as np

from .pixels import U8, blur


@dataclass(frozen=True, slots=True)
class Lens:
    """A camera's faults.

    Attributes:
        blur_px: Radius of a soft focus, 0 for none.
        noise: Standard deviation of the sensor's noise, in grey levels.
        jpeg_quality: 1 to 100, or None for none.
    """

    blur_px: int = 0
    noise: float = 2.0
    jpeg_quality: int | None = None


def choose_lens(rng: np.random.Generator, *, dark: bool) -> Lens:
    """Mostly clear pictures, some soft, grainy (more so when dark) or coarsely compressed."""
    blur = int(rng.choice(3, p=(0.72, 0.22, 0.06)))
    noise = float(rng.uniform(2.5, 8.0) if dark else rng.uniform(0.8, 4.5))
    quality = int(rng.integers(38, 92)) if rng.random() < 0.5 else None
    return Lens(blur, noise, quality)


def apply_lens(bgr: U8, lens: Lens, rng: np.random.Generator) -> U8:
    """The picture as the camera gives it; a new u8[H, W, 3]."""
    if lens.blur_px:
        bgr = blur(bgr, lens.blur_px)
    if lens.noise > 0:
        bgr = _add_noise(bgr, lens.noise, rng)
    if lens.jpeg_quality is not None:
        _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, lens.jpeg_quality])
        bgr = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return bgr


def _add_noise(bgr: U8, sigma: float, rng: np.random.Generator) -> U8:
    h, w = bgr.shape[:2]
    normal = NormalDist(0.0, sigma)
    table = np.array([round(normal.inv_cdf((k + 0.5) / 256)) for k in range(256)], np.int16)
    raw = np.frombuffer(rng.bytes(4 * h * w), np.uint8)
    # Mostly of brightness, a little of colour.
    grey, tint = cv2.LUT(raw[: h * w].reshape(h, w), table), cv2.LUT(raw[h * w :].reshape(h, w, 3), table >> 1)
    noisy = bgr.astype(np.int16)
    noisy += np.asarray(tint, np.int16)
    noisy += np.asarray(grey, np.int16)[..., None]
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
