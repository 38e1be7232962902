"""Who drives a run in object storage, which has no locks.

.detectattn/driver-00001.json   the first driver, and a count that goes up as long as it lives

The highest number drives. A driver that finds none takes the first; one that finds one watches it, and takes the next
number once it has stood still for long enough. Of several that want a number the store gives it to one; and whoever was
given up and wakes again, finds itself followed, or gone. Clocks of machines do not come into it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from detectattn.errors import DetectattnError, FetchError, ObjectNotFound, OutputError, RunInUse
from detectattn.storage.base import Store

RENEW_S = 10.0
"""Between two signs of life of a driver."""
DEAD_S = 30.0
"""A driver without a sign of life for so long is given up."""
LOOK_S = 2.0
"""Between two looks at a driver that may be dead."""

_PREFIX = ".detectattn/driver-"
_NAME = re.compile(rf"{re.escape(_PREFIX)}(\d{{5,}})\.json")


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a driver left in the store: its number, and the bytes of the object."""

    number: int
    content: bytes

    @property
    def token(self) -> str:
        return str(self._fields().get("token", ""))

    @property
    def who(self) -> str:
        fields = self._fields()
        if not {"host", "pid", "since"} <= fields.keys():
            return "another driver"
        return f"{fields['host']} (process {fields['pid']}, since {fields['since']})"

    def _fields(self) -> dict[str, Any]:
        with suppress(ValueError):
            fields = json.loads(self.content)
            return fields if isinstance(fields, dict) else {}
        return {}


class Lease:
    """One driver's hold on a place, from :func:`hold_lease`.

    Args:
        store: The place.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._number = 0
        self._beat = 0
        self._own = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            "token": secrets.token_hex(16),
        }

    def take(self, on_wait: Callable[[str], None]) -> None:
        """Take the place; where somebody has it, once that one has shown no sign of life for :data:`DEAD_S`.

        Raises:
            RunInUse: Somebody has it, and lives.
            FetchError, OutputError: The store cannot be read or written.
        """
        while self._number == 0:
            held = _find(self._store)
            if held is None or self._outlives(held, on_wait):
                self._claim(1 if held is None else held.number + 1)

    def renew(self) -> None:
        """Show a sign of life.

        Raises:
            RunInUse: The place is somebody else's now.
            FetchError, OutputError: The store cannot be read or written.
        """
        self.require_held()
        self._beat += 1
        self._store.put(_to_name(self._number), self._to_content())

    def require_held(self) -> None:
        """Look whether the place is still this driver's.

        Raises:
            RunInUse: It is not.
            FetchError: The store cannot be read.
        """
        newest = _find(self._store)
        if newest is None or newest.token != self._own["token"]:
            by = "another driver, which has ended since," if newest is None else newest.who
            raise RunInUse(
                f"{self._store.describe()} was taken over by {by} after this one had shown no sign of life for "
                f"{DEAD_S:g} s",
                hint="Nothing is lost: once nobody drives it, --resume goes on with what is left",
            )

    def release(self) -> None:
        """Give the place back, where it was taken and still is this driver's.

        Raises:
            FetchError, OutputError: The store cannot be read or written.
        """
        name = _to_name(self._number)
        mark = _read(self._store, self._number) if self._number else None
        if mark is not None and mark.token == self._own["token"]:
            self._store.delete(name)

    def _outlives(self, held: _Mark, on_wait: Callable[[str], None]) -> bool:
        """Whether the holder stands still; False where it ended meanwhile, or another took its place."""
        place = self._store.describe()
        on_wait(f"{place} is driven by {held.who}, or was: waiting up to {DEAD_S:g} s for a sign of life")
        end_s = time.monotonic() + DEAD_S
        while time.monotonic() < end_s:
            time.sleep(LOOK_S)
            now = _find(self._store)
            if now is None or now.number != held.number:
                return False
            if now.content != held.content:
                raise RunInUse(f"{place} is being written by {now.who}", hint="Wait for it to end, or stop it first")
        return True

    def _claim(self, number: int) -> None:
        self._number = number  # so that it is released, should this be interrupted
        self._store.create(_to_name(number), self._to_content())
        # An answer may be lost on its way, and the same request then be refused: what is there, decides.
        newest = _find(self._store)
        if newest is None or newest.token != self._own["token"]:
            self._number = 0
            return
        for name in [_to_name(older) for older in _list_numbers(self._store) if older < number]:
            self._store.delete(name)

    def _to_content(self) -> bytes:
        return json.dumps({**self._own, "beat": self._beat}).encode()


@contextmanager
def hold_lease(store: Store, on_wait: Callable[[str], None], on_lost: Callable[[RunInUse], None]) -> Iterator[Lease]:
    """Keep other drivers out of a place for as long as the block goes on.

    Args:
        store: The place.
        on_wait: Told why nothing happens for a while.
        on_lost: Told, in a thread, when another driver took the place over.

    Raises:
        RunInUse: Another driver has it, and lives.
        FetchError, OutputError: The store cannot be read or written.
    """
    lease, ended = Lease(store), threading.Event()

    def keep() -> None:
        while not ended.wait(RENEW_S):
            try:
                lease.renew()
            except RunInUse as error:
                on_lost(error)
                return
            except (FetchError, OutputError):
                continue  # it may pass; if it does not, whoever takes over is found by the next look that succeeds

    keeper = threading.Thread(target=keep, name="lease", daemon=True)
    try:
        lease.take(on_wait)
        keeper.start()
        yield lease
    finally:
        ended.set()
        if keeper.ident is not None:
            keeper.join(RENEW_S)
        with suppress(DetectattnError):  # what is left there is given up after a while
            lease.release()


def _find(store: Store) -> _Mark | None:
    """What the highest number left."""
    while numbers := _list_numbers(store):
        if mark := _read(store, max(numbers)):
            return mark
    return None


def _list_numbers(store: Store) -> list[int]:
    return [int(found[1]) for name in store.iter_names(_PREFIX) if (found := _NAME.fullmatch(name))]


def _read(store: Store, number: int) -> _Mark | None:
    try:
        return _Mark(number, store.get(_to_name(number)))
    except ObjectNotFound:
        return None  # it went away between two requests


def _to_name(number: int) -> str:
    return f"{_PREFIX}{number:05d}.json"
