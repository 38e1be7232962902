"""One fuzzing session of one target, in a process of its own: libFuzzer ends the process that it runs in."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

from fuzz.mutate import mutate_json
from fuzz.replay import feed


def main() -> None:
    """Fuzz a target: its name, then libFuzzer's own arguments."""
    name, *arguments = sys.argv[1:]
    # The modules of a target are known once it is imported, and they have to be measured when they are imported.
    modules = _modules_of(name)
    with atheris.instrument_imports(include=list(modules)):
        from fuzz.targets import load_target

        target = load_target(name)
    # Memory where there is some: every input becomes files.
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="detectattn-fuzz-", dir=shm if shm.is_dir() else None)) / "input"
    mutator = {"custom_mutator": _mutate} if target.is_json else {}
    atheris.Setup([sys.argv[0], *arguments], lambda content: feed(target, content, folder), **mutator)
    atheris.Fuzz()


def _mutate(content: bytes, max_bytes: int, seed: int) -> bytes:
    """By structure three times of four."""
    changed = mutate_json(content, seed, max_bytes) if seed % 4 else None
    return atheris.Mutate(content, max_bytes) if changed is None else changed


def _modules_of(name: str) -> tuple[str, ...]:
    code = f"from fuzz.targets import load_target; print(*load_target({name!r}).modules)"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return tuple(listed.stdout.split())


if __name__ == "__main__":
    main()
