"""Pictures of a study: the most disputed images, the models side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import cv2

from detectattn.compare.frames import iter_decoded
from detectattn.drawing.side_by_side import Panel, draw_side_by_side
from detectattn.errors import WriteFailed
from detectattn.evaluation.truth import FrameKey
from detectattn.sinks.files import replace_file, write_new_file
from detectattn.sources.base import ReadOptions
from detectattn.sources.naming import to_output_name
from detectattn.types import U8, Frame, FrameFailure, Media

_JPEG_QUALITY = 90


def draw_pictures(
    panels: Mapping[FrameKey, Callable[[], Sequence[Panel]]],
    media: Sequence[Media | FrameFailure],
    read: ReadOptions,
    folder: Path,
) -> dict[FrameKey, str]:
    """Draw images with every model's boxes beside each other; what cannot be read again is left out.

    Args:
        panels: Which images, most disputed first, and how to get what goes onto each.
        media: Where the pictures are.
        read: How they are read.
        folder: Where the drawings go, with a list of them, ``index.json``.

    Returns:
        File names in ``folder`` by source and index.
    """
    ranks = {key: rank for rank, key in enumerate(panels, start=1)}
    drawn: dict[FrameKey, str] = {}
    for frame in iter_wanted(set(panels), media, read):
        key = (frame.source, frame.index)
        name = _name(ranks[key], key)
        drawing = draw_side_by_side(frame.bgr, panels[key]())
        write_new_file(folder / name, _encode(drawing, folder / name))
        drawn[key] = name
    listed = [{"source": s, "index": i, "file": drawn[s, i]} for s, i in panels if (s, i) in drawn]
    replace_file(folder / "index.json", json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
    return drawn


def iter_wanted(wanted: set[FrameKey], media: Iterable[Media | FrameFailure], read: ReadOptions) -> Iterator[Frame]:
    """Those frames, as long as any is missing, in the order of the media; what cannot be read again is left out."""
    sources = {source for source, _ in wanted}
    for item in media:
        if not wanted or not isinstance(item, Media) or item.source not in sources:
            continue
        for frame, _ in iter_decoded([item], read, lambda _failure: None):
            key = (frame.source, frame.index)
            if key in wanted:
                wanted.discard(key)
                yield frame
            if not any(source == item.source for source, _ in wanted):
                break


def _name(rank: int, key: FrameKey) -> str:
    source, index = key
    stem = PurePosixPath(source.replace("\\", "/")).stem or "picture"
    mark = f".p{index:04d}" if index else ""
    return to_output_name(f"{rank:03d}-{stem}{mark}.jpg")


def _encode(bgr: U8, path: Path) -> bytes:
    done, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise WriteFailed(f"cannot encode {path} as JPEG", hint="Leave pictures out with --no-images")
    return content.tobytes()
