"""A folder of object storage as a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from detectattn.errors import FetchError, WriteFailed
from detectattn.fetch import redact_url
from detectattn.storage.addresses import StorageAddress
from detectattn.storage.base import check_name
from detectattn.storage.listing import iter_objects
from detectattn.storage.requests import ask, create_object, look_at

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """A folder below an address; each object is one of the store's, written by one request or a multipart upload.

    Attributes:
        address: The folder, without a slash at its end.
        offline: Refuse every request.
    """

    address: StorageAddress
    offline: bool = False

    @property
    def url(self) -> str:
        """The address."""
        return self.address.url

    def put(self, name: str, content: bytes | Path) -> None:
        """Write an object; readers see the old one until the new one is whole, as object stores promise.

        Raises:
            OutputError: It cannot be written.
        """
        target = self.address.join(check_name(name))
        if isinstance(content, Path) and not content.is_file():
            problem = f"{redact_url(target.url)} cannot be written: there is no file {content}"
            raise WriteFailed(problem, hint="Check the path")

        def request(system: Any) -> None:
            if isinstance(content, Path):
                system.put_file(str(content), target.path)
            else:
                system.pipe_file(target.path, content)

        self._write(target, "written", request)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object where there is none, by a request that the store refuses otherwise.

        Raises:
            OutputError: It cannot be written.
            FetchError: Nobody can tell what is there.
        """
        target = self.address.join(check_name(name))
        if self.exists(name):
            return False  # Some stores take the condition and do not keep to it.
        return self._write(target, "written", lambda system: create_object(system, target.path, content))

    def get(self, name: str) -> bytes:
        """Read an object.

        Raises:
            ObjectNotFound: There is none.
            FetchError: It cannot be read.
        """
        target = self.address.join(check_name(name))
        return ask(target, lambda system: bytes(system.cat_file(target.path)), offline=self.offline)

    def exists(self, name: str) -> bool:
        """Whether there is an object of that name.

        Raises:
            FetchError: Nobody can tell.
        """
        return look_at(self.address.join(check_name(name)), offline=self.offline) is not None

    def iter_names(self, prefix: str = "") -> Iterator[str]:
        """Yield the names below the folder, ordered, as pages or folders are listed.

        Raises:
            FetchError: It cannot be listed, or there is no such bucket.
        """
        return (found.name for found in iter_objects(self.address, prefix, offline=self.offline))

    def delete(self, name: str) -> None:
        """Delete an object.

        Raises:
            OutputError: It cannot be deleted.
        """
        target = self.address.join(check_name(name))

        def request(system: Any) -> None:
            try:
                system.rm_file(target.path)
            except FileNotFoundError:
                return

        self._write(target, "deleted", request)

    def describe(self, name: str = "") -> str:
        """The address, without what looks like a secret."""
        return redact_url(self.address.join(name).url if name else self.address.url)

    def _write(self, target: StorageAddress, verb: str, request: Callable[[Any], _T]) -> _T:
        try:
            return ask(target, request, offline=self.offline)
        except FetchError as error:
            raise WriteFailed(f"{redact_url(target.url)} cannot be {verb}: {error.problem}", hint=error.hint) from error
