"""A download that is not whole yet: its bytes in ``NAME.part``, and what they are of in ``NAME.part.json``."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol


class Digest(Protocol):
    """What hashlib's hashes are."""

    def update(self, chunk: bytes, /) -> None:
        """Take more bytes in."""
        ...

    def hexdigest(self) -> str:
        """The digest of what was taken in."""
        ...


class PartialFile:
    """The unfinished file beside a target."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")

    @property
    def size_bytes(self) -> int:
        """How much has arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def plan_resume(self, url: str, *, always: bool) -> tuple[int, dict[str, str]]:
        """Where to go on from, and the headers that ask for it; 0 and none when it must start over.

        Args:
            url: The address that is about to be asked.
            always: Go on even where the server gave nothing to recognise the file by, for a checksum will tell.
        """
        size = self.size_bytes
        notes = self._load_notes()
        if size == 0 or notes.get("url") != _fingerprint(url):
            return 0, {}
        validator = notes.get("etag") or notes.get("last_modified")
        if validator:
            return size, {"Range": f"bytes={size}-", "If-Range": validator}
        return (size, {"Range": f"bytes={size}-"}) if always else (0, {})

    def matches(self, answered: Mapping[str, str]) -> bool:
        """Whether an answer's headers are of the file that the first part is of."""
        notes, seen = self._load_notes(), _validators(answered)
        return all(notes[key] == seen[key] for key in seen if key in notes)

    @contextmanager
    def open_for_append(self, url: str, answered: Mapping[str, str], offset: int) -> Iterator[tuple[BinaryIO, Digest]]:
        """Open the file behind its first ``offset`` bytes (0 empties it), with a digest that has taken those in.

        When the block ends, what was written is flushed to the disk.
        """
        digest = hashlib.sha256()
        with self.path.open("r+b" if offset else "wb") as stream:
            if offset:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
            else:
                notes = {"url": _fingerprint(url), **_validators(answered)}
                self._notes.write_text(json.dumps(notes), encoding="utf-8")
            try:
                yield stream, digest
            finally:
                stream.flush()
                os.fsync(stream.fileno())

    def complete(self) -> None:
        """Give the file its name."""
        self.path.replace(self._target)
        self._notes.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete what has arrived."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def _load_notes(self) -> dict[str, str]:
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # Without notes the file starts over, which is always right.
        return notes if isinstance(notes, dict) else {}


def _fingerprint(url: str) -> str:
    # Hashed, for the address may hold a password.
    return hashlib.sha256(url.encode()).hexdigest()


def _validators(answered: Mapping[str, str]) -> dict[str, str]:
    found = {"etag": answered.get("etag", ""), "last_modified": answered.get("last-modified", "")}
    # A weak tag promises likeness, not equal bytes, and If-Range must not carry one (RFC 9110, 13.1.5).
    return {key: value for key, value in found.items() if value and not value.startswith("W/")}
