"""YOLO's label files: a line an object, its class and its box or polygon in fractions of the image."""

from __future__ import annotations

import math
import os
from collections import Counter
from pathlib import Path

import numpy as np

from detectattn.errors import BrokenTruth
from detectattn.evaluation.truth import F64, TruthEntry, count_of
from detectattn.evaluation.truth_json import read_text

_MAX_BYTES = 50_000_000
_LINE_HINT = "A line is `class cx cy w h`, centre and size as fractions of the image"


def lies_within(path: Path, home: Path) -> bool:
    """Whether a file lies below a data set's folder, links followed.

    What lies elsewhere may be anybody's, for a data set can name any path: no message shows a line of it.
    """
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(home))


class LabelReader:
    """Reads label files.

    Args:
        class_names: Name by class index.
        home: The folder of the ``data.yaml``; of labels elsewhere no line is shown.
        only_box: Whether what follows the box are keypoints.
    """

    def __init__(self, class_names: tuple[str, ...], home: Path, *, only_box: bool) -> None:
        self._class_names = class_names
        self._home = home
        self._only_box = only_box
        self._seen: Counter[str] = Counter()

    def read(self, stem: Path, label: Path, base: Path) -> TruthEntry:
        """One image's label; without a file, an image without objects.

        Args:
            stem: Where the image lies, without suffix.
            label: Its label file.
            base: The folder that names are relative to.

        Raises:
            BrokenTruth: A line is malformed.
        """
        rows = self._read_rows(label)
        absolute = base.absolute()
        name = stem.relative_to(absolute) if stem.is_relative_to(absolute) else stem
        count = len(rows)
        return TruthEntry(
            name=name.as_posix(),
            index=0,
            path=stem,
            size_hw=None,
            xyxy=np.array([box for _, box in rows], np.float64).reshape(-1, 4),
            class_index=np.array([index for index, _ in rows], np.int32),
            crowd=np.zeros(count, np.bool_),
            ignored=np.zeros(count, np.bool_),
            area=np.full(count, np.nan),
            relative=True,
        )

    def make_notes(self) -> tuple[str, ...]:
        """What was not as it is written."""
        texts = {
            "polygon": ("polygon", "taken as the box around it"),
            "twice": ("label", "there twice and counted once"),
            "missing": ("image", "without a label file, taken as without objects"),
        }
        return tuple(f"{count_of(n, noun)} {text}" for key, (noun, text) in texts.items() if (n := self._seen[key]))

    def _read_rows(self, label: Path) -> list[tuple[int, tuple[float, ...]]]:
        if not os.path.lexists(label):
            self._seen["missing"] += 1
            return []
        text = read_text(label, BrokenTruth, _LINE_HINT, _MAX_BYTES)
        rows: dict[tuple[int, tuple[float, ...]], None] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            row = self._parse(line, label, number)
            self._seen["twice"] += row in rows
            rows[row] = None
        return list(rows)

    def _parse(self, line: str, label: Path, number: int) -> tuple[int, tuple[float, ...]]:
        where = f"{label}, line {number}"
        try:
            values = [float(token) for token in line.split()]
        except ValueError as error:
            shown = f": {line.strip()[:60]!r}" if lies_within(label, self._home) else ""
            raise BrokenTruth(f"{where}: not numbers{shown}", hint=_LINE_HINT) from error
        if self._only_box:
            values = values[:5]
        if len(values) < 5 or (len(values) > 5 and len(values) % 2 == 0):
            predicted = "; with a score it is a prediction" if len(values) == 6 else ""
            raise BrokenTruth(f"{where}: has {len(values)} columns{predicted}", hint=_LINE_HINT)
        if not values[0].is_integer() or not 0 <= values[0] < len(self._class_names):
            shown = f"there is no class {values[0]:g}" if lies_within(label, self._home) else "its class is not there"
            problem = f"{where}: {shown}, only 0 to {len(self._class_names) - 1}"
            raise BrokenTruth(problem, hint="Complete `names` in data.yaml")
        if not all(math.isfinite(v) and -0.01 <= v <= 1.01 for v in values[1:]):
            raise BrokenTruth(f"{where}: a value is not between 0 and 1, as if in pixels", hint=_LINE_HINT)
        if len(values) > 5:
            self._seen["polygon"] += 1
        return int(values[0]), _to_box(np.array(values[1:]))


def _to_box(values: F64) -> tuple[float, ...]:
    """Left, top, right, bottom of ``cx cy w h``, or around the points of a polygon."""
    if len(values) == 4:
        half = values[2:] / 2
        return (*(values[:2] - half).tolist(), *(values[:2] + half).tolist())
    points = values.reshape(-1, 2)
    return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
