"""A font for any text: the one that Pillow carries for plain Latin, an installed one for every other script."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageFont, features

from detectattn.drawing.font_files import FontFile, installed_fonts

_PROBE_PX = 24
_NONCHARACTER = "\U0010ffff"
# Letters join or change order, which only the Raqm layout engine does.
_SHAPED_SCRIPTS = frozenset(
    {"ARABIC", "SYRIAC", "THAANA", "NKO", "HEBREW", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA"}
    | {"TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN"}
)
_CJK_SCRIPTS = frozenset({"HANGUL", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "IDEOGRAPHIC"})


@dataclass(frozen=True, slots=True)
class FontChoice:
    """A font for a text.

    Attributes:
        file: The font file, or None for the one that Pillow carries.
        size_px: Height of the em square.
        missing: Characters of the text that it lacks; empty when it draws them all.
    """

    file: FontFile | None
    size_px: int
    missing: frozenset[str] = frozenset()

    def load(self) -> ImageFont.FreeTypeFont:
        """The font, ready to draw. Loaded once a size."""
        return _load(self.file, self.size_px)


@lru_cache(maxsize=4096)
def clean_text(text: str) -> str:
    """One printable line: composed characters, single spaces, no control characters."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(c if c.isprintable() or _is_joiner(c) else " " for c in composed).split())


def find_font(text: str, size_px: int, fonts: Sequence[FontFile] | None = None) -> FontChoice:
    """The first font that draws all of ``text``, else the one that lacks the fewest of its characters.

    Args:
        text: What is to be drawn.
        size_px: Height of the em square.
        fonts: Font files in order of preference, tried after Pillow's own; None for the installed ones.
    """
    needed = _needed(text)
    if not find_missing(None, needed):
        # Looking for the installed fonts takes a while, and most class names never need them.
        return FontChoice(None, size_px)
    file, missing = _find_file(needed, installed_fonts() if fonts is None else tuple(fonts))
    return FontChoice(file, size_px, missing)


def split_runs(text: str, size_px: int, fonts: Sequence[FontFile] | None = None) -> tuple[tuple[str, FontChoice], ...]:
    """``text`` in pieces, each with the font that draws it: one piece where one font has every character."""
    whole = find_font(text, size_px, fonts)
    if not whole.missing:
        return ((text, whole),)
    runs: list[tuple[str, FontChoice]] = []
    for character in text:
        stays = bool(runs) and (not _needed(character) or not find_missing(runs[-1][1].file, _needed(character)))
        if stays:
            runs[-1] = (runs[-1][0] + character, runs[-1][1])
            continue
        choice = find_font(character, size_px, fonts)
        if runs and runs[-1][1] == choice:
            runs[-1] = (runs[-1][0] + character, choice)
        else:
            runs.append((character, choice))
    return tuple(runs)


def missing_glyphs(
    class_names: Mapping[int, str] | Iterable[str], fonts: Sequence[FontFile] | None = None
) -> str | None:
    """One sentence that says which scripts cannot be drawn and what to install; None when all can.

    Args:
        class_names: The names that will be drawn, or a model's names by class index.
        fonts: As in :func:`find_font`.
    """
    texts = class_names.values() if isinstance(class_names, Mapping) else class_names
    names = [clean_text(text) for text in texts]
    lost: dict[str, str] = {}
    for name in names:
        for _, choice in split_runs(name, _PROBE_PX, fonts):
            for character in choice.missing:
                lost.setdefault(_script(character), name)
    if lost:
        scripts = _join(f"{_say(script)} (as in {name!r})" for script, name in sorted(lost.items()))
        wanted = _join(sorted({_font_for(script) for script in lost}))
        return f"No installed font draws {scripts}; install {wanted} and these names will show as themselves"
    return _unshaped(names)


def _unshaped(names: Iterable[str]) -> str | None:
    if features.check("raqm") and features.check("fribidi"):
        return None
    scripts = sorted({_script(c) for name in names for c in name} & _SHAPED_SCRIPTS)
    if not scripts:
        return None
    return (
        f"{_join(_say(s) for s in scripts)} letters will not join or turn as they should; install FriBiDi "
        "(libfribidi), which Pillow needs for that"
    )


def _join(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _say(script: str) -> str:
    if script in ("emoji", "symbols"):
        return script
    return "Chinese characters" if script == "CJK" else script.title()


def _font_for(script: str) -> str:
    if script in _CJK_SCRIPTS:
        return "Noto Sans CJK (package fonts-noto-cjk)"
    if script == "emoji":
        return "Noto Emoji"
    if script == "symbols":
        return "Noto Sans Symbols 2 (package fonts-noto-core)"
    return f"Noto Sans {script.title()} (package fonts-noto-core)"


def _script(character: str) -> str:
    if not character.isalpha() and not unicodedata.category(character).startswith("M"):
        return "emoji" if character >= "\U0001f000" else "symbols"
    return unicodedata.name(character, "unnamed characters").split()[0]


def _is_joiner(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def _needed(text: str) -> str:
    """The characters that must have a glyph, each once, sorted."""
    return "".join(sorted({c for c in text if not c.isspace() and not _is_joiner(c) and not "\ufe00" <= c <= "\ufe0f"}))


@lru_cache(maxsize=4096)
def _find_file(needed: str, candidates: tuple[FontFile, ...]) -> tuple[FontFile | None, frozenset[str]]:
    best: FontFile | None = None
    best_missing = find_missing(None, needed)
    for file in candidates:
        if not best_missing:
            break
        missing = find_missing(file, needed)
        if len(missing) < len(best_missing):
            best, best_missing = file, missing
    return best, best_missing


@lru_cache(maxsize=16384)
def find_missing(file: FontFile | None, needed: str) -> frozenset[str]:
    """The characters of ``needed`` for which a font has no glyph; all of them for a font that cannot be opened.

    Pillow does not show a font's character map, so a character counts as missing when it draws what a code point that
    is no character draws.
    """
    try:
        font = _open_probe(file)
        blank = _ink(font, _NONCHARACTER)
        return frozenset(c for c in needed if _ink(font, c) in (blank, None))
    except OSError:
        # Not a font after all, or bitmaps of other sizes only.
        return frozenset(needed)


def _ink(font: ImageFont.FreeTypeFont, character: str) -> tuple[tuple[int, int], bytes] | None:
    mask = font.getmask(character)
    ink = bytes(mask)
    return (mask.size, ink) if any(ink) else None


@lru_cache(maxsize=16)
def _open_probe(file: FontFile | None) -> ImageFont.FreeTypeFont:
    return _open(file, _PROBE_PX, ImageFont.Layout.BASIC)


@lru_cache(maxsize=256)
def _load(file: FontFile | None, size_px: int) -> ImageFont.FreeTypeFont:
    layout = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return _open(file, size_px, layout)


def _open(file: FontFile | None, size_px: int, layout: ImageFont.Layout) -> ImageFont.FreeTypeFont:
    if file is None:
        font = ImageFont.load_default(size_px)
        if not isinstance(font, ImageFont.FreeTypeFont):
            raise OSError("this Pillow was built without FreeType")
        return font
    font = ImageFont.truetype(file.path, size_px, index=file.face, layout_engine=layout)
    _choose_weight(font)
    return font


def _choose_weight(font: ImageFont.FreeTypeFont) -> None:
    """A variable font opens at its lightest weight; take a regular one."""
    try:
        names = font.get_variation_names()
    except OSError:
        # Not a variable font.
        return
    wanted = next((n for n in (b"Medium", b"Regular") if n in names), None)
    if wanted is not None:
        font.set_variation_by_name(wanted)
