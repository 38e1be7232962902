"""Keep the traceback of a bug for its report, out of the user's sight."""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path

from detectattn.machine import collect_versions


def write_bug_log(error: BaseException) -> Path | None:
    """Write the traceback and the versions to a file in the system's temporary folder; None if that fails."""
    lines = [f"command: {sys.argv}", *(f"{name}: {version}" for name, version in collect_versions().items()), ""]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="detectattn-bug-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write("\n".join(lines) + "\n")
            file.writelines(traceback.format_exception(error))
    except OSError:
        return None
    return Path(file.name)
