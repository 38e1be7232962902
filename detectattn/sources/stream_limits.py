"""How long a stream may keep one waiting, and how it is called again."""

from __future__ import annotations

import random
from dataclasses import dataclass

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long a stream may keep one waiting.

    Attributes:
        open_s: To answer at all.
        read_s: Between two packets.
        first_frame_s: From the answer to the first picture, and between two pictures while other packets come (cameras
            send a whole picture only every few seconds).
        reconnects: Attempts in a row to get a stream back that was there; None for as many as it takes.
        first_pause_s: Before the first of them, at most; each later pause is up to twice as long.
        longest_pause_s: Pauses do not grow beyond this.
        steady_s: A connection that lasted so long begins again with the first pause.
    """

    open_s: float = 8.0
    read_s: float = 8.0
    first_frame_s: float = 30.0
    reconnects: int | None = None
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    steady_s: float = 10.0

    def choose_pause_s(self, attempt: int, dice: random.Random) -> float:
        """How long to wait before an attempt, counted from 1: between half of its pause and all of it.

        Doubling spares a server that is down, and chance keeps those that lost it together from coming back together
        (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
        """
        doublings = min(attempt - 1, _MOST_DOUBLINGS)
        pause_s = min(self.longest_pause_s, self.first_pause_s * float(2**doublings))
        return pause_s * (0.5 + dice.random() / 2)
