"""Keep memory that was given back from piling up in the allocator."""

from __future__ import annotations

import ctypes
import os
import sys

from detectattn.machine import count_usable_cores

_M_ARENA_MAX = -8


def limit_arenas() -> None:
    """Let glibc keep as many arenas as there are cores, rather than eight times as many.

    Threads take memory from arenas of their own and give it back there; what is free in one is of no use to the
    others. Of pictures of some megabytes each, made in one thread and freed in another, hundreds of megabytes stay
    behind. Other systems are left as they are, and so is a limit that the user has set.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # of other C libraries than glibc there is none
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, max(2, count_usable_cores()))
