"""Pictures of a few bytes that claim to be huge: refused by their headers, before pixels are made."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import PurePosixPath

import pytest
from PIL import Image

from detectattn.errors import ImageTooLarge, SourceError
from detectattn.sources import ReadOptions, iter_frames
from detectattn.types import Media
from fuzz.contract import read_or_refuse

SIDE = 60_000
pytestmark = pytest.mark.usefixtures("limited")


def _decode(content: bytes, options: ReadOptions | None = None) -> list[tuple[int, int]]:
    media = Media("bomb", "image", content, PurePosixPath("bomb"))
    return [frame.bgr.shape[:2] for frame in iter_frames(media, options or ReadOptions())]


def _encode(kind: str, size_wh: tuple[int, int] = (16, 16), **options: object) -> bytearray:
    file = io.BytesIO()
    Image.new("RGB", size_wh, (9, 99, 199)).save(file, kind, **options)
    return bytearray(file.getvalue())


def _png(width: int, height: int, chunks: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + chunks + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND")
    )


def _chunk(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _jpeg(width: int, height: int) -> bytes:
    content = _encode("JPEG")
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def _gif(screen: tuple[int, int], frame: tuple[int, int] | None = None) -> bytes:
    """Two frames of one pixel, the second of another size if that is given."""
    content = bytearray(b"GIF89a" + struct.pack("<HH", *screen) + b"\x80\0\0\0\0\0\xff\xff\xff")
    for size in ((1, 1), frame or (1, 1)):
        content += b"\x2c\0\0\0\0" + struct.pack("<HH", *size) + b"\0\x02\x02\x44\x01\0"
    return bytes(content + b";")


def _tiff(width: int, height: int, *more: tuple[int, int], next_at: int = 0) -> bytes:
    """One strip of one byte; ``more`` are further tags with their values."""
    tags = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, 1),
        *more,
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags))
    return (
        b"II*\0"
        + struct.pack("<I", 12)
        + b"\0" * 4
        + struct.pack("<H", len(tags))
        + entries
        + struct.pack("<I", next_at)
    )


def _webp_canvas(width: int, height: int) -> bytes:
    whole = bytes(_encode("WEBP", lossless=True))
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + sides + whole[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _with_box(kind: str, box: bytes, layout: str, *values: int) -> bytes:
    """A whole picture whose sides, in the box that states them, are others."""
    content = _encode(kind)
    struct.pack_into(layout, content, content.index(box) + len(box), *values)
    return bytes(content)


def _icon(inside: bytes) -> bytes:
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inside), 22) + inside


BOMBS = {
    "PNG": _png(SIDE, SIDE),
    "PNG one row": _png(2**31 - 1, 1),
    "JPEG": _jpeg(65_500, 65_500),
    "GIF": _gif((65_535, 65_535)),
    "GIF later frame": _gif((1, 1), (65_535, 65_535)),
    "TIFF": _tiff(2**31 - 1, 2**31 - 1),
    "TIFF one column": _tiff(1, 2**32 - 1),
    "WebP": _webp_canvas(2**24, 100),
    "AVIF": _with_box("AVIF", b"ispe\0\0\0\0", ">II", SIDE, SIDE),
    "JPEG 2000": _with_box("JPEG2000", b"ihdr", ">II", SIDE, SIDE),
    "BMP": b"BM" + struct.pack("<IIIIiiHHIIiiII", 58, 0, 54, 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0) + b"\0" * 4,
    "PNM": b"P6 60000 60000 255\n\0\0\0",
    "QOI": b"qoif" + struct.pack(">IIBB", SIDE, SIDE, 3, 0) + b"\0" * 7 + b"\1",
    "PSD": b"8BPS\0\1" + b"\0" * 6 + struct.pack(">HIIHH", 3, SIDE, SIDE, 8, 3) + b"\0" * 12 + b"\0\0",
    "ICO with a PNG": _icon(_png(SIDE, SIDE)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_picture_that_claims_to_be_huge_is_refused(name: str) -> None:
    assert len(BOMBS[name]) < 3000
    with pytest.raises(SourceError) as caught:
        _decode(BOMBS[name])
    assert caught.value.code in {"image-too-large", "undecodable-image", "truncated-image"}
    if name not in {"AVIF", "JPEG 2000", "GIF later frame", "ICO with a PNG"}:  # whose decoders may refuse them first
        assert isinstance(caught.value, ImageTooLarge)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("size_wh", [(0, 0), (0, 100), (100, 0)])
def test_a_picture_without_pixels_is_refused(size_wh: tuple[int, int]) -> None:
    for content in (_png(*size_wh), _tiff(*size_wh), _jpeg(*size_wh), b"P6 %d %d 255\n" % size_wh):
        with pytest.raises(SourceError):
            _decode(content)


def test_a_pixel_high_and_very_wide_is_a_picture() -> None:
    assert _decode(bytes(_encode("PNG", (40_000, 1)))) == [(1, 40_000)]


def test_text_and_profiles_that_explode_cost_no_memory() -> None:
    """64 MB of zeros in 64 kB of each kind of compressed chunk: the picture comes, or a failure does."""
    zeros = zlib.compress(bytes(64 << 20), 9)
    whole = bytes(_encode("PNG"))
    for chunk in (
        _chunk(b"zTXt", b"a\0\0" + zeros),
        _chunk(b"iTXt", b"a\0\1\0\0\0" + zeros),
        _chunk(b"iCCP", b"a\0\0" + zeros),
    ):
        content = whole[:33] + chunk + whole[33:]
        assert read_or_refuse(_decode, content) in ([(16, 16)], None)


def test_compressed_pixels_beyond_the_picture_are_left() -> None:
    """An IDAT that holds far more than the picture."""
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(64 << 20), 9)
    content = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND")
    assert _decode(content) == [(16, 16)]


def test_pages_that_lead_back_to_themselves_end() -> None:
    content = _tiff(1, 1, next_at=12)
    assert _decode(content) == [(1, 1)]
