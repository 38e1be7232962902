"""Leave a process whose engine hangs."""

from __future__ import annotations

import atexit
import os
import sys

from detectattn.engines.detector import Detector
from detectattn.pipeline.tally import RunTally

_EXIT_FAILED = 1
_EXIT_INTERRUPTED = 130


def close_detector(detector: Detector, tally: RunTally) -> None:
    """Free the model. Where a call to it never came back, the process will not wait for that call at its end."""
    detector.close()
    if detector.stalled:
        # Registered last, so run first: before the runtime's own clean-up, which would wait for its threads for ever.
        atexit.register(_leave_at_once, _EXIT_INTERRUPTED if tally.status == "interrupted" else _EXIT_FAILED)


def _leave_at_once(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
