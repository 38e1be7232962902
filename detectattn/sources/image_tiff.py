"""TIFF: Pillow reads it page by page; OpenCV takes the sample types that Pillow lacks (floating-point colour)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import BinaryIO

import cv2
import numpy as np
from PIL import TiffImagePlugin

from detectattn.errors import MissingDecoder
from detectattn.sources.image_encoded import Encoded, Page
from detectattn.sources.image_pillow import iter_pillow_pages
from detectattn.sources.image_pixels import to_bgr_levels, to_upright

_WIDTH, _HEIGHT, _PHOTOMETRIC, _ORIENTATION = 256, 257, 262, 274
_SUBFILE_TYPE, _DNG_VERSION, _COLOR_FILTER_ARRAY = 254, 50706, 32803
Directory = TiffImagePlugin.ImageFileDirectory_v2


def iter_tiff_pages(encoded: Encoded) -> Iterator[Page]:
    """Yield every page of a TIFF.

    Raises:
        MissingDecoder: It is a camera's raw data, of which it shows only a preview.
        TruncatedImage, UndecodableImage, ImageTooLarge: As :meth:`Encoded.translate_errors` says.
    """
    with encoded.translate_errors():
        directory = _read_directory(encoded.file)
        if _is_camera_raw(directory):
            problem = f"{encoded.name} is a camera's raw picture (DNG), of which only a small preview could be read"
            raise MissingDecoder(problem, hint="Develop it to JPEG or TIFF first")
        is_known_to_pillow = _is_known_to_pillow(encoded, directory)
    encoded.file.seek(0)
    yield from iter_pillow_pages(encoded) if is_known_to_pillow else _iter_opencv_pages(encoded)


def _read_directory(file: BinaryIO) -> Directory:
    """The tags of the first page."""
    file.seek(0)
    header = file.read(8)
    if header[2:4] in {b"+\x00", b"\x00+"}:
        header += file.read(8)
    directory = Directory(header)
    file.seek(directory.next)
    directory.load(file)
    return directory


def _is_camera_raw(directory: Directory) -> bool:
    is_preview = bool(int(directory.get(_SUBFILE_TYPE, 0)) & 1)
    is_mosaic = directory.get(_PHOTOMETRIC) == _COLOR_FILTER_ARRAY
    return is_mosaic or (is_preview and _DNG_VERSION in directory)


def _is_known_to_pillow(encoded: Encoded, directory: Directory) -> bool:
    """Whether Pillow reads the header; what it refuses is OpenCV's, unless the file's size is not even known."""
    encoded.file.seek(0)
    try:
        TiffImagePlugin.TiffImageFile(encoded.file)
    except SyntaxError:
        if _WIDTH not in directory or encoded.is_truncation(SyntaxError()):
            raise
        return False
    return True


def _iter_opencv_pages(encoded: Encoded) -> Iterator[Page]:
    with encoded.translate_errors():
        directory = _read_directory(encoded.file)
        encoded.file.seek(0)
        content = np.frombuffer(encoded.file.read(), np.uint8)
    for index in count():
        with encoded.translate_errors():
            encoded.check_size((int(directory[_WIDTH]), int(directory[_HEIGHT])))
            page = _decode_opencv_page(content, index, int(directory.get(_ORIENTATION, 1)))
        yield page
        if not directory.next:
            return
        with encoded.translate_errors():
            encoded.file.seek(directory.next)
            directory.load(encoded.file)


def _decode_opencv_page(content: np.ndarray[tuple[int], np.dtype[np.uint8]], index: int, orientation: int) -> Page:
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    decoded, pages = cv2.imdecodemulti(content, flags, range=(index, index + 1))
    if not decoded or len(pages) != 1:
        raise ValueError("neither Pillow nor OpenCV decodes it")
    return Page(index, to_upright(to_bgr_levels(pages[0]), orientation))
