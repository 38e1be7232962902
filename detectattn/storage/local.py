"""A folder on this machine as a store."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from detectattn.errors import AccessDenied, DiskFull, FetchError, ObjectNotFound, OutputError, WriteFailed
from detectattn.storage.base import check_name

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS})
_DRAFT = re.compile(r"\.draft-[0-9a-f]{16}\.part")


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A folder; each object is a file below it.

    Attributes:
        folder: Absolute; it need not be there.
    """

    folder: Path

    @property
    def url(self) -> str:
        """The absolute path."""
        return str(self.folder)

    def put(self, name: str, content: bytes | Path) -> None:
        """Write a file under another name beside its place, flush it to the disk, and rename it.

        Raises:
            OutputError: It cannot be written.
        """
        target = self.folder / check_name(name)
        with _draft_beside(target, content) as draft:
            draft.replace(target)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file under another name beside its place, and link it to its own, which fails where there is one.

        Raises:
            OutputError: It cannot be written.
        """
        target = self.folder / check_name(name)
        with _draft_beside(target, content) as draft:
            try:
                os.link(draft, target)
            except FileExistsError:
                return False
        return True

    def get(self, name: str) -> bytes:
        """Read a file.

        Raises:
            ObjectNotFound: There is none.
            FetchError: It cannot be read.
        """
        path = self.folder / check_name(name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise _to_read_error(path, error) from error

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.folder / check_name(name)).is_file()

    def iter_names(self, prefix: str = "") -> Iterator[str]:
        """Yield the files below the folder, ordered; unfinished ones of :meth:`put` are left out.

        Raises:
            FetchError: A folder cannot be listed.
        """
        yield from self._iter_below("", prefix)

    def delete(self, name: str) -> None:
        """Delete a file.

        Raises:
            OutputError: It cannot be deleted.
        """
        path = self.folder / check_name(name)
        try:
            path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise _to_output_error(path, "deleted", error) from error

    def describe(self, name: str = "") -> str:
        """The path."""
        return str(self.folder / name) if name else str(self.folder)

    def _iter_below(self, folder: str, prefix: str) -> Iterator[str]:
        """``folder`` is empty or ends with a slash."""
        try:
            with os.scandir(self.folder / folder) as listing:
                # With its slash a folder has the place among its neighbours that what is below it has.
                names = sorted(f"{folder}{entry.name}{'/' if entry.is_dir() else ''}" for entry in listing)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _to_read_error(self.folder / folder, error) from error
        for name in names:
            if name.endswith("/"):
                if name.startswith(prefix) or prefix.startswith(name):
                    yield from self._iter_below(name, prefix)
            elif name.startswith(prefix) and not _DRAFT.fullmatch(name.rpartition("/")[2]):
                yield name


@contextmanager
def _draft_beside(target: Path, content: bytes | Path) -> Iterator[Path]:
    """A file with that content beside a path, on the disk; it goes with the block unless it was renamed.

    Raises:
        OutputError: It cannot be written, or what the block does with it fails.
    """
    draft = target.with_name(f".draft-{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(draft, content)
            yield draft
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise _to_output_error(target, "written", error) from error


def _write(path: Path, content: bytes | Path) -> None:
    with path.open("xb") as stream:
        if isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, stream, 1 << 20)
        else:
            stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _to_output_error(path: Path, verb: str, error: OSError) -> OutputError:
    kind = DiskFull if error.errno in _NO_ROOM else WriteFailed
    hint = "Free some space, or check the permissions of that folder"
    return kind(f"{path} cannot be {verb} ({error.strerror or error})", hint=hint)


def _to_read_error(path: Path, error: OSError) -> FetchError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ObjectNotFound(f"{path} does not exist", hint="Check the path")
    if isinstance(error, PermissionError):
        return AccessDenied(f"{path} cannot be read ({error.strerror})", hint="Check its permissions")
    return FetchError(f"{path} cannot be read ({error.strerror or error})", hint="Check the path and the disk")
