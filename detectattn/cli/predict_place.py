"""Where the relative sources of an unfinished run are taken from: where it began, or nowhere."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from detectattn.errors import ConfigError
from detectattn.sources.naming import to_one_line
from detectattn.user_paths import expand_home


def find_place(texts: Sequence[str], began_in: str, run: Path) -> str | None:
    """Make sure that sources are those of the run, and not others of the same names in another folder.

    Args:
        texts: The sources of the run.
        began_in: The working directory when it began; empty where that is not known.
        run: The folder of the run.

    Returns:
        A warning where relative sources are not any more where they were, and so are taken from here; None else.

    Raises:
        ConfigError: They are still there, and not here.
    """
    if not began_in or _are_same(began_in, os.curdir):
        return None
    for text in filter(_is_relative, texts):
        then = os.path.join(began_in, text)  # noqa: PTH118 - a path may be no UTF-8, or too long
        if _are_same(then, text):
            continue
        here = to_one_line(text)
        if os.path.lexists(then) or (os.path.isdir(began_in) and not os.path.lexists(text)):  # noqa: PTH112
            again = f"cd {shlex.quote(began_in)} && detectattn predict --resume {shlex.quote(os.path.abspath(run))}"  # noqa: PTH100
            raise ConfigError(
                f"the run began in {to_one_line(began_in)}, and its source {here} is to be read from there",
                hint=f"Go there first: {to_one_line(again)}",
            )
        return f"{here} is not in {to_one_line(began_in)} any more, where the run began: it is read from here"
    return None


def _is_relative(text: str) -> bool:
    if text == "-" or "://" in text:
        return False
    return not os.path.isabs(expand_home(text))  # noqa: PTH117


def _are_same(one: str, other: str) -> bool:
    with suppress(OSError, ValueError):
        return os.path.samefile(one, other)  # noqa: PTH121
    return False
