"""The model's files: into the run's store once, from there onto each machine once, and checked wherever they are read.

They stay with the run, so that a resume runs the very model that the run began with, wherever it goes on.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from detectattn.distributed.layout import MODEL_FOLDER
from detectattn.distributed.settings import ModelPackage
from detectattn.errors import ChecksumMismatch
from detectattn.fetch import compute_sha256
from detectattn.sinks.files import output_errors
from detectattn.storage.base import Store
from detectattn.types import WeightsFile
from detectattn.weights.cache import cache_dir
from detectattn.weights.onnx_data import iter_locations

_LOCK_FILE = ".lock"


def put_model(weights: WeightsFile, store: Store) -> ModelPackage:
    """Put a model's files into a run's store.

    Raises:
        OutputError: The store cannot be written.
    """
    paths = _list_files(weights.path)
    files = {name: compute_sha256(path) for name, path in sorted(paths.items())}
    package = ModelPackage(
        weights.format, "" if weights.path.is_dir() else weights.path.name, files, _compute_digest(files)
    )
    for name, path in paths.items():
        store.put(_to_object(package, name), path)
    return package


def place_model(package: ModelPackage, store: Store) -> WeightsFile:
    """A model on this machine: fetched from the store by one process, checked by all.

    Raises:
        ChecksumMismatch: The store holds other bytes than were put there.
        FetchError: The store cannot be read.
        OutputError: The cache cannot be written.
    """
    from filelock import FileLock

    base = cache_dir() / "placed"
    folder = base / package.sha256
    with output_errors(base):
        base.mkdir(parents=True, exist_ok=True)
    with output_errors(base), FileLock(base / _LOCK_FILE):
        if _find_difference(folder, package) is not None:
            draft = base / f".placing-{uuid.uuid4().hex}"
            try:
                _fetch(package, store, draft)
                shutil.rmtree(folder, ignore_errors=True)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    path = folder / package.main if package.main else folder
    return WeightsFile(path, package.sha256, package.format, "converted")


def _fetch(package: ModelPackage, store: Store, folder: Path) -> None:
    for name in package.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(_to_object(package, name)))
    other = _find_difference(folder, package)
    if other is not None:
        raise ChecksumMismatch(
            f"{store.describe(_to_object(package, other))} is not the file that the run put there",
            hint="Something else wrote into the folder of the run; begin a new one",
        )


def _find_difference(folder: Path, package: ModelPackage) -> str | None:
    """A file that is not as it should be; None where all are."""
    for name, sha256 in package.files.items():
        path = folder / name
        if not path.is_file() or compute_sha256(path) != sha256:
            return name
    return None


def _to_object(package: ModelPackage, name: str) -> str:
    return f"{MODEL_FOLDER}/{package.sha256[:16]}/{name}"


def _list_files(path: Path) -> dict[str, Path]:
    """The files that an engine opens for a model, by name."""
    if path.is_dir():
        return {file.name: file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")}
    beside = []
    if path.suffix.lower() == ".xml":
        beside = [path.with_suffix(".bin"), path.parent / "metadata.yaml"]
    elif path.suffix.lower() == ".onnx":
        beside = [path.parent / location.replace("\\", "/") for location in dict.fromkeys(iter_locations(path))]
    return {file.relative_to(path.parent).as_posix(): file for file in (path, *beside) if file.is_file()}


def _compute_digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{name} {sha256}\n" for name, sha256 in files.items()).encode()).hexdigest()
