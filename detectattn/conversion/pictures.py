"""Real pictures for the gate and for calibration: spread over what the user named, read one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from detectattn.conversion.calibration import CALIBRATION_PICTURES, GATE_PICTURES, choose_pictures, spread_evenly
from detectattn.errors import DetectattnError, EmptySource, SourceError
from detectattn.shipped import shipped_dir
from detectattn.sources import iter_frames, open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.isolation import open_isolation
from detectattn.types import U8, Frame, Media

if TYPE_CHECKING:
    from detectattn.sources.video import VideoInfo

MIN_CALIBRATION = 6
"""Fewer pictures say too little of the range of a layer's values."""
# Neighbouring frames of a video show the same thing, and a far one costs all before it: decoding cannot skip.
_USUAL_STEP = 10
_LARGEST_STEP = 25
_MOST_DECODED_PIXELS = 2_000_000_000
# Reading on to find out how many pictures a source holds ends here.
_MOST_LISTED = 100_000


@dataclass(frozen=True, slots=True)
class PictureSample:
    """Some pictures of a source, not yet read.

    Attributes:
        media: What they come from, images and videos on disk.
        limit: Pictures at most.
        said: Where they are from, in words.
        read: How they are read.
        part: Which of how many samples that share these media in turns: (1, 2) takes every second picture, from the
            second on.
    """

    media: tuple[Media, ...]
    limit: int
    said: str
    read: ReadOptions
    part: tuple[int, int] = (0, 1)

    def iter_pictures(self) -> Iterator[U8]:
        """The pictures, u8[H, W, 3], BGR, upright; one that cannot be read is left out."""
        for frame in self.iter_frames():
            yield frame.bgr

    def iter_frames(self) -> Iterator[Frame]:
        """The pictures as frames."""
        with open_isolation("auto") as isolation:
            read = replace(self.read, isolation=isolation)
            first, of = self.part
            frames = chain.from_iterable(self._iter_media(media, read) for media in self.media)
            yield from islice(frames, first, self.limit * of, of)

    def compute_digest(self) -> str:
        """A SHA-256 that is the same for the same files: their names and sizes."""
        digest = hashlib.sha256(f"{self.limit}{self.part if self.part[1] > 1 else ''}\n".encode())
        for media in self.media:
            size = media.location.stat().st_size if isinstance(media.location, Path) else 0
            digest.update(f"{media.source} {size}\n".encode())
        return digest.hexdigest()

    def _iter_media(self, media: Media, read: ReadOptions) -> Iterator[Frame]:
        most = -(-self.limit * self.part[1] // max(1, len(self.media)))
        # What cannot be read here is reported where it is the input.
        with suppress(SourceError):
            if media.kind == "video":
                read = replace(read, vid_stride=_choose_step(_probe(media, read), most))
            with closing(_open_frames(media, read)) as frames:
                yield from islice(frames, most)


def _probe(media: Media, read: ReadOptions) -> VideoInfo:
    from detectattn.sources.video import probe_video  # PyAV, which pictures need not

    assert isinstance(media.location, Path)
    return probe_video(media.location, read.isolation)


def _choose_step(video: VideoInfo, wanted: int) -> int:
    """Every how manieth frame to take, for so many that are spread over as much of a video as is soon decoded."""
    if video.frames is None:
        return _USUAL_STEP
    height, width = video.size_hw
    reached = min(video.frames, _MOST_DECODED_PIXELS // (height * width))
    return min(max(1, reached // wanted), _LARGEST_STEP)


def _open_frames(media: Media, read: ReadOptions) -> Generator[Frame]:
    yield from iter_frames(media, read)


def sample_sources(texts: Sequence[str], limit: int, read: ReadOptions | None = None) -> PictureSample:
    """Pictures spread evenly over what the user named; only what lies on disk, since it is read again later.

    Args:
        texts: Sources, as typed.
        limit: Pictures at most.
        read: How they are read.

    Raises:
        SourceError: A source that cannot be opened.
    """
    read = read or ReadOptions()
    on_disk = [text for text in texts if _is_on_disk(text)]
    media = spread_evenly(_list_media(on_disk, read), limit) if on_disk else ()
    return PictureSample(media, limit, ", ".join(on_disk) or "nothing on disk", read)


def sample_calibration(texts: Sequence[str]) -> PictureSample:
    """Pictures to calibrate INT8 on, and to judge it by.

    Raises:
        SourceError: A source that cannot be opened.
    """
    return sample_sources(texts, CALIBRATION_PICTURES + GATE_PICTURES)


def require_pictures(sample: PictureSample, least: int, option: str) -> None:
    """Refuse a sample that is too small.

    Raises:
        EmptySource: It holds fewer pictures than ``least``.
    """
    count = sum(1 for _ in islice(sample.iter_frames(), least))
    if count < least:
        raise EmptySource(
            f"{sample.said} holds {count} usable picture{'' if count == 1 else 's'}, and at least {least} are needed",
            hint=f"Name a folder with more pictures with {option}",
        )


def sample_shipped(limit: int) -> PictureSample:
    """The street scenes that come with the project, spread evenly; none where the installation lacks them."""
    with suppress(DetectattnError):
        folder = shipped_dir("samples") / "street" / "images"
        return replace(sample_sources([str(folder)], limit), said="the shipped street scenes")
    return PictureSample((), limit, "nothing", ReadOptions())


def split_sample(sample: PictureSample) -> tuple[PictureSample, PictureSample]:
    """Pictures to judge INT8 by and pictures to calibrate it on, apart where there are enough for both."""
    if _count_frames(sample) >= GATE_PICTURES + CALIBRATION_PICTURES:
        gate = replace(sample, limit=GATE_PICTURES, part=(0, 2))
        return gate, replace(sample, limit=CALIBRATION_PICTURES, part=(1, 2))
    chosen = choose_pictures(sample.media)
    parts = ((chosen.gate, GATE_PICTURES), (chosen.calibration, CALIBRATION_PICTURES))
    gate, calibration = (replace(sample, media=media, limit=limit) for media, limit in parts)
    return gate, calibration


def _count_frames(sample: PictureSample) -> int:
    """Frames of the videos in a sample, as far as they declare them."""
    videos = [media for media in sample.media if media.kind == "video"]
    counts = []
    with open_isolation("auto") as isolation:
        for media in videos:
            with suppress(SourceError):
                counts.append(_probe(media, replace(sample.read, isolation=isolation)).frames or 0)
    return sum(counts)


def fill_up(sample: PictureSample) -> PictureSample:
    """A sample with shipped scenes in place of the pictures it falls short of its limit by."""
    missing = sample.limit - len(sample.media)
    if missing <= 0 or any(media.kind == "video" for media in sample.media):
        return sample
    shipped = sample_shipped(missing)
    said = f"{sample.said} and {shipped.said}" if sample.media else shipped.said
    return replace(sample, media=(*sample.media, *shipped.media), said=said)


def _is_on_disk(text: str) -> bool:
    return "://" not in text and text != "-" and not text.isdigit()


def _list_media(texts: Sequence[str], read: ReadOptions) -> list[Media]:
    media = open_sources(texts, read).iter_media(ReadCounts())
    found = (item for item in islice(media, _MOST_LISTED) if isinstance(item, Media))
    return [item for item in found if item.kind in ("image", "video") and isinstance(item.location, Path)]
