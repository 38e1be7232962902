"""Files that are no model at a glance: empty, a web page, a Git LFS pointer."""

from __future__ import annotations

from pathlib import Path

from detectattn.errors import CorruptWeights

_LFS_PREFIX = b"version https://git-lfs.github.com/spec/"
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")


def check_weights_content(path: Path, shown: str) -> None:
    """Refuse a file that cannot be a model, naming what it is instead.

    Args:
        path: The file.
        shown: What the message calls it: the path, or the address it came from.

    Raises:
        CorruptWeights: It is empty, a web page or a Git LFS pointer.
    """
    with path.open("rb") as stream:
        head = stream.read(512)
    if not head:
        raise CorruptWeights(f"{shown} is empty", hint="Download or export it again")
    if head.startswith(_LFS_PREFIX):
        raise CorruptWeights(
            f"{shown} is a Git LFS pointer, not the model itself", hint="Fetch the file with `git lfs pull`"
        )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE_STARTS):
        raise CorruptWeights(
            f"{shown} is a web page, not a model",
            hint="Use the address of the file itself (a download or raw link), and check that it needs no login",
        )
