"""What a model is opened for, and who is told of what is done for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """What a model is opened for.

    Attributes:
        pictures: How many it is to go through; None where that is not known.
        sources: As typed: pictures for the gate, and for INT8, come from what of it lies on disk.
        calibrate: A source of pictures that INT8 is calibrated on; empty for a sample of ``sources``.
    """

    pictures: int | None = None
    sources: tuple[str, ...] = ()
    calibrate: str = ""


def _ignore(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class Tell:
    """Who is told of what happens to a model; by default nobody.

    Attributes:
        say: Told what takes a while, and how long it took.
        warn: Told what may not be what the user wants.
        step: Told each step of it as it begins.
    """

    say: Callable[[str], None] = _ignore
    warn: Callable[[str], None] = _ignore
    step: Callable[[str], None] = _ignore
