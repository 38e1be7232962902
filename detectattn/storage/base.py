"""What a store is: a place below which whole objects are put, read, listed and deleted by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing or a look at it tells.

    Attributes:
        name: Below the store or folder that was asked, with ``/`` between folders.
        size_bytes: Its size; None where it is not told.
        mark: Changes when its content does (an ETag, or the time and size); empty where nothing such is known. Marks
            compare only with those of the same object in the same store.
    """

    name: str
    size_bytes: int | None
    mark: str


class Store(Protocol):
    """A folder on this machine or below an address of object storage; made by ``open_store``, can be pickled.

    Names are relative, with ``/`` between folders, without ``..`` or empty parts: :func:`check_name`. Opening makes
    nothing and asks nobody, folders appear with what is put below them. Safe to use from several threads and processes.

    Attributes:
        url: The address or the absolute path of the folder, without a slash at its end and without credentials.
    """

    @property
    def url(self) -> str:
        """The address or the absolute path."""
        ...

    def put(self, name: str, content: bytes | Path) -> None:
        """Write a whole object: under its name there is the old one or the new one, never a part.

        Args:
            name: Its name; what is there is replaced.
            content: The bytes, or a file that holds them.

        Raises:
            OutputError: It cannot be written: no room, no right, no connection.
        """
        ...

    def create(self, name: str, content: bytes) -> bool:
        """Write a whole object under a name that is free; of several that try at once, one does.

        An object store that knows no condition for writing is asked twice, so that several may: read what is there.

        Returns:
            False where there is an object of that name, which stays.

        Raises:
            OutputError: It cannot be written.
            FetchError: Nobody can tell what is there.
        """
        ...

    def get(self, name: str) -> bytes:
        """Read a whole object.

        Raises:
            ObjectNotFound: There is none of that name.
            FetchError: It cannot be read.
        """
        ...

    def exists(self, name: str) -> bool:
        """Whether there is an object of that name.

        Raises:
            FetchError: Nobody can tell.
        """
        ...

    def iter_names(self, prefix: str = "") -> Iterator[str]:
        """Yield the names that begin with ``prefix``, ordered by their characters' code points, as they are listed.

        A folder that is not there holds none.

        Raises:
            FetchError: It cannot be listed, or there is no such bucket; some names may have been yielded.
        """
        ...

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is no error.

        Raises:
            OutputError: It cannot be deleted.
        """
        ...

    def describe(self, name: str = "") -> str:
        """The store, or an object in it, as messages name it: an address without credentials, or a path."""
        ...


def check_name(name: str) -> str:
    """The name of an object, as given.

    Raises:
        ValueError: It is empty or absolute, or would leave the store.
    """
    if not name or any(part in {"", ".", ".."} for part in name.split("/")):
        raise ValueError(f"an object's name must be relative, without empty, . or .. parts, got {name!r}")
    return name
