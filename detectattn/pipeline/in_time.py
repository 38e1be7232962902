"""Inferences outside a run, with the limit to their time that a run's have."""

from __future__ import annotations

import threading

from detectattn.engines.detector import Detector
from detectattn.pipeline.watchdog import describe_stall
from detectattn.types import F32

ANSWER_S = 120.0
"""How long an inference may take, for each picture of its batch."""


def infer_in_time(detector: Detector, tensor: F32, calls: int = 1) -> list[tuple[F32, ...]]:
    """Raw head outputs of ``calls`` inferences of one batch, made at once.

    An engine that hangs leaves its threads behind, and ``detector.stalled`` set.

    Args:
        detector: The model.
        tensor: f32[N, 3, h, w].
        calls: How many run side by side.

    Raises:
        EngineError: The engine hangs.
        Exception: What the engine raised.
    """
    outputs: list[tuple[F32, ...]] = []
    errors: list[Exception] = []

    def infer() -> None:
        try:
            outputs.append(detector.engine.infer(tensor))
        except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=infer, name=f"infer-{number}", daemon=True) for number in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ANSWER_S * len(tensor))
    if any(thread.is_alive() for thread in threads):
        detector.stalled = True
        raise describe_stall(detector, ANSWER_S * len(tensor))
    if errors:
        raise errors[0]
    return outputs
