"""Which way up a picture is."""

from __future__ import annotations

import struct

from PIL import ExifTags, Image

_DAMAGED_EXIF = (SyntaxError, struct.error, OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError)


def read_orientation(image: Image.Image) -> int:
    """EXIF's orientation (1 to 8).

    1 where there is none, or the metadata is damaged: that must not cost a picture.
    """
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGED_EXIF:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
