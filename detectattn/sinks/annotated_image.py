"""Pictures with what was found drawn on them, one for every input picture and page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from detectattn.sinks.files import write_new_file
from detectattn.sinks.media_files import encode_image, image_output_name
from detectattn.types import U8, Frame, Prediction

__all__ = ["AnnotatedImageSink", "image_output_name"]


class AnnotatedImageSink:
    """Writes ``images/…``, mirroring the tree of the input; frames of videos and streams are not its business.

    Args:
        folder: The run's ``images`` folder; made when the first picture comes.
        draw: Draws a prediction on its frame and returns new pixels u8[H, W, 3].
        jpeg_quality: 1 to 100.
        resume: Whether pictures that an unfinished run has left may be there.
    """

    parallel: ClassVar[bool] = True

    def __init__(
        self, folder: Path, draw: Callable[[Frame, Prediction], U8], jpeg_quality: int = 90, *, resume: bool = False
    ) -> None:
        self._folder = folder
        self._resume = resume
        self._draw = draw
        self._jpeg_quality = jpeg_quality

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Draw and write one picture.

        Raises:
            OutputExists: The picture is there already.
            DiskFull: No space, or no permission.
            WriteFailed: Any other reason.
        """
        if frame.media.kind != "image":
            return
        name = image_output_name(frame.media.output, frame.index)
        content = encode_image(self._draw(frame, prediction), name.suffix, self._jpeg_quality)
        write_new_file(self._folder / name, content, replace=self._resume)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: the picture is there."""

    def close(self) -> None:
        """Nothing is left to do: every picture was whole when it was written."""

    def abort(self) -> None:
        """Nothing is incomplete."""
