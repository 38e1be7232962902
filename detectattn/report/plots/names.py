"""Names from outside as plots can hold them: whole characters on one line, short enough, no two alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

NAMELESS = "(no name)"
_LONGEST = 120
_LABEL = 30


def clean_name(name: str, most: int = _LONGEST) -> str:
    """A name on one line without control characters, at most ``most`` characters, cut in the middle."""
    # Characters that turn the direction of writing are formats too: they would garble what follows.
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in name)
    line = " ".join(kept.split()) or NAMELESS
    if len(line) <= most:
        return line
    tail = (most - 1) // 2
    return f"{line[: most - 1 - tail]}…{line[len(line) - tail :]}"


def label_names(names: Iterable[str], most: int = _LABEL, *, reserved: Iterable[str] = ()) -> Mapping[str, str]:
    """A label for each name, unlike all others and those reserved; what would be alike is numbered."""
    labels: dict[str, str] = {}
    taken = set(reserved)
    for name in names:
        if name in labels:
            continue
        label, number = clean_name(name, most), 1
        while label in taken:
            number += 1
            end = f" ({number})"
            label = clean_name(name, most - len(end)) + end
        labels[name] = label
        taken.add(label)
    return labels


def join_words(words: Sequence[str], most: int = 8) -> str:
    """``a``, ``a and b``, ``a, b and c``; what is beyond ``most`` is counted."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most:,} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def join_clauses(clauses: Sequence[str], most: int = 12) -> str:
    """``a``, ``a; b``; what is beyond ``most`` is counted."""
    rest = [f"{len(clauses) - most:,} more"] if len(clauses) > most else []
    return "; ".join([*clauses[:most], *rest])
