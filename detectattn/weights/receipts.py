"""What is remembered of a cached file, in ``NAME.json`` beside it: the checksum that later downloads must match."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from detectattn.errors import DiskFull

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """A cached file as it was when its bytes were last read.

    Attributes:
        url: Where it is from, without credentials.
        sha256: Of its bytes.
        size_bytes: Its size then.
        mtime_ns: Its modification time then, in nanoseconds.
    """

    url: str
    sha256: str
    size_bytes: int
    mtime_ns: int

    def is_current(self, path: Path) -> bool:
        """Whether the file still has the size and the modification time it had when it was read.

        That spares reading tens of megabytes at each start. It trusts that nobody changes a file's bytes and then sets
        its time back; ``detectattn models verify`` reads the bytes.
        """
        status = path.stat()
        return (status.st_size, status.st_mtime_ns) == (self.size_bytes, self.mtime_ns)


def receipt_path(path: Path) -> Path:
    """Where the receipt of a cached file lies."""
    return path.with_name(f"{path.name}.json")


def load_receipt(path: Path) -> Receipt | None:
    """The receipt of a cached file, which need not be there any more; None where there is none that can be read."""
    try:
        fields = json.loads(receipt_path(path).read_text(encoding="utf-8"))
        return Receipt(fields["url"], fields["sha256"], int(fields["size_bytes"]), int(fields["mtime_ns"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_receipt(path: Path, url: str, sha256: str) -> Receipt:
    """Remember a cached file by the checksum that was just computed from it.

    Raises:
        DiskFull: The cache folder cannot be written.
    """
    status = path.stat()
    receipt = Receipt(url, sha256, status.st_size, status.st_mtime_ns)
    target = receipt_path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps({"schema": _SCHEMA, **asdict(receipt)}, indent=2) + "\n", encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise DiskFull(
            f"{target} cannot be written ({error.strerror or error})",
            hint="Free some space, or point DETECTATTN_CACHE at a folder that can be written",
        ) from error
    return receipt
