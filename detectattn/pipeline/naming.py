"""On which input something went wrong that nobody expected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from detectattn.errors import DetectattnError
from detectattn.pipeline.channel import Stopped


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Add to whatever goes wrong unexpectedly within the block on which input it did; expected errors say so."""
    try:
        yield
    except (DetectattnError, Stopped):
        raise
    except Exception as error:
        error.add_note(f"on {source}")
        raise
