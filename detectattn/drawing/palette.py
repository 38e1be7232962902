"""One colour a class, the same in every model and every run.

The sixteen colours stay apart for people with protanopia, deuteranopia and tritanopia too (a test holds that), and are
light enough to show on a dark ground; the casing around every line does the rest on a bright one. COCO's classes have
fixed places, chosen so that what appears together looks different; every other name gets its place by a hash.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache

Rgb = tuple[int, int, int]

_PLACES: tuple[tuple[Rgb, str], ...] = (
    ((0xFE, 0x7B, 0x36), "train, frisbee, spoon, orange, bed"),
    ((0x21, 0x61, 0xE9), "traffic light, skateboard, bottle, hot dog, clock"),
    ((0x43, 0xFE, 0xFF), "dog, backpack, kite, pizza, refrigerator"),
    ((0xC2, 0x13, 0x7A), "motorcycle, baseball glove, cup, carrot, teddy bear"),
    ((0xA8, 0xA4, 0xFC), "bicycle, surfboard, fork, apple, book"),
    ((0xF4, 0xE7, 0x39), "stop sign, bird, baseball bat, bowl, chair"),
    ((0x3C, 0xB5, 0x89), "fire hydrant, knife, banana, toilet, vase"),
    ((0xA6, 0x71, 0xBE), "airplane, bench, wine glass, donut, couch"),
    ((0x66, 0x78, 0x09), "truck, sheep, cake, cell phone, sink"),
    ((0x23, 0xDB, 0x8B), "person, bear, keyboard, toaster, scissors"),
    ((0xF6, 0x82, 0xC7), "parking meter, elephant, tie, microwave, toothbrush"),
    ((0xA5, 0x2F, 0xB5), "boat, horse, handbag, sports ball, dining table"),
    ((0x7B, 0x83, 0xFE), "bus, cow, tennis racket, laptop, oven"),
    ((0xC7, 0x57, 0x65), "cat, zebra, umbrella, skis, mouse"),
    ((0xF6, 0xB8, 0x23), "car, snowboard, broccoli, potted plant, remote"),
    ((0xB0, 0xF7, 0xAA), "giraffe, suitcase, sandwich, tv, hair drier"),
)
PALETTE: tuple[Rgb, ...] = tuple(color for color, _ in _PLACES)
_COCO: dict[str, Rgb] = {name: color for color, names in _PLACES for name in names.split(", ")}
# What other label sets (VOC, Open Images, older COCO lists) call the same things.
_SAME_AS = {
    "people": "person",
    "pedestrian": "person",
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "bike": "bicycle",
    "tvmonitor": "tv",
    "television": "tv",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "mobile phone": "cell phone",
}


def class_color(class_name: str) -> Rgb:
    """The colour of a class, by its name alone; case, spaces, ``_`` and ``-`` make no difference."""
    return _class_color(class_name)


@lru_cache(maxsize=4096)
def _class_color(class_name: str) -> Rgb:
    key = " ".join(unicodedata.normalize("NFC", class_name).casefold().replace("_", " ").replace("-", " ").split())
    key = _SAME_AS.get(key, key)
    if key in _COCO:
        return _COCO[key]
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return PALETTE[int.from_bytes(digest[:8], "big") % len(PALETTE)]


def compute_contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Rgb) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def text_color(background: Rgb) -> Rgb:
    """Black or white, whichever reads better; the ratio is 4.58 or more on any background."""
    black, white = (0, 0, 0), (255, 255, 255)
    return black if compute_contrast(background, black) >= compute_contrast(background, white) else white


def casing_color(color: Rgb) -> Rgb:
    """The dark shade that edges a line of this colour."""
    return color[0] * 22 // 100, color[1] * 22 // 100, color[2] * 22 // 100
