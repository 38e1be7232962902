"""What the ``run.json`` of a run says before it has begun."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from detectattn.config import ExplainConfig, PredictConfig
from detectattn.fetch import redact_url
from detectattn.machine import collect_machine, collect_versions
from detectattn.types import RunManifest


def describe_run(
    config: PredictConfig | ExplainConfig, sources: Sequence[str], models: Sequence[dict[str, Any]]
) -> RunManifest:
    """What was typed, what it runs on, and what was opened for it; secrets in URLs are left out.

    Args:
        config: The options that apply.
        sources: As typed.
        models: What is kept of each.
    """
    model = config.model
    redacted = redact_url(model) if isinstance(model, str) else tuple(redact_url(text) for text in model)
    return RunManifest(
        command=[redact_url(word) for word in sys.argv],
        config={"sources": [redact_url(text) for text in sources], **asdict(config), "model": redacted},
        models=list(models),
        versions=collect_versions(),
        machine=collect_machine(),
        working_directory=find_working_directory(),
    )


def find_working_directory() -> str:
    """The current working directory, or nothing where it was removed."""
    with suppress(OSError):
        return os.getcwd()  # noqa: PTH109 - as text, which may be no UTF-8
    return ""
