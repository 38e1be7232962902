"""Whether figures of two studies can be set against each other: clauses that say why not, without a full stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detectattn.compare.gate_values import section, to_list

# Medians of equal runs on one machine differ by a few percent, however quiet it is.
MAX_SLOWER = 0.05
MAX_MORE_MEMORY = 0.10


def find_other_conditions(
    before: Mapping[str, Any], after: Mapping[str, Any], then: Mapping[str, Any], now: Mapping[str, Any]
) -> str | None:
    """Why a model's times of two studies cannot be compared: another machine, another engine, other pictures.

    Args:
        before: The content of the first ``report.json``.
        after: That of the second.
        then: What the first says of the model.
        now: What the second says.
    """
    return find_other_machine(before, after) or find_other_run(then, now) or find_other_pictures(before, after)


def find_other_machine(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Whether the studies ran on different machines."""
    then, now = section(before, "machine"), section(after, "machine")
    if not then.get("cpu") or not now.get("cpu"):
        return "which processor it ran on is unknown"
    for key, what in (("cpu", ""), ("logical_cores", " cores"), ("usable_cores", " usable cores")):
        if then.get(key) != now.get(key):
            return f"another machine ({then.get(key)}{what} then, {now.get(key)}{what} now)"
    return None


def find_other_run(then: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Whether a model ran otherwise: engine, device, precision, input size."""
    for key, what in (("engine", "engine"), ("device", "device"), ("precision", "precision"), ("net_hw", "input size")):
        if then.get(key) != now.get(key):
            return f"another {what} ({_say(then.get(key))} then, {_say(now.get(key))} now)"
    return None


def find_other_pictures(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Whether the pictures are of another size: decoding counts, so they take another time."""
    then, now = (section(r, "conditions").get("median_size_hw") for r in (before, after))
    return None if then == now else f"pictures of another size ({_say(then)} then, {_say(now)} now)"


def find_noise(speed: Mapping[str, Any], whose: str) -> str | None:
    """Whether timings should not be trusted.

    Args:
        speed: What a report says of a model's times.
        whose: How they are called: ``its timings``.
    """
    noise = section(speed, "noise")
    if noise.get("trusted") is True:
        return None
    reasons = "; ".join(str(reason) for reason in to_list(noise.get("reasons")))
    return f"{whose} are not to be trusted{f' ({reasons})' if reasons else ''}"


def _say(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "×".join(str(part) for part in reversed(value))
    return "unknown" if value is None else str(value)
