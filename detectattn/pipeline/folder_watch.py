"""Whether a run's folder still is where the run writes: it may be moved or removed meanwhile, by whoever tidies up.

Files that are open go with a folder that is moved, and those that come after would make it anew: two halves of a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from detectattn.errors import WriteFailed
from detectattn.types import Frame, Prediction


class FolderWatch:
    """Knows a folder by what it is, not by its name.

    Args:
        folder: The folder.
        descriptor: Of the folder, open; None where a system has no such thing.
    """

    def __init__(self, folder: Path, descriptor: int | None) -> None:
        self._folder = folder
        self._descriptor = descriptor
        self._identity = folder.stat()

    def is_there(self) -> bool:
        """Whether the name still is the folder's. One call to the system."""
        return _is(self._folder, self._identity)

    def find(self) -> Path | None:
        """Where the folder is now; None where it was removed, or the system does not tell."""
        if self.is_there():
            return self._folder
        if self._descriptor is None:
            return None
        with suppress(OSError):
            now = Path(f"/proc/self/fd/{self._descriptor}").readlink()
            return now if _is(now, self._identity) else None
        return None

    def require_there(self) -> None:
        """Make sure of it.

        Raises:
            WriteFailed: The folder was moved or removed; the message says where it is.
        """
        if not self.is_there():
            raise self.to_error()

    def to_error(self) -> WriteFailed:
        """That it was moved or removed, and where it is now."""
        now = self.find()
        if now is not None:
            return WriteFailed(
                f"{self._folder} was moved to {now} while the run wrote there, and the run ended",
                hint=f"What it had done is there: --resume {now} goes on",
            )
        what = "removed" if os.path.isdir("/proc/self/fd") else "moved or removed"  # noqa: PTH112
        return WriteFailed(
            f"{self._folder} was {what} while the run wrote there, and the run ended",
            hint="Begin a new run" if what == "removed" else "Put it back and resume, or begin a new run",
        )


class FolderWatchSink:
    """Writes nothing: ends the run before a frame's record, where what belongs to it went elsewhere.

    Args:
        watch: Of the run's folder.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, watch: FolderWatch) -> None:
        self._watch = watch

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Look once.

        Raises:
            WriteFailed: The folder was moved or removed.
        """
        self._watch.require_there()

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """What was done before is of no concern."""

    def close(self) -> None:
        """There is no file."""

    def abort(self) -> None:
        """There is no file."""


@contextmanager
def watch_folder(folder: Path) -> Iterator[FolderWatch]:
    """Watch a folder while the block goes on."""
    descriptor = None
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):  # it may be written and not read: then nobody can say where it went
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield FolderWatch(folder, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is(path: Path, identity: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(path.stat(), identity)
    return False
