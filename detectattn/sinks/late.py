"""A sink that is opened when the first frame for it comes, so that what it needs is loaded only then."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import ClassVar

from detectattn.sinks.base import Sink
from detectattn.types import Frame, MediaKind, Prediction


class LateSink:
    """Passes frames on to a sink that takes them in order and has nothing to recall, from the first of its kind on.

    Args:
        kinds: Media for whose frames the sink is opened; frames of others that come later tell it what is complete.
        open_sink: Opens the sink, once.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, kinds: Collection[MediaKind], open_sink: Callable[[], Sink]) -> None:
        self._kinds = kinds
        self._open_sink = open_sink
        self._sink: Sink | None = None

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Pass a frame on.

        Raises:
            OutputError: As the sink.
        """
        if self._sink is None and frame.media.kind in self._kinds:
            self._sink = self._open_sink()
        if self._sink is not None:
            self._sink.write(frame, prediction)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: the sink keeps nothing from one medium to the next."""

    def close(self) -> None:
        """Close the sink, if it was opened."""
        if self._sink is not None:
            self._sink.close()

    def abort(self) -> None:
        """Abort the sink, if it was opened."""
        if self._sink is not None:
            self._sink.abort()
