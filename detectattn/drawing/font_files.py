"""Which fonts this machine has, those that suit a label first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

_SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".otc"})
# These draw a box for every character there is, or nothing at all, so they would seem to cover anything.
_NOT_FOR_TEXT = ("lastresort", "adobeblank", "adobe blank")
_PENALTIES = {
    "italic": 8,
    "oblique": 8,
    "symbol": 6,
    "emoji": 6,
    "math": 6,
    "thin": 6,
    "extralight": 6,
    "ultralight": 6,
    "light": 3,
    "serif": 4,
    "times": 4,
    "mincho": 4,
    "song": 4,
    "batang": 4,
    "mono": 4,
    "code": 4,
    "courier": 4,
    "condensed": 3,
    "narrow": 3,
    "black": 3,
    "heavy": 3,
    "bold": 2,
    "display": 1,
    "noto sans": -2,
    "notosans": -2,
    "dejavu sans": -1,
    "dejavusans": -1,
}


@dataclass(frozen=True, slots=True)
class FontFile:
    """One face of a font file.

    Attributes:
        path: The file.
        face: Which face of a collection, from 0.
        name: Family and style, where they are known.
    """

    path: Path
    face: int = 0
    name: str = ""


@lru_cache(maxsize=1)
def installed_fonts() -> tuple[FontFile, ...]:
    """Every font that can be found, upright sans-serif of regular weight first.

    Asks fontconfig where it is installed and searches the system's font folders otherwise. Looked up once a process.
    """
    found = _ask_fontconfig() or tuple(_iter_folder_fonts(_font_folders()))
    return rank_fonts((*found, *_bundled_fonts()))


def rank_fonts(fonts: Iterable[FontFile]) -> tuple[FontFile, ...]:
    """Fonts that can draw text, in the order in which they should be tried."""
    usable = {f for f in fonts if f.path.suffix.lower() in _SUFFIXES and not _is_barred(f)}
    return tuple(sorted(usable, key=lambda f: (_penalty(f), str(f.path), f.face)))


def _is_barred(font: FontFile) -> bool:
    text = f"{font.path.name} {font.name}".lower()
    return any(word in text for word in _NOT_FOR_TEXT)


def _penalty(font: FontFile) -> int:
    text = f"{font.path.stem} {font.name}".lower()
    return sum(points for word, points in _PENALTIES.items() if word in text)


def _ask_fontconfig() -> tuple[FontFile, ...]:
    program = shutil.which("fc-list")
    if program is None:
        return ()
    command = [program, "--format", "%{file}\t%{index}\t%{family}\t%{style}\n"]
    try:
        listing = subprocess.run(command, capture_output=True, timeout=20, check=True).stdout  # noqa: S603 - no shell, fixed words
    except (OSError, subprocess.SubprocessError):
        # A broken fontconfig costs only this way of finding fonts; the folders are searched instead.
        return ()
    return tuple(_iter_listed_fonts(listing.decode("utf-8", "replace")))


def _iter_listed_fonts(listing: str) -> Iterator[FontFile]:
    for line in listing.splitlines():
        fields = line.split("\t")
        if len(fields) == 4 and fields[1].isdigit():
            # The upper half numbers the named instances of a variable font, of which one is enough.
            yield FontFile(Path(fields[0]), int(fields[1]) & 0xFFFF, f"{fields[2]} {fields[3]}".lower())


def _font_folders() -> tuple[Path, ...]:
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        return (Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts", local / "Microsoft/Windows/Fonts")
    if sys.platform == "darwin":
        return (Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts")
    data_home = Path(os.environ.get("XDG_DATA_HOME", home / ".local/share"))
    return (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), data_home / "fonts", home / ".fonts")


def _iter_folder_fonts(folders: Iterable[Path]) -> Iterator[FontFile]:
    for folder in folders:
        for parent, _, names in os.walk(folder):
            yield from (
                FontFile(Path(parent, name)) for name in sorted(names) if Path(name).suffix.lower() in _SUFFIXES
            )


def _bundled_fonts() -> tuple[FontFile, ...]:
    """DejaVu Sans from matplotlib, which Ultralytics depends on: Latin, Greek, Cyrillic, Hebrew, Arabic."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return ()
    path = Path(spec.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
    return (FontFile(path, name="dejavu sans book"),) if path.is_file() else ()
