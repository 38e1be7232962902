"""Files that are no model at a glance, or that must not be opened: a web page, weights outside the folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from detectattn.errors import CorruptWeights
from detectattn.weights.onnx_data import check_external_data

_LFS_PREFIX = b"version https://git-lfs.github.com/spec/"
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")


def check_weights_content(path: Path, shown: str) -> None:
    """Refuse a file that cannot be a model, naming what it is instead, and one whose weights lie anywhere.

    Args:
        path: The file.
        shown: What the message calls it: the path, or the address it came from.

    Raises:
        CorruptWeights: It is empty, a web page, a Git LFS pointer, or no XML by that name.
        UnsafeWeights: It is an ONNX model that asks for weights outside its folder.
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
    if path.suffix.lower() == ".xml" and not head.removeprefix(b"\xef\xbb\xbf").startswith(b"<"):
        # OpenVINO would go by the content, and read ONNX and others, whose weights may lie anywhere. What starts
        # with white space may be one of them too.
        raise CorruptWeights(
            f"{shown} does not begin as XML, so it is no OpenVINO model",
            hint="Give a model of another format under its own name (.onnx), or export it again",
        )
    if ".onnx" in path.name.lower():  # an unfinished download has a suffix more
        # The engine looks again before it opens the model, and refuses one that is damaged: in a study of several
        # models that costs the one alone.
        with suppress(CorruptWeights):
            check_external_data(path)
