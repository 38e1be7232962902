"""JPEG: libjpeg-turbo decodes what is whole, Pillow judges and takes the rest.

:mod:`detectattn.sources.jpeg_decoders` needs half of Pillow's time to a BGR array, but versions of OpenCV differ on a
file that is cut short (older ones return a half-grey picture without a word), so only files with their end marker go
there. Only they can be reduced, too: cut files, CMYK and the further pictures of a file are always decoded in full.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, JpegImagePlugin, MpoImagePlugin

from detectattn.sources.base import ReadOptions
from detectattn.sources.image_encoded import CUT_WARNING, Encoded, Page
from detectattn.sources.image_integrity import find_jpeg_scan, has_jpeg_end
from detectattn.sources.image_orientation import read_orientation
from detectattn.sources.image_pixels import to_bgr, to_upright, to_upright_hw, to_upright_reduced
from detectattn.sources.jpeg_decoders import choose_factor, decode_jpeg
from detectattn.types import U8, Reduced

_END_OF_IMAGE = b"\xff\xd9"
_OTHER_DATA = bytes(range(0x11, 0xF0, 7)) * 8
_MP_ENTRIES = 0xB002


def iter_jpeg_pages(encoded: Encoded) -> Iterator[Page]:
    """Yield the picture of a JPEG, and the further views of a multi-picture one.

    Of a multi-picture file (MPO) come the first picture and those that the file declares to be frames of it (panorama,
    disparity, several angles), not its thumbnails, depth maps and gain maps, which no viewer shows.

    Raises:
        TruncatedImage, UndecodableImage, ImageTooLarge: As :meth:`Encoded.translate_errors` says.
    """
    with encoded.translate_errors():
        content = encoded.file.read()
        if find_jpeg_scan(content) is None:
            raise encoded.to_truncated(" within its header", has_pixels=False)
        image = JpegImagePlugin.jpeg_factory(io.BytesIO(content), "")
        encoded.check_size(image.size)
        first = _decode_first(encoded, image, content)
    yield first
    del first
    yield from _iter_further_views(encoded, image)


def has_further_views(file: BinaryIO) -> bool:
    """Whether :func:`iter_jpeg_pages` gives more than one picture of a JPEG, by its header.

    Raises:
        Exception: Nearly any, where the header is damaged.
    """
    return len(_find_further_views(JpegImagePlugin.jpeg_factory(file, ""))) > 0


def _decode_first(encoded: Encoded, image: Image.Image, content: bytes) -> Page:
    orientation = read_orientation(image)
    if not has_jpeg_end(content):
        return _decode_cut(encoded, content, orientation)
    if image.mode in {"RGB", "L"}:
        page = _decode_whole(content, (image.height, image.width), orientation, encoded.options)
        if page is not None:
            return page
    image.load()
    return Page(0, to_upright(to_bgr(image), orientation))


def _decode_whole(content: bytes, size_hw: tuple[int, int], orientation: int, options: ReadOptions) -> Page | None:
    """The picture, reduced, in full, or both, as the options ask; None for what Pillow must take."""
    reduced = _decode_reduced(content, size_hw, orientation, options.at_least_hw)
    if reduced is not None and not options.in_full:
        return Page(0, reduced.bgr, reduced=reduced)
    bgr = decode_jpeg(content, size_hw)
    return None if bgr is None else Page(0, to_upright(bgr, orientation), reduced=reduced)


def _decode_reduced(
    content: bytes, size_hw: tuple[int, int], orientation: int, at_least_hw: tuple[int, int] | None
) -> Reduced | None:
    """What a network is shown in its place, or None where it is not large enough for that."""
    factor = choose_factor(to_upright_hw(size_hw, orientation), at_least_hw)
    bgr = decode_jpeg(content, size_hw, factor) if factor > 1 else None
    return None if bgr is None else to_upright_reduced(bgr, factor, size_hw, orientation)


def _decode_cut(encoded: Encoded, content: bytes, orientation: int) -> Page:
    """Decode a file without its end marker, and tell whether only the marker is missing, as some cameras leave it out.

    What follows the data of a whole picture cannot change its pixels; what follows those of a part does.
    """
    content = content.rstrip(b"\x00\xff")
    bgr = _decode_by_pillow(content + _END_OF_IMAGE)
    if np.array_equal(bgr, _decode_by_pillow(content + _OTHER_DATA + _END_OF_IMAGE)):
        return Page(0, to_upright(bgr, orientation))
    if not encoded.options.allow_truncated:
        raise encoded.to_truncated()
    return Page(0, to_upright(bgr, orientation), (CUT_WARNING,))


def _decode_by_pillow(content: bytes) -> U8:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(content))
    image.load()
    return to_bgr(image)


def _iter_further_views(encoded: Encoded, image: Image.Image) -> Iterator[Page]:
    for index in _find_further_views(image):
        with encoded.translate_errors():
            image.seek(index)
            encoded.check_size(image.size)
            image.load()
            page = Page(index, to_upright(to_bgr(image), read_orientation(image)))
        yield page


def _find_further_views(image: Image.Image) -> list[int]:
    """Which pictures of a file come beside the first."""
    if not isinstance(image, MpoImagePlugin.MpoImageFile):
        return []
    entries = (image.mpinfo or {}).get(_MP_ENTRIES, ())
    kinds = [str(entry["Attribute"]["MPType"]) for entry in entries]
    return [index for index, kind in enumerate(kinds) if index > 0 and kind.startswith("Multi-Frame Image")]
