"""``changes.json``: every figure of a comparison of two studies, unrounded. ``docs/report.md`` describes every key."""

from __future__ import annotations

from typing import Any

from detectattn.report.changes import SCHEMA, Changes
from detectattn.report.plain import render_plain, to_plain


def changes_to_json(changes: Changes) -> dict[str, Any]:
    """The content of ``changes.json``: plain values, keys in the documented order, nothing rounded, NaN as None."""
    own: dict[str, Any] = to_plain(changes)
    own["models"] = {model.pop("name"): model for model in own["models"]}
    return {"schema": SCHEMA, "kind": "changes", **own}


def render_changes_json(changes: Changes) -> str:
    """The text of ``changes.json``."""
    return render_plain(changes_to_json(changes))
