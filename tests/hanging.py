"""An engine that never answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from detectattn.pipeline import stages


@contextmanager
def let_engines_hang(kind: type[Any], engines: int, answers: int) -> Iterator[None]:
    """Until the block ends, so many engines of a class, the first to be asked, hang after so many answers."""
    infer, seen, released = kind.infer, dict[int, int](), threading.Event()

    def hang(engine: Any, tensor: Any) -> Any:
        seen[id(engine)] = calls = seen.get(id(engine), 0) + 1
        if list(seen).index(id(engine)) < engines and calls > answers:
            released.wait(20)
        return infer(engine, tensor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "infer", hang)
        patch.setattr(stages, "_JOIN_S", 0.2)
        try:
            yield
        finally:
            released.set()
