"""What every sink is: something that takes a frame with its prediction and leaves a file."""

from __future__ import annotations

from typing import ClassVar, Protocol

from detectattn.types import Frame, Prediction


class Sink(Protocol):
    """Writes one kind of output into a run folder.

    A sink never overwrites a file. Its files are complete or absent: a file appears under its name by an atomic rename,
    or is appended to line by line. In a run that is resumed, files of frames that were not done take the place of what
    was left of them; a record is written last, so the files of a frame that has one are there.

    Attributes:
        parallel: Whether ``write`` may be called from several threads at once, for different frames, in any order.
            Otherwise it is called from one thread in the order of the input.
    """

    parallel: ClassVar[bool]

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Take one frame and what was found in it.

        Raises:
            OutputError: The disk is full, a permission is missing, or the file is there already.
        """
        ...

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Take note of a frame that an earlier sitting of the run has written, before the first ``write``.

        Args:
            frame: The frame without its pixels: ``bgr`` is a single black one.
            prediction: From its record.

        Raises:
            OutputError: As ``write``.
        """
        ...

    def close(self) -> None:
        """Complete the files. Called once, when all frames are written or the run was interrupted."""
        ...

    def abort(self) -> None:
        """Discard what is incomplete, keep what is whole. Called instead of ``close`` after an error."""
        ...
