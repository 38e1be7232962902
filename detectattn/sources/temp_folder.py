"""The system's temporary folder, which a machine may lack."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detectattn.errors import DiskFull


@contextmanager
def open_temp_folder(prefix: str = "detectattn-") -> Iterator[Path]:
    """Make a folder that is deleted at the block's end.

    Args:
        prefix: What its name begins with.

    Raises:
        DiskFull: There is no temporary folder to make it in, as in a container without any place to write to.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix=prefix)
    except OSError as error:
        raise DiskFull(
            f"no temporary folder can be made ({error.strerror or error})",
            hint="Set TMPDIR to a folder that you may write to",
        ) from error
    with folder as name:
        yield Path(name)
