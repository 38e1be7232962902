"""``make lock``: pin and hash everything that ``make install`` installs, for every platform and Python at once.

uv resolves pyproject.toml once, and the result is written as one file for each part that is installed by itself. A
machine takes torch from where its pip is set to look, so torch's hashes are those of PyPI's builds, and those of
PyTorch's CPU builds, which PyPI does not have (``torch-cpu.sha256``).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"

# Those that `make install` has always brought: tests run every engine and every format.
EXTRAS = ("openvino", "onnx", "int8", "parquet", "cluster")
GROUPS = ("dev", "fuzz")

HEADERS = {
    "pip.txt": "pip, which installs the rest.",
    "dev.txt": "Everything that make install installs beside pip and torch.",
    "fuzz.txt": "What fuzzing needs beside dev.txt; there are no builds of it for some machines.",
    "torch.txt": "torch: PyPI's builds, and PyTorch's CPU builds as torch-cpu.sha256 has them.",
    "cuda.txt": "What torch's CUDA build brings; a CPU build does without.",
}
MADE_BY = "# Made by `make lock` from pyproject.toml, constraints.txt and requirements/: do not edit.\n"

# nvidia-ml-py reads a GPU's power and memory; Ultralytics wants it everywhere.
_CUDA = re.compile(r"triton|cuda-.+|nvidia-(?!ml-py$).+")
_OWN = {"pip": "pip.txt", "torch": "torch.txt", "atheris": "fuzz.txt"}


def resolve(*, upgrade: bool) -> str:
    """What uv makes of pyproject.toml, as one requirements file; pins that still fit are kept unless ``upgrade``."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "all.txt"
        earlier = (REQUIREMENTS / name for name in HEADERS)
        out.write_text("".join(file.read_text() for file in earlier if file.is_file()))
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--no-config", "--no-header"]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--only-binary", ":all:"]
        command += [word for name in GROUPS for word in ("--group", name)]
        command += [word for name in EXTRAS for word in ("--extra", name)]
        command += ["--constraints", "constraints.txt", "--cache-dir", str(Path(sys.prefix) / "cache" / "uv")]
        command += ["--output-file", str(out), *(["--upgrade"] if upgrade else [])]
        command += ["pyproject.toml", "requirements/tools.in"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
        return out.read_text()


def split_entries(text: str) -> dict[str, list[str]]:
    """Entries of a requirements file, each whole, by the lock file that they belong to."""
    parts: dict[str, list[str]] = {name: [] for name in HEADERS}
    for entry in re.findall(r"^[A-Za-z0-9].*\n(?:[ \t].*\n)*", text, flags=re.MULTILINE):
        name = entry.split("==")[0]
        parts[_OWN.get(name, "cuda.txt" if _CUDA.fullmatch(name) else "dev.txt")].append(entry)
    return parts


def list_cpu_hashes(version: str, sums: Iterable[str]) -> list[str]:
    """Of lines as sha256sum writes them, the digests of that version's CPU builds."""
    pairs = (line.split() for line in sums if line.strip())
    return [digest for digest, name in pairs if name.startswith(f"torch-{version}+cpu-")]


def add_hashes(entry: str, digests: Iterable[str]) -> str:
    """The entry with more hashes allowed, before those that it has."""
    head, rest = entry.split("\n", 1)
    new = [f"    --hash=sha256:{digest} \\\n" for digest in digests if digest not in entry]
    return f"{head}\n{''.join(new)}{rest}"


def main() -> None:
    """Resolve, and write the lock files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parts = split_entries(resolve(upgrade=parser.parse_args().upgrade))
    [torch] = parts["torch.txt"]
    version = re.split(r"[ \\;]", torch.removeprefix("torch=="))[0]
    digests = list_cpu_hashes(version, (REQUIREMENTS / "torch-cpu.sha256").read_text().splitlines())
    if not digests:
        print(f"requirements/torch-cpu.sha256 knows no CPU build of torch {version}: add those that PyTorch lists")
    parts["torch.txt"] = [add_hashes(torch, digests)]
    for name, entries in parts.items():
        (REQUIREMENTS / name).write_text(f"# {HEADERS[name]}\n{MADE_BY}{''.join(entries)}")
        print(f"requirements/{name}: {len(entries)} packages")


if __name__ == "__main__":
    main()
