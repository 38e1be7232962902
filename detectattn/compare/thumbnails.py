"""Small copies of the pictures of a study for its page: ``pictures/plain/000123-0a1b2c3d.jpg`` in the run folder.

A name holds the picture's place and a hash of its name in records: nothing of a file name becomes a URL, and a copy is
never taken for that of another picture when a study goes on after its folder has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from detectattn.compare.frames import Chunk, PictureInfo
from detectattn.compare.pictures import open_pictures
from detectattn.errors import WriteFailed
from detectattn.evaluation.truth import FrameKey
from detectattn.report.gallery import Gallery, GalleryPicture
from detectattn.sinks.files import write_new_file
from detectattn.types import U8

MOST_THUMBNAILS = 5_000
MOST_INLINE = 24
INLINE_BYTES = 2_250_000
"""Of all pictures inside the page together: 3 MB as text."""

_LONGEST_PX = 960
_QUALITY = 80
_FOLDER = "pictures/plain"
# Tried in turn until a picture is small enough to stand in the page.
_SMALLER = ((_LONGEST_PX, 70), (720, 75), (560, 72), (420, 70), (320, 65), (240, 60))


def keep_thumbnails(chunks: Iterator[Chunk], root: Path) -> Iterator[Chunk]:
    """Pass chunks on, and write a thumbnail of each picture once its chunk is done with.

    Nothing is encoded before: models are timed on the first chunk, and by the time that the second one is asked for
    that is over.

    Args:
        chunks: The pictures of a study from the first one on.
        root: The run folder; what it holds already is not written again.

    Raises:
        OutputError: The run folder cannot be written to.
    """
    place = 0
    for chunk in chunks:
        yield chunk
        _write_thumbnails(chunk, place, root)
        place += len(chunk.infos)


def find_thumbnails(root: Path, pictures: Sequence[PictureInfo]) -> dict[FrameKey, str]:
    """The thumbnails that a run folder holds, relative to it.

    Args:
        root: The run folder.
        pictures: Those of the study, in their order.
    """
    names = {(p.source, p.index): _name(place, p) for place, p in enumerate(pictures[:MOST_THUMBNAILS])}
    return {key: name for key, name in names.items() if (root / name).is_file()}


def inline_thumbnails(gallery: Gallery, root: Path) -> Gallery:
    """The gallery with the first pictures inside it, so that they are seen wherever the page goes.

    Args:
        gallery: Whose pictures name their thumbnails.
        root: The run folder. A thumbnail that is missing or damaged there is left out.
    """
    chosen = [p.path for p in gallery.pictures if p.path is not None][:MOST_INLINE]
    contents = {path: content for path in chosen if (content := _read(root / path)) is not None}
    if sum(map(len, contents.values())) > INLINE_BYTES:
        share = INLINE_BYTES // len(contents)
        contents = {path: _shrink(content, share) for path, content in contents.items()}
    return replace(gallery, pictures=tuple(_with_jpeg(p, contents) for p in gallery.pictures))


def _with_jpeg(picture: GalleryPicture, contents: Mapping[str, bytes]) -> GalleryPicture:
    content = None if picture.path is None else contents.get(picture.path)
    return picture if content is None else replace(picture, jpeg=content)


def _write_thumbnails(chunk: Chunk, place: int, root: Path) -> None:
    pixels = open_pictures(chunk.pixels.path)
    for number, info in enumerate(chunk.infos[: max(0, MOST_THUMBNAILS - place)]):
        path = root / _name(place + number, info)
        if not path.exists():
            write_new_file(path, _encode(pixels[number], _LONGEST_PX, _QUALITY, path))


def _name(place: int, picture: PictureInfo) -> str:
    key = f"{picture.source}\0{picture.index}".encode("utf-8", "surrogatepass")
    return f"{_FOLDER}/{place:06d}-{hashlib.sha256(key).hexdigest()[:8]}.jpg"


def _read(path: Path) -> bytes | None:
    """A whole JPEG; None for anything else."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if _decode(content) is not None else None


def _decode(content: bytes) -> U8 | None:
    if not content:
        return None
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return None if decoded is None else np.asarray(decoded, np.uint8)


def _shrink(content: bytes, limit: int) -> bytes:
    """A picture in at most so many bytes, as large as can be."""
    bgr = _decode(content)
    for longest, quality in _SMALLER:
        if len(content) <= limit or bgr is None:
            break
        content = _encode(bgr, longest, quality, None)
    return content


def _encode(bgr: U8, longest_px: int, quality: int, path: Path | None) -> bytes:
    height, width = bgr.shape[:2]
    scale = longest_px / max(height, width)
    if scale < 1:
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        bgr = np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    done, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise WriteFailed(f"cannot encode {path or 'a picture'} as JPEG", hint="Leave pictures out with --no-images")
    return content.tobytes()
