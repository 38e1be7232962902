"""What a run of ``predict`` reads, and how much of it there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from detectattn.cli.predict_streams import is_live
from detectattn.cli.reading import read_options
from detectattn.cli.work import choose_hint, count_pictures, count_work, require_first
from detectattn.config import PredictConfig
from detectattn.engines.base import Hint
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions, Source
from detectattn.sources.isolation import open_isolation
from detectattn.sources.temp_folder import open_temp_folder
from detectattn.types import FrameFailure, Media


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is to do.

    Attributes:
        total: What a progress bar counts to, in ``unit``; None where that is unknown.
        unit: ``images`` or ``frames``.
        pictures: How many pictures and frames a model will be shown; None where that is unknown.
        hint: Whether each picture is waited for, or the last of many.
    """

    total: int | None
    unit: str
    pictures: int | None
    hint: Hint


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """The sources, opened.

    Attributes:
        source: All that was named.
        first: The first of the media.
        media: All of them, that one too; can be gone through once.
        read: How they are read, whichever model they are for.
        live: Whether the run is about a stream, or about one URL that may turn out to be one.
    """

    source: Source
    first: Media | FrameFailure
    media: Iterator[Media | FrameFailure]
    read: ReadOptions
    live: bool

    def measure(self) -> Amount:
        """Count what there is; a few videos are looked into."""
        stride, isolation = self.read.vid_stride, self.read.isolation
        total, unit = count_work(self.source, self.first, stride, isolation)
        return Amount(
            total=total,
            unit="frames" if self.live else unit,
            pictures=count_pictures(self.source, total, unit, stride, isolation),
            hint="latency" if self.live else choose_hint(total, self.first),
        )


def open_input(texts: Sequence[str], config: PredictConfig, reads: ReadCounts, stack: ExitStack) -> Input:
    """Open the sources.

    Args:
        texts: As typed.
        config: The options that apply.
        reads: Where it is counted what is left out.
        stack: Closes what decodes, and deletes what was kept for it.

    Raises:
        SourceError: A source is not to be found, or all of them hold nothing.
        DiskFull: There is no temporary folder.
    """
    temp_dir = stack.enter_context(open_temp_folder())
    isolation = stack.enter_context(open_isolation(config.isolate))
    read = read_options(config, temp_dir, isolation)
    source = open_sources(list(texts), read)
    first, media = require_first(source, reads, texts, "detect on")
    return Input(source, first, media, read, is_live(first, texts))
