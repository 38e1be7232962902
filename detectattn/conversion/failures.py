"""Conversions that could not be made, so that a run that may do without one does not try it again.

CACHE/engines/<weights>/failed/<engine>-<precision>-<key>.json
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from detectattn import __version__
from detectattn.conversion.engine_cache import engines_dir
from detectattn.conversion.settings import SCHEMA, ConversionSettings, collect_conditions, compute_key
from detectattn.errors import (
    DetectattnError,
    DeviceNotFound,
    EngineError,
    MissingExtra,
    OutdatedPackage,
    OutOfMemory,
    OutputError,
)
from detectattn.sinks.files import replace_file

# What another day, or another package, may mend.
_PASSING = (MissingExtra, OutdatedPackage, DeviceNotFound, OutOfMemory)


@dataclass(frozen=True, slots=True)
class FailureNote:
    """Where it is noted that some weights cannot be converted: with these settings, these versions, on this processor.

    Attributes:
        path: The file, there or not.
    """

    path: Path

    def read(self) -> str | None:
        """Why the conversion failed, a clause; None where none did."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return str(content["reason"]) if content["schema"] == SCHEMA else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, error: DetectattnError) -> None:
        """Keep why it failed, if it would fail again; a cache that cannot be written costs another try."""
        if not isinstance(error, EngineError) or isinstance(error, _PASSING):
            return
        text = json.dumps({"schema": SCHEMA, "reason": error.problem}, ensure_ascii=False) + "\n"
        with suppress(OutputError):
            replace_file(self.path, text)

    def remove(self) -> None:
        """Forget it: the conversion was made after all."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def find_note(weights_sha256: str, wanted: ConversionSettings) -> FailureNote:
    """The note of one conversion. Another version of anything that has a say in it, or of this project, has another.

    Args:
        weights_sha256: Of the weights.
        wanted: What they would be converted to, not resolved.
    """
    conditions = {**collect_conditions(wanted), "detectattn": __version__}
    key = compute_key(weights_sha256, wanted, conditions)
    folder = engines_dir(weights_sha256) / "failed"
    return FailureNote(folder / f"{wanted.engine}-{wanted.precision}-{key[:16]}.json")
