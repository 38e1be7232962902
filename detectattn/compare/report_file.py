"""``report.json`` of an earlier study, read as it lies: a figure may be missing, or of any type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detectattn.compare.gate_values import section
from detectattn.errors import ConfigError
from detectattn.report.content import SCHEMA


def load_report_json(path: Path, called: str, hint: str) -> Mapping[str, Any]:
    """The content of a study's ``report.json``.

    Args:
        path: The file.
        called: How messages call it.
        hint: What to name instead.

    Raises:
        ConfigError: It is missing, broken (the message names the line), of a later version, or no study.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{called} cannot be read: {error.strerror}", hint=hint) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(f"{called} is broken JSON at {where}: {error.msg}", hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{called} is no JSON in UTF-8", hint=hint) from error
    study: dict[str, Any] = content if isinstance(content, dict) else {}
    schema = study.get("schema")
    if not isinstance(schema, int) or study.get("kind", "study") != "study" or not section(study, "models"):
        raise ConfigError(f"{called} holds no study", hint=hint)
    if schema > SCHEMA:
        raise ConfigError(
            f"{called} was written by a later version (schema {schema}, this one reads {SCHEMA})",
            hint="Update detectattn, or measure that study again with this version",
        )
    return study
