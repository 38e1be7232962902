"""The folder that a run writes: by one process at a time, and never one that exists, but to go on with its own run."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from detectattn.errors import NewerSchema, OutputExists, RunInUse, SourceError, UnreadableRecord
from detectattn.pipeline.checkpoint import STATE_FILE
from detectattn.records import manifest_from_json, manifest_to_json, read_manifest_bytes
from detectattn.sinks.files import output_errors, replace_file
from detectattn.types import RunManifest

_LOCK_FILE = ".detectattn.lock"
_OURS = ".detectattn"
# As sinks name what they have not finished: nothing else of that beginning is ours, an input's name may have it too.
_DRAFT = re.compile(r"\.detectattn-[0-9a-f]{32}\.parts?(\..*)?", re.DOTALL)


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


def read_manifest(folder: Path) -> RunManifest | None:
    """What ``run.json`` says; None where there is none, since the run never began.

    Raises:
        NewerSchema: A later version wrote it.
        UnreadableRecord: It is damaged, or larger than a run leaves it.
        SourceError: It cannot be read.
    """
    path = folder / "run.json"
    try:
        text = read_manifest_bytes(path).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read ({error})", hint="Check its permissions") from error
    try:
        return manifest_from_json(text)
    except NewerSchema as error:
        raise NewerSchema(f"{path}: {error.problem}", hint=error.hint) from error
    except UnreadableRecord as error:
        raise UnreadableRecord(f"{path}: {error.problem}", hint="Put it back as it was, or begin a new run") from error


def require_unbegun(folder: Path) -> None:
    """Refuse to begin a run in a folder that holds anything but what a run leaves that was killed as it began.

    Raises:
        OutputExists: It holds something else.
    """
    with output_errors(folder):
        others = [entry.name for entry in folder.iterdir() if not entry.name.startswith(_OURS)]
    if others:
        raise OutputExists(
            f"{folder} is no unfinished run: it has no run.json, and holds {min(others)}",
            hint="Name the folder of a run, or one that is not there yet",
        )


@contextmanager
def lock_run_folder(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run folder while the block goes on; the system lets go of it if this one is killed.

    A finished run leaves no trace of that.

    Raises:
        RunInUse: Another process writes it.
        DiskFull, WriteFailed: The lock cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / _LOCK_FILE)
    with output_errors(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:  # an OSError too
            raise RunInUse(
                f"{folder} is being written by another process", hint="Wait for it to end, or stop it first"
            ) from error
    try:
        yield
    finally:
        # Whoever opened the file before it goes finds the run finished, and does nothing; so two cannot write at once.
        is_finished = _is_finished(folder)
        if is_finished:
            _remove(folder / STATE_FILE)
        if is_finished and os.name != "nt":
            _remove(folder / _LOCK_FILE)
        lock.release()
        if is_finished and os.name == "nt":  # an open file cannot be removed there
            _remove(folder / _LOCK_FILE)


def remove_drafts(folder: Path) -> None:
    """Remove the hidden files that a killed process was writing. The folder's lock must be held."""
    for draft in list(folder.rglob(f"{_OURS}-*.part*")):
        if not _DRAFT.fullmatch(draft.name):
            continue
        if draft.is_dir() and not draft.is_symlink():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            _remove(draft)


def _is_finished(folder: Path) -> bool:
    with suppress(SourceError):
        manifest = read_manifest(folder)
        return manifest is not None and manifest.status == "finished"
    return False


def _remove(path: Path) -> None:
    # A hidden file left behind harms nobody.
    with suppress(OSError):
        path.unlink(missing_ok=True)
