"""How many arenas the allocator may keep: as many as there are cores, where it is glibc's and nobody said otherwise."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from detectattn.cli import arenas


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
@pytest.mark.parametrize(("cores", "set_by_user", "expected"), [(1, None, [2]), (16, None, [16]), (16, "4", [])])
def test_as_many_as_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, set_by_user: str | None, expected: list[int]
) -> None:
    limits: list[int] = []
    library: Any = SimpleNamespace(mallopt=lambda _, most: limits.append(most))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    monkeypatch.setattr(arenas, "count_usable_cores", lambda: cores)
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if set_by_user is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", set_by_user)
    arenas.limit_arenas()
    assert limits == expected


def test_other_allocators_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    arenas.limit_arenas()
