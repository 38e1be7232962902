"""Leave a process whose engine hangs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from detectattn.engines.detector import Detector

_stalled: list[Detector] = []


def close_detector(detector: Detector) -> None:
    """Free the model, unless a call to it never came back: the process will not wait for that call at its end."""
    detector.close()
    if detector.stalled:
        _stalled.append(detector)


def leave(code: int) -> NoReturn:
    """End the process with an exit code; at once where an engine hangs, whose runtime would wait for its threads.

    The standard streams are flushed already: :func:`detectattn.cli.app.run` does so.
    """
    if _stalled:
        os._exit(code)
    sys.exit(code)
