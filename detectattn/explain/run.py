"""Pictures in, an explanation out: one picture at a time, each written before the next is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from detectattn.explain.figures import PAGE_PICTURES, Gathering, choose_map
from detectattn.explain.files import encode_for_page, write_frame_arrays, write_sheet
from detectattn.explain.frame import OnModelStep, explain_frame
from detectattn.explain.models import OpenModel
from detectattn.explain.picture import ExplainOptions
from detectattn.report.explanation import ModelExplained, PictureExplained
from detectattn.sinks.media_files import encode_image
from detectattn.types import U8, Frame


@dataclass(frozen=True, slots=True)
class _Kept:
    """A picture whose sheet may have to be drawn anew, once scores tell which map is the most faithful."""

    frame: Frame
    path: Path
    sheet: str


class ExplanationRun:
    """Explains pictures, and writes what belongs to each.

    Args:
        models: Open, in order.
        options: Of each model.
        top: Objects a picture at most.
        folder: The run folder.
        temp_dir: Where pictures are kept while maps are scored.
        sheets: Whether sheets are drawn.

    Attributes:
        gathered: What was explained so far.
    """

    def __init__(
        self,
        models: Sequence[OpenModel],
        options: Sequence[ExplainOptions],
        top: int,
        folder: Path,
        temp_dir: Path,
        *,
        sheets: bool,
    ) -> None:
        self._models = models
        self._options = options
        self._top = top
        self._folder = folder
        self._temp_dir = temp_dir
        self._sheets = sheets
        self._shown = [choose_map(m, o).method for m, o in zip(models, options, strict=True)]
        self._kept: list[_Kept] = []
        self.gathered = Gathering(models, options)

    def add(self, frame: Frame, on_step: OnModelStep = lambda *_: None) -> PictureExplained:
        """Explain a picture and write its files, all of them or none.

        Args:
            frame: The picture.
            on_step: Told how it goes; what it raises ends the picture, and nothing of it is left.

        Raises:
            EngineError: A model cannot be looked into.
            OutOfMemory: The memory does not suffice; the hint names what does.
            OutputError: A file cannot be written.
        """
        done = explain_frame(self._models, frame.bgr, self._options, self._top, on_step)
        sheet = None
        if self._sheets:
            sheet = write_sheet(self._folder, frame, self._models, done, self._shown, self._options)
        arrays = write_frame_arrays(self._folder, frame, self._models, done)
        if sheet is not None and self._may_change():
            self._keep(frame, sheet)
        jpeg = encode_for_page(frame.bgr) if len(self.gathered.pictures) < PAGE_PICTURES else None
        self.gathered.add(frame, done, sheet, arrays, jpeg)
        return self.gathered.pictures[-1]

    def finish(self, on_picture: Callable[[str, int], None] = lambda *_: None) -> tuple[ModelExplained, ...]:
        """What the maps are worth; sheets are drawn anew where scores say that another map is to be shown.

        Args:
            on_picture: Told the name of each picture that is drawn anew, and how many were before it.
        """
        judged = self.gathered.judge()
        shown = [model.default_method for model in judged]
        if shown != self._shown:
            for number, kept in enumerate(self._kept):
                on_picture(kept.frame.source, number)
                self._draw_anew(kept, shown)
        return judged

    def _may_change(self) -> bool:
        return any(options.score and not options.methods for options in self._options)

    def _keep(self, frame: Frame, sheet: str) -> None:
        path = self._temp_dir / f"kept-{len(self._kept)}.png"
        path.write_bytes(encode_image(frame.bgr, ".png", 0))
        # The pixels are on the disk; a frame of one pixel keeps the names.
        self._kept.append(_Kept(replace(frame, bgr=np.zeros((1, 1, 3), np.uint8)), path, sheet))

    def _draw_anew(self, kept: _Kept, shown: Sequence[str]) -> None:
        bgr: U8 = np.asarray(cv2.imread(str(kept.path), cv2.IMREAD_COLOR), np.uint8)
        frame = replace(kept.frame, bgr=bgr)
        options = [replace(o, methods=(m,), score=False) for o, m in zip(self._options, shown, strict=True)]
        done = explain_frame(self._models, bgr, options, self._top)
        (self._folder / PurePosixPath(kept.sheet)).unlink()
        write_sheet(self._folder, frame, self._models, done, shown, options)
