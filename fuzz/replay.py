"""The kept inputs of a target, and running one: what the test suite does without a fuzzer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from fuzz.target import Target

CORPUS = Path(__file__).parent / "corpus"


def iter_corpus(name: str) -> Iterator[Path]:
    """The kept inputs of a target, in the order of their names."""
    yield from sorted(path for path in (CORPUS / name).iterdir() if path.is_file())


def feed(target: Target, content: bytes, folder: Path) -> None:
    """Run a target on one input in an empty folder.

    Args:
        target: The target.
        content: The input.
        folder: Emptied first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    target.run(content, folder)
