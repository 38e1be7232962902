"""The models that can be named: published figures, checksums and addresses, from ``models.csv`` beside this file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import cast

from detectattn.errors import UnknownModel
from detectattn.types import Family
from detectattn.weights.cache import weights_dir

WEIGHTS_LICENSE = "AGPL-3.0"
OFFICIAL_BASE = "https://github.com/ultralytics/assets/releases/download"
BASE_VARIABLE = "DETECTATTN_WEIGHTS_URL"


@dataclass(frozen=True, slots=True)
class RegistryModel:
    """A model whose weights are published.

    Attributes:
        name: ``rtdetr-l``, ``yolo11n``, ….
        family: As in :class:`~detectattn.types.ModelInfo`.
        params_m: Parameters in millions.
        gflops: Floating-point operations for one picture at 640×640, in billions.
        ap50_95: Published COCO AP in percent.
        ap50_95_end2end: The same of the default head without NMS, where it differs.
        t4_ms: Published time on a T4 with TensorRT in half precision, in milliseconds.
        cpu_ms: Published time on a CPU with ONNX Runtime, in milliseconds.
        size_bytes: Size of the file, where it is known.
        sha256: Of the file, where it is known.
        release: The release that holds the file.
        source: Where the published figures are from.
    """

    name: str
    family: Family
    params_m: float
    gflops: float
    ap50_95: float
    ap50_95_end2end: float | None
    t4_ms: float | None
    cpu_ms: float | None
    size_bytes: int | None
    sha256: str | None
    release: str
    source: str

    @property
    def file_name(self) -> str:
        """The name of the weights file."""
        return f"{self.name}.pt"

    @property
    def url(self) -> str:
        """Where the file is downloaded from.

        ``DETECTATTN_WEIGHTS_URL`` names a mirror of the official address, laid out alike (``BASE/RELEASE/FILE``); the
        checksums apply to it all the same.
        """
        base = os.environ.get(BASE_VARIABLE) or OFFICIAL_BASE
        return f"{base.rstrip('/')}/{self.release}/{self.file_name}"

    @property
    def cached_path(self) -> Path:
        """Where the file lies once it is downloaded; a file that is put there by hand is used."""
        return weights_dir() / self.file_name


@cache
def load_registry() -> Mapping[str, RegistryModel]:
    """All registry models by name, smallest of each family first."""
    with Path(__file__).with_name("models.csv").open(encoding="utf-8", newline="") as stream:
        models = [_parse_row(row) for row in csv.DictReader(stream)]
    return MappingProxyType({model.name: model for model in models})


def find_model(name: str) -> RegistryModel | None:
    """The registry model of this name, in any case, with or without ``.pt``."""
    return load_registry().get(name.lower().removesuffix(".pt"))


def find_nearest(name: str, others: Iterable[str] = ()) -> list[str]:
    """Up to three names, of the registry or of ``others``, that look like ``name``, best first."""
    return get_close_matches(name.lower().removesuffix(".pt"), [*load_registry(), *others], n=3, cutoff=0.5)


def require_model(name: str) -> RegistryModel:
    """The registry model of this name.

    Raises:
        UnknownModel: There is none; the nearest names are suggested.
    """
    model = find_model(name)
    if model is None:
        raise UnknownModel(f"There is no registry model {name!r}", hint=suggest_names(name))
    return model


def suggest_names(name: str, others: Iterable[str] = ()) -> str:
    """What to try in place of a name that is unknown, as a sentence without its full stop.

    Args:
        name: What was typed.
        others: Names outside the registry that may have been meant.
    """
    near = find_nearest(name, others)
    see = "ee `detectattn models list`"
    return f"Did you mean {' or '.join(near)}? Otherwise s{see}" if near else f"S{see}"


def _parse_row(row: Mapping[str, str]) -> RegistryModel:
    return RegistryModel(
        name=row["name"],
        family=cast("Family", row["family"]),
        params_m=float(row["params_m"]),
        gflops=float(row["gflops"]),
        ap50_95=float(row["ap50_95"]),
        ap50_95_end2end=_parse_float(row["ap50_95_end2end"]),
        t4_ms=_parse_float(row["t4_ms"]),
        cpu_ms=_parse_float(row["cpu_ms"]),
        size_bytes=int(row["size_bytes"]) if row["size_bytes"] else None,
        sha256=row["sha256"] or None,
        release=row["release"],
        source=row["source"],
    )


def _parse_float(text: str) -> float | None:
    return float(text) if text else None
