"""Files that appear whole or not at all, and never in place of another but one of the same run that is done again.

Content goes to a hidden temporary name in the same folder and gets its own name in one step that fails if that name is
taken. A run that is killed leaves at worst a ``.detectattn-….part…`` file.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from detectattn.errors import DiskFull, OutputError, OutputExists, WriteFailed

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_PERMISSION = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_HARD_LINKS = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK, errno.EXDEV}
)


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file in the making: write to ``temporary``, then :meth:`publish` or :meth:`discard` it.

    For sinks that are opened in one call and closed in another; elsewhere prefer :func:`open_new_file`.

    Attributes:
        path: The name that the file gets.
        temporary: Where to write, in the same folder, with the same suffix; it does not exist yet.
        replace: Whether it takes the place of a file of that name, which an unfinished run of ours has left.
    """

    path: Path
    temporary: Path
    replace: bool = False

    @classmethod
    def start(cls, path: Path, *, replace: bool = False) -> PendingFile:
        """Make the folder of ``path`` and choose a temporary name there.

        Raises:
            OutputExists: ``path`` is there already, or a file stands where a folder is needed.
            DiskFull: No space, or no permission.
            WriteFailed: Any other reason.
        """
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not replace and os.path.lexists(path):
                raise _exists(path)
        # A long suffix would push the temporary name over the limit of 255 bytes that the real one keeps.
        suffix = path.suffix if len(path.suffix) <= 16 else ""
        return cls(path, path.with_name(f".detectattn-{uuid.uuid4().hex}.part{suffix}"), replace)

    def publish(self) -> None:
        """Give the complete file its name.

        Raises:
            OutputExists: Somebody made a file of that name in the meantime; it is left as it is.
            DiskFull: No space, or no permission.
            WriteFailed: Any other reason.
        """
        try:
            with output_errors(self.path):
                if self.replace:
                    self.temporary.replace(self.path)
                else:
                    _rename_without_overwriting(self.temporary, self.path)
        except OutputError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was written so far."""
        # Called on the way out of an error, which matters more than a hidden file left behind.
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)


@contextmanager
def new_file_path(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A path to write ``path``'s content to, for libraries that open files by name.

    It has the suffix of ``path`` and lies in the same folder. When the block ends it becomes ``path``; when the block
    raises, it is removed.

    Args:
        path: The file.
        replace: Take the place of a file that an unfinished run of ours has left there.

    Raises:
        OutputExists: ``path`` is there already.
        DiskFull: No space, or no permission, also when the block raises the ``OSError`` that says so.
        WriteFailed: Any other ``OSError``.
    """
    pending = PendingFile.start(path, replace=replace)
    try:
        with output_errors(path):
            yield pending.temporary
    except BaseException:
        pending.discard()
        raise
    pending.publish()


@contextmanager
def open_new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file that becomes ``path`` when the block ends, and nothing when the block raises.

    Raises:
        OutputExists: ``path`` is there already.
        DiskFull: No space, or no permission.
        WriteFailed: Any other ``OSError``.
    """
    with new_file_path(path) as temporary, temporary.open("xb") as stream:
        yield stream


def write_new_file(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file whole, without overwriting; its folder is made where it is missing.

    Args:
        path: The file.
        content: All of it.
        replace: Take the place of a file that an unfinished run of ours has left there.

    Raises:
        OutputExists: ``path`` is there already.
        DiskFull: No space, or no permission.
        WriteFailed: Any other ``OSError``.
    """
    with new_file_path(path, replace=replace) as temporary, temporary.open("xb") as stream:
        stream.write(content)


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file whole (text: UTF-8), in place of an earlier state of the same file; for files of our own.

    Raises:
        DiskFull: No space, or no permission.
        WriteFailed: Any other ``OSError``.
    """
    temporary = path.with_name(f".detectattn-{uuid.uuid4().hex}.part")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn the block's ``OSError`` into the :class:`~detectattn.errors.OutputError` that says what to do about it."""
    try:
        yield
    except OSError as error:
        raise _to_output_error(path, error) from error


def _to_output_error(path: Path, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).rstrip(".")
    problem = f"cannot write {path}: {reason}"
    if error.errno in _NO_SPACE:
        return DiskFull(problem, hint="Free some space there, or choose a folder on another disk with -o")
    if error.errno in _NO_PERMISSION:
        return DiskFull(problem, hint="Allow writing there, or choose another folder with -o")
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        blocker = next((p for p in path.parents if p.exists() and not p.is_dir()), None)
        if blocker is not None:
            return OutputExists(
                f"cannot write {path}: {blocker} is a file, not a folder",
                hint="Move that file away, or choose another folder with -o",
            )
        return _exists(path)
    return WriteFailed(problem, hint="Check the disk and the path, or choose another folder with -o")


def _exists(path: Path) -> OutputExists:
    return OutputExists(
        f"{path} exists already, and nothing is overwritten",
        hint="Choose another folder with -o, or move the old file away",
    )


def _rename_without_overwriting(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # FAT, some network and container file systems have no hard links: reserve the name, then replace our own
        # reservation.
        path.touch(exist_ok=False)
        try:
            temporary.replace(path)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return
    temporary.unlink()
