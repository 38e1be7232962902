"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

MediaFormat: TypeAlias = Literal["image", "video"]

HEAD_BYTES = 1024
"""How many bytes from the start of a file suffice to recognise it."""

LFS_PREFIX = b"version https://git-lfs.github.com/spec/"
PLAYLIST_START = b"#EXTM3U"
MOTION_JPEG_TYPE = "multipart/x-mixed-replace"
"""What a server says of a page whose pictures follow one another."""

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_PICTURE_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"8BPS", "PSD"),
    (b"qoif", "QOI"),
)
_VIDEO_MAGIC = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"0&\xb2u\x8ef\xcf\x11",  # ASF, WMV
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG elementary stream
)
_BMP_HEADER_BYTES = frozenset({12, 40, 52, 56, 64, 108, 124})
_PNM = re.compile(rb"(P[1-7]|P[fF]|Py)(\s+(#[^\n]*\n\s*)*\d|\s+(WIDTH|HEIGHT|#))")
_QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_TS_STRIDES = ((0, 188), (4, 192))
_OGG_PICTURES = (b"\x80theora", b"BBCD\x00", b"fishead\x00", b"\x01video\x00\x00\x00", b"\x4fVP80")
_OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x7fELF", "a program"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"ID3", "an audio file"),
    (b"fLaC", "an audio file"),
)


def sniff_media(head: bytes) -> MediaFormat | None:
    """Whether a file is a picture or a video.

    Args:
        head: The file's first bytes; :data:`HEAD_BYTES` suffice, fewer recognise less.

    Returns:
        ``image``, ``video``, or None when the bytes are neither.
    """
    if sniff_picture(head) is not None:
        return "image"
    return "video" if _is_video(head) else None


def sniff_picture(head: bytes) -> str | None:
    """The picture format of a file, by Pillow's name for it (``HEIF`` for HEIC), or None when it is no picture."""
    for magic, name in _PICTURE_MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES:
        return "BMP"
    if head[:4] == b"\x00\x00\x01\x00" and 0 < int.from_bytes(head[4:6], "little") < 64 and head[9:10] == b"\x00":
        return "ICO"
    if _PNM.match(head):
        return "PPM"
    return _iso_picture(head)


def describe_content(head: bytes) -> str:
    """What a file that is no picture seems to be, as words that follow "it is"."""
    if not head:
        return "an empty file"
    for magic, words in _OTHER_KINDS:
        if head.startswith(magic):
            return words
    if _is_video(head):
        return "a video"
    text = _as_text(head)
    if text is None:
        return "of no picture format known here" if any(head) else "nothing but zero bytes"
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        return "an HTML page"
    if start.startswith("<svg") or (start.startswith(("<?xml", "<!--", "<!doctype svg")) and "<svg" in start):
        return "an SVG drawing"
    if start.startswith("<?xml"):
        return "an XML document"
    return "text"


def _iso_picture(head: bytes) -> str | None:
    """AVIF or HEIF by the brands of an ISO base media file, or None."""
    if head[4:8] != b"ftyp":
        return None
    major, brands = head[8:12], _iso_brands(head)
    if major in _AVIF_BRANDS or (major in {b"mif1", b"msf1", b"miaf"} and _AVIF_BRANDS & brands):
        return "AVIF"
    if major in _HEIF_BRANDS or (major == b"miaf" and _HEIF_BRANDS & brands):
        return "HEIF"
    return None


def _iso_brands(head: bytes) -> frozenset[bytes]:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return frozenset(head[start : start + 4] for start in range(16, end - 3, 4))


def _is_video(head: bytes) -> bool:
    if head.startswith(_VIDEO_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] not in _AUDIO_BRANDS and _iso_picture(head) is None
    if head[4:8] in _QUICKTIME_BOXES and head[0] == 0:
        return True
    if head[:4] == b"OggS":
        return any(head[28:].startswith(magic) for magic in _OGG_PICTURES)
    return any(_is_transport_stream(head, start, stride) for start, stride in _TS_STRIDES)


def _is_transport_stream(head: bytes, start: int, stride: int) -> bool:
    marks = head[start : start + 4 * stride : stride]
    return len(marks) >= 3 and set(marks) == {0x47}


def _as_text(head: bytes) -> str | None:
    """The bytes as text, or None when they are binary (a character cut at the end is no fault)."""
    try:
        text = head.decode("utf-16") if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else head.decode("utf-8", "replace")
    except UnicodeDecodeError:
        return None
    printable = sum(character.isprintable() or character in "\t\r\n\f\ufeff" for character in text)
    return text if printable >= 0.9 * len(text) and "\x00" not in text else None
