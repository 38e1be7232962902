"""How pictures and videos are named, and pictures encoded, in a run folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath

import cv2
import numpy as np

from detectattn.errors import WriteFailed
from detectattn.types import U8

_KEPT = frozenset({"jpg", "jpeg", "png"})
_MEDIA = re.compile(
    "apng|avif|bmp|dib|exr|gif|hdr|heic|heif|ico|j2k|jfif|jp2|jpe|jpeg|jpf|jpg|jpm|jpx|jxl|mpo|pbm|pcx|pfm|pgm|pic|png"
    "|pnm|ppm|qoi|ras|sgi|sr|tga|tif|tiff|webp"
    "|3gp|asf|avi|flv|gifv|m2ts|m4v|mjpeg|mjpg|mkv|mov|mp4|mpeg|mpg|mts|ogg|ogv|ts|webm|wmv",
    re.IGNORECASE | re.ASCII,
)
_PAGE_MARK = re.compile(r"\.p\d{4,}$", re.ASCII)
_HASH_MARK = re.compile(r"\.~[0-9a-f]{20}$", re.ASCII)
# File systems allow 255 bytes; what a sink adds of its own (a crop's number) must fit too.
_NAME_LIMIT_BYTES = 230
_JPEG_LIMIT_PX = 65_500
_LARGE_PX = 8_000_000


def image_output_name(output: PurePosixPath, index: int) -> PurePosixPath:
    """Where the picture drawn from a page goes: another place for every other output or page.

    ``x.jpg``, ``x.jpeg`` and ``x.png`` keep their names; other formats get ``.jpg`` appended (``x.tiff`` becomes
    ``x.tiff.jpg``), and so do names that would look like such a result (``x.tiff.jpg`` becomes ``x.tiff.jpg.jpg``). A
    name that does not end like a picture or a video gets ``.image.jpg``. Pages after the first are marked before the
    suffix (``x.gif.p0001.jpg``). A name too long for a file system is cut and carries a hash of the whole.

    Args:
        output: As in :class:`~detectattn.types.Media`.
        index: The page, from 0.
    """
    name = output.name
    stem, dot, suffix = name.rpartition(".")
    if not (stem and dot and _MEDIA.fullmatch(suffix)):
        stem, suffix = f"{name}.image", "jpg"
    elif suffix.lower() not in _KEPT or _looks_derived(stem):
        stem, suffix = name, "jpg"
    page = f".p{index:04d}" if index else ""
    return output.with_name(_shorten(f"{stem}{page}", f".{suffix}"))


def encode_image(bgr: U8, suffix: str, jpeg_quality: int) -> bytes:
    """Encode pixels u8[H, W, 3] as PNG where the suffix is ``.png``, else as JPEG.

    JPEG keeps its colour at full resolution, or thin coloured lines would blur; from eight megapixels on, where lines
    are several pixels wide and screens show the picture shrunk, at half of it, which takes two thirds of the time. A
    side longer than JPEG allows (65,535 pixels) is shrunk to it.

    Raises:
        WriteFailed: The encoder refuses the picture.
    """
    if suffix.lower() == ".png":
        extension, options = ".png", [cv2.IMWRITE_PNG_COMPRESSION, 3]
    else:
        extension, bgr = ".jpg", _shrink(bgr)
        is_large = bgr.shape[0] * bgr.shape[1] >= _LARGE_PX
        sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if is_large else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        options = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    encoded, content = cv2.imencode(extension, bgr, options)
    if not encoded:
        raise WriteFailed(
            f"cannot encode a picture of {bgr.shape[1]}×{bgr.shape[0]} pixels as {extension[1:].upper()}",
            hint="Run without pictures (--no-images), or on smaller ones",
        )
    return content.tobytes()


def _looks_derived(stem: str) -> bool:
    before, dot, suffix = stem.rpartition(".")
    known = bool(before and dot) and (bool(_MEDIA.fullmatch(suffix)) or suffix in ("image", "video"))
    return known or bool(_PAGE_MARK.search(stem))


def video_output_name(output: PurePosixPath) -> PurePosixPath:
    """Where the video drawn from an input goes: another place for every other output.

    ``clip.mp4`` keeps its name; other formats get ``.mp4`` appended (``clip.mov`` becomes ``clip.mov.mp4``), and so do
    names that would look like such a result. A stream's name, without a suffix of media, gets ``.video.mp4``.

    Args:
        output: As in :class:`~detectattn.types.Media`.
    """
    name = output.name
    stem, dot, suffix = name.rpartition(".")
    if not (stem and dot and _MEDIA.fullmatch(suffix)):
        stem = f"{name}.video"
    elif suffix != "mp4" or _looks_derived(stem):
        stem = name
    return output.with_name(_shorten(stem, ".mp4"))


def _shorten(stem: str, suffix: str) -> str:
    name = stem + suffix
    if len(_encode(name)) <= _NAME_LIMIT_BYTES and not _HASH_MARK.search(stem):
        return name
    mark = f".~{hashlib.sha256(_encode(name)).hexdigest()[:20]}"
    room = _NAME_LIMIT_BYTES - len(mark) - len(suffix)
    while len(_encode(stem)) > room:
        stem = stem[:-1]
    return f"{stem}{mark}{suffix}"


def _encode(name: str) -> bytes:
    # Names that are not valid UTF-8 reach Python as lone surrogates.
    return name.encode("utf-8", "surrogatepass")


def _shrink(bgr: U8) -> U8:
    height, width = bgr.shape[:2]
    longest = max(height, width)
    if longest <= _JPEG_LIMIT_PX:
        return bgr
    factor = _JPEG_LIMIT_PX / longest
    size_wh = max(1, int(width * factor)), max(1, int(height * factor))
    return np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
