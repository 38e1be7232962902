"""Paths as people type them: any text at all, with ``~`` for a home folder."""

from __future__ import annotations

import os
from pathlib import Path


def expand_home(text: str | os.PathLike[str]) -> Path:
    """The path with a leading ``~`` or ``~user`` replaced; as it is where there is no such user."""
    try:
        return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises for an unknown user
    except ValueError:  # a null byte in the user's name
        return Path(text)


def is_there(text: str | os.PathLike[str]) -> bool:
    """Whether something of that name exists; a name too long, or with a null byte, is of nothing."""
    return os.path.exists(text)  # noqa: PTH110 - Path.exists raises where a name is too long
