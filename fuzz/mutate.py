"""Changing JSON by its structure: bytes that libFuzzer changes are seldom JSON any more."""

from __future__ import annotations

import json
import random
from typing import Any

from fuzz.target import SEPARATOR

_ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 1.5, -0.0, 1e-320, 1e38, 1e308, float("inf"), float("nan"), 2**31, 2**63,
    10**400, "", "a", "a.png", "car", "0", "-1", "\x00", "\n", "\x1b[31m", "<b>", "=1+1", "../../etc", "\ud800",
    "é" * 300, [], [[]], {}, {"": None}, [1], ["a"],
)  # fmt: skip


def mutate_json(content: bytes, seed: int, max_bytes: int) -> bytes | None:
    """An input with one to four values of its JSON changed; None where there is no JSON, or too much comes out.

    Args:
        content: An input of one file or several; a file may hold one value, or one a line.
        seed: Decides the changes.
        max_bytes: Longest result.
    """
    chance = random.Random(seed)
    parts = content.split(SEPARATOR)
    which = chance.randrange(len(parts))
    changed = _mutate_part(parts[which], chance)
    if changed is None:
        return None
    parts[which] = changed
    whole = SEPARATOR.join(parts)
    return whole if len(whole) <= max_bytes else None


def _mutate_part(part: bytes, chance: random.Random) -> bytes | None:
    value = _parse(part)
    if value is not None:
        return _to_bytes(_mutate(value, chance))
    lines = part.split(b"\n")
    which = chance.randrange(len(lines))
    value = _parse(lines[which])
    if value is None:
        return None
    lines[which] = _to_bytes(_mutate(value, chance))
    return b"\n".join(lines)


def _parse(text: bytes) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and value else None


def _to_bytes(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _mutate(value: Any, chance: random.Random) -> Any:
    for _ in range(chance.randint(1, 4)):
        places = list(_iter_places(value))
        if not places:
            break
        holder, key = chance.choice(places)
        _change(holder, key, places, chance)
    return value


def _iter_places(value: Any) -> Any:
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _iter_places(value[key])


def _change(holder: Any, key: Any, places: list[tuple[Any, Any]], chance: random.Random) -> None:
    kind = chance.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, json.loads(json.dumps(holder[key])))
    elif kind == 2:
        other, name = chance.choice(places)
        if name in other if isinstance(other, dict) else name < len(other):
            holder[key] = json.loads(json.dumps(other[name]))
    elif kind == 3 and isinstance(holder[key], int | float):
        holder[key] = chance.choice((-holder[key], holder[key] + 1, holder[key] * 1000, holder[key] // 3))
    else:
        odd = chance.choice(_ODD)
        holder[key] = json.loads(json.dumps(odd)) if isinstance(odd, list | dict) else odd
