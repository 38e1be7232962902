"""What a file is by its first bytes, and what our own code reads of pictures' containers; no decoder takes part."""

from __future__ import annotations

import io
from pathlib import Path

from detectattn.sources.image_integrity import find_jpeg_scan, has_jpeg_end, is_cut_short
from detectattn.sources.sniff import HEAD_BYTES, describe_content, sniff_media, sniff_picture
from detectattn.weights.content import check_weights_content
from fuzz.contract import read_or_refuse, require_line
from fuzz.target import Target

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF", "JPEG2000", "BMP")


def run(content: bytes, folder: Path) -> None:
    """Recognise the bytes, and walk them as every container."""
    head = content[:HEAD_BYTES]
    sniff_media(head)
    sniff_picture(head)
    require_line(describe_content(head))
    scan = find_jpeg_scan(content)
    assert scan is None or 0 < scan < len(content)
    has_jpeg_end(content)
    for picture_format in _FORMATS:
        file = io.BytesIO(content)
        is_cut_short(file, picture_format)
        assert file.tell() == 0
    path = folder / "weights.pt"
    path.write_bytes(content)
    read_or_refuse(check_weights_content, path, "weights.pt")


TARGET = Target(
    reads="the first bytes of any file, and the containers of pictures",
    modules=("detectattn.sources.sniff", "detectattn.sources.image_integrity", "detectattn.weights.content"),
    run=run,
)
