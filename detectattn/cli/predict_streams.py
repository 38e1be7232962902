"""The live streams of a run of ``predict``: how they are read, and what does not suit anything else."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.cli.console import Notices
from detectattn.config import PredictConfig, parse_reconnect
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import ConfigError
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.live import Live
from detectattn.pipeline.stages import RunOptions
from detectattn.sinks.base import Sink
from detectattn.sinks.prompt import PromptSink, WrittenBefore
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.suffixes import MEDIA_SUFFIXES
from detectattn.types import FrameFailure, Media

_LIVE_KINDS = frozenset({"stream", "url"})
_FILES = MEDIA_SUFFIXES - {".mjpg", ".mjpeg"}


def is_live(first: Media | FrameFailure, sources: Sequence[str]) -> bool:
    """Whether a run is about a stream, or about one URL that may turn out to be one.

    Args:
        first: The first input.
        sources: As typed.
    """
    if isinstance(first, FrameFailure):
        return False
    is_alone = list(sources) == [first.location]
    may_be = first.kind == "url" and is_alone and first.output.suffix.lower() not in _FILES
    return first.kind == "stream" or may_be


def open_live(config: PredictConfig, options: RunOptions, batch: int, stop: StopSignal, notices: Notices) -> Live:
    """How the run reads its streams, should it have any.

    Args:
        config: The options that apply.
        options: From :func:`choose_options`.
        batch: Frames that go through the model together.
        stop: Ends waits for frames.
        notices: Where losses are warned of, and returns told.
    """
    limits = StreamLimits(reconnects=parse_reconnect(config.reconnect))
    # One batch in the model and one on its way there: fewer would leave the model idle. Added to that is what a writer
    # with several threads keeps until more comes.
    kept = options.write_workers + 2 if options.write_workers > 1 else 0
    return Live(limits, 2 * batch + kept, stop.is_set, notices.say, notices.warn)


def choose_options(thresholds: Thresholds, *, live: bool) -> RunOptions:
    """How the run is spread over threads: frames of a stream are written by one, in order, as they come."""
    return RunOptions(thresholds, write_workers=1) if live else RunOptions(thresholds)


def arrange_sinks(show: Sequence[Sink], opened: Sequence[Sink], streams: Live, *, live: bool) -> list[Sink]:
    """The sinks of a run, that of the records last.

    Args:
        show: A window, or nothing.
        opened: Those of the run folder, that of the records last.
        streams: Is told what is done.
        live: Whether each frame is written as it comes.
    """
    if live:
        return [*show, PromptSink(opened[:-1], opened[-1], [streams.sink]), WrittenBefore()]
    return [*show, *opened[:-1], streams.sink, opened[-1]]


def require_live(config: PredictConfig, first: Media | FrameFailure) -> None:
    """Refuse options that only suit streams where something else is read; a URL may turn out to be one.

    Raises:
        ConfigError: ``--rotate`` for what is no stream.
    """
    if config.rotate and isinstance(first, Media) and first.kind not in _LIVE_KINDS:
        raise ConfigError(
            f"--rotate is for streams and cameras, and {first.source} is neither",
            hint="Leave it out: a run of files ends, can be resumed, and has its records in one file",
        )
