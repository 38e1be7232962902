"""How a run reads its streams, beside what holds for all inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from detectattn.sources.base import ReadOptions
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_watch import StreamWatch


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How streams are read.

    Attributes:
        limits: How long a stream may keep one waiting, and how often it is called again.
        watch: Told of frames, losses and returns.
        is_stopped: Whether the run is stopping; asked ten times a second while a frame is waited for.
        await_turn: Called before each frame is taken, so that a run that is behind takes a newer one later.
    """

    limits: StreamLimits = field(default_factory=StreamLimits)
    watch: StreamWatch = field(default_factory=StreamWatch)
    is_stopped: Callable[[], bool] = lambda: False
    await_turn: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class LiveReadOptions(ReadOptions):
    """How inputs are read by a run that may last for weeks.

    Attributes:
        streams: How streams are read.
    """

    streams: StreamOptions = field(default_factory=StreamOptions)

    @classmethod
    def extend(cls, read: ReadOptions, streams: StreamOptions) -> LiveReadOptions:
        """The same options, and those of streams."""
        return cls(**{one.name: getattr(read, one.name) for one in fields(ReadOptions)}, streams=streams)


def find_stream_options(read: ReadOptions) -> StreamOptions:
    """Those of streams among the options, or the defaults."""
    return read.streams if isinstance(read, LiveReadOptions) else StreamOptions()
