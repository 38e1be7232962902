"""What a step of ``demo`` is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A convolution and an attention model of about one cost.
MODELS = ("demo-rtdetr", "demo-yolo")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a step works.

    Attributes:
        folder: Of the demo. A step writes into folders of its own below it.
        images: Folder of the sample pictures, with their ground truth beside it.
        clip: The sample video, with its ground truth beside it.
        say: Tells a line of progress on standard error.
    """

    folder: Path
    images: Path
    clip: Path
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a step has to show.

    Attributes:
        lines: For people: a table or a sentence, at most 80 columns.
        paths: What to open, in order: a label of at most 9 letters and a file or folder.
        fields: The same for ``--json``, plain values by name.
        exit_code: 4 where some inputs failed, else 0.
    """

    lines: tuple[str, ...]
    paths: tuple[tuple[str, Path], ...]
    fields: Mapping[str, Any]
    exit_code: int = 0


Step = Callable[[Stage], Shown]
