"""How much work a run has before it, and what matters in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from detectattn.engines.base import Hint
from detectattn.errors import DetectattnError, EmptySource
from detectattn.sources.base import Isolation, ReadCounts, Source
from detectattn.types import FrameFailure, Media

# From so many inputs on, what each of them holds decides nothing any more.
_MANY = 2_000
_MOST_PROBED = 3


def require_first(
    source: Source, reads: ReadCounts, texts: Sequence[str], task: str
) -> tuple[Media | FrameFailure, Iterator[Media | FrameFailure]]:
    """The first of the media, and all of them: before a model is loaded, there must be something for it.

    Args:
        source: What the user named.
        reads: Where it is counted what is left out.
        texts: The sources as typed.
        task: What is to be done with them, for the message.

    Raises:
        EmptySource: There is none.
    """
    media = source.iter_media(reads)
    first = next(media, None)
    if first is None:
        skipped = sum(reads.skipped.values())
        found = f"only {skipped:,} files of other kinds" if skipped else "no files"
        raise EmptySource(
            f"there is nothing to {task} in {', '.join(texts)}: it holds {found}",
            hint="Name images, videos, or a folder that holds some",
        )
    return first, chain([first], media)


def count_work(
    source: Source, first: Media | FrameFailure, vid_stride: int, isolation: Isolation | None = None
) -> tuple[int | None, str]:
    """What a progress bar counts, and how much of it there is: frames of a single video, else inputs."""
    total = source.count()
    if isinstance(first, FrameFailure) or first.kind == "image" or total not in (1, None):
        return total, "images"
    if first.kind != "video" or not isinstance(first.location, Path):
        return None, "images" if first.kind == "url" else "frames"
    return _count_frames(first.location, vid_stride, isolation), "frames"


def count_pictures(
    source: Source, total: int | None, unit: str, vid_stride: int, isolation: Isolation | None = None
) -> int | None:
    """How many pictures a model will be shown, the frames of videos among many inputs included.

    A few videos are probed, spread over all of them; the others are taken to be as long.

    Args:
        source: What the user named; walked once more.
        total: From :func:`count_work`.
        unit: Likewise.
        vid_stride: Every n-th frame is taken.
        isolation: Where videos are probed; None for here.
    """
    if total is None or unit == "frames" or not 1 < total < _MANY:
        return total
    listed = islice(source.iter_media(ReadCounts()), _MANY)
    videos = [m.location for m in listed if isinstance(m, Media) and m.kind == "video" and isinstance(m.location, Path)]
    probed = videos[:: -(-len(videos) // _MOST_PROBED)] if videos else []
    known = [frames for path in probed if (frames := _count_frames(path, vid_stride, isolation)) is not None]
    return total - len(videos) + round(len(videos) * sum(known) / len(known)) if known else total


def _count_frames(video: Path, vid_stride: int, isolation: Isolation | None) -> int | None:
    from detectattn.sources.video import probe_video

    try:
        frames = probe_video(video, isolation).frames
    except DetectattnError:
        return None  # the run itself will say what is wrong with it
    return -(-frames // vid_stride) if frames else None


def choose_hint(total: int | None, first: Media | FrameFailure) -> Hint:
    """Whether each picture is waited for, or the last of many: a single picture and a live stream are, one by one."""
    is_live = not isinstance(first, FrameFailure) and first.kind == "stream"
    is_single = total == 1 and not isinstance(first, FrameFailure) and first.kind in ("image", "url")
    return "latency" if is_single or is_live else "throughput"
