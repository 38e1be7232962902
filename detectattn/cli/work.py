"""How much work a run has before it, and what matters in it."""

from __future__ import annotations

from pathlib import Path

from detectattn.engines.base import Hint
from detectattn.errors import DetectattnError
from detectattn.sources.base import Source
from detectattn.types import FrameFailure, Media


def count_work(source: Source, first: Media | FrameFailure, vid_stride: int) -> tuple[int | None, str]:
    """What a progress bar counts, and how much of it there is: frames of a single video, else inputs."""
    total = source.count()
    if isinstance(first, FrameFailure) or first.kind == "image" or total not in (1, None):
        return total, "images"
    if first.kind != "video" or not isinstance(first.location, Path):
        return None, "images" if first.kind == "url" else "frames"
    from detectattn.sources.video import probe_video

    try:
        frames = probe_video(first.location).frames
    except DetectattnError:
        return None, "frames"  # the run itself will say what is wrong with it
    return (-(-frames // vid_stride) if frames else None), "frames"


def choose_hint(total: int | None, first: Media | FrameFailure) -> Hint:
    """Whether each picture is waited for, or the last of many: a single picture and a live stream are, one by one."""
    is_live = not isinstance(first, FrameFailure) and first.kind == "stream"
    is_single = total == 1 and not isinstance(first, FrameFailure) and first.kind in ("image", "url")
    return "latency" if is_single or is_live else "throughput"
