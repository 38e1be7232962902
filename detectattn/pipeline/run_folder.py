"""The folder that a run writes: never one that exists."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from detectattn.errors import OutputExists
from detectattn.records import manifest_to_json
from detectattn.sinks.files import output_errors, replace_file
from detectattn.types import RunManifest


def require_new_folder(out: Path | None) -> None:
    """Refuse a folder that exists, before any work is done for it.

    Raises:
        OutputExists: ``out`` is there already.
    """
    if out is not None and os.path.lexists(out):
        raise OutputExists(
            f"{out} is there already, and a run never writes into a folder that exists",
            hint="Name another with -o, or leave -o out for the next free number",
        )


def create_run_folder(out: Path | None, command: str, base: Path = Path("runs")) -> Path:
    """Make the folder of a new run.

    Args:
        out: Its path, or None for the next free ``runs/COMMAND-001``.
        command: The command's name.
        base: Where numbered folders go.

    Raises:
        OutputExists: ``out`` is there already.
        DiskFull: It cannot be made for lack of space or permission.
    """
    require_new_folder(out)
    if out is not None:
        with output_errors(out):
            out.mkdir(parents=True)
        return out
    with output_errors(base):
        base.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(_last_number(base, command) + 1):
            folder = base / f"{command}-{number:03d}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue  # taken by another process meanwhile
            return folder
    raise AssertionError("unreachable: the numbers do not end")


def _last_number(base: Path, command: str) -> int:
    suffixes = (p.name.removeprefix(f"{command}-") for p in base.iterdir() if p.name.startswith(f"{command}-"))
    return max((int(s) for s in suffixes if s.isascii() and s.isdigit()), default=0)


def write_manifest(folder: Path, manifest: RunManifest) -> None:
    """Write ``run.json``, in place of an earlier state of the same run; the file is whole at any time."""
    replace_file(folder / "run.json", manifest_to_json(manifest))
