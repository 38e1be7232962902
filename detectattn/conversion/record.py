"""What is known of a converted model, in ``conversion.json`` beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detectattn.conversion.settings import SCHEMA, ConversionSettings
from detectattn.engines import CONVERSION_RECORD
from detectattn.fetch import compute_sha256
from detectattn.types import WeightsFile

RECORD_FILE = CONVERSION_RECORD


@dataclass(frozen=True, slots=True)
class ConversionRecord:
    """One conversion: from what, to what, and how true it is.

    Attributes:
        name: The model's name.
        weights_sha256: Of the weights it was made from.
        settings: Resolved.
        own_hw: The size the model was made for.
        conditions: Versions, processor and GPU, from :func:`~detectattn.conversion.settings.collect_conditions`.
        model_file: The ``.xml`` or ``.onnx``; empty where a refused conversion left none.
        files: SHA-256 by name, of every file that belongs to the model.
        size_bytes: Of these files together.
        convert_s: How long the conversion took, in seconds, without the gate.
        gate_s: How long the gate took.
        gate: Figures of the parity gate, as :class:`~detectattn.conversion.gate_figures.GateFigures` has them.
        pictures: What the gate looked at, in words.
        refused: Why it did not pass, a sentence each; empty where it passed.
        params_m: Millions of parameters of the model that it was made from.
        gflops: Billions of operations of that model for one picture of ``settings.net_hw``.
        calibration: Of INT8: ``pictures`` (in words), ``digest``, and what the quantiser reports; else empty.
        unjudged: Of an export that runs otherwise than the gate saw it, on another engine or device or in another
            precision: how, a sentence; the gate's figures do not speak of that. None where it runs as it was judged.
    """

    name: str
    weights_sha256: str
    settings: ConversionSettings
    own_hw: tuple[int, int]
    conditions: Mapping[str, str]
    model_file: str
    files: Mapping[str, str]
    size_bytes: int
    convert_s: float
    gate_s: float
    gate: Mapping[str, Any]
    pictures: str
    refused: tuple[str, ...] = ()
    params_m: float | None = None
    gflops: float | None = None
    calibration: Mapping[str, Any] | None = None
    unjudged: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the parity gate let it pass, in the form in which it runs."""
        return not self.refused and self.unjudged is None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: what ``conversion.json`` and, under ``models[0].conversion``, ``run.json`` hold."""
        return {"schema": SCHEMA, **asdict(self), "passed": self.passed}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ConversionRecord:
        """The inverse of :meth:`to_dict`.

        Raises:
            KeyError, TypeError, ValueError: It is no record, or one of another schema.
        """
        if fields["schema"] != SCHEMA:
            raise ValueError(f"schema {fields['schema']!r}")
        own = {key: value for key, value in fields.items() if key not in ("schema", "passed")}
        own["settings"] = ConversionSettings.from_dict(own["settings"])
        own["own_hw"] = (int(own["own_hw"][0]), int(own["own_hw"][1]))
        own["refused"] = tuple(own["refused"])
        return cls(**own)

    def to_weights(self, folder: Path) -> WeightsFile:
        """The model as an engine opens it."""
        if self.settings.engine == "openvino":
            return WeightsFile(folder, self.compute_digest(), "openvino", "converted")
        return WeightsFile(folder / self.model_file, self.compute_digest(), "onnx", "converted")

    def compute_digest(self) -> str:
        """One SHA-256 for all files: the graph alone is the same for every model of an architecture."""
        lines = "".join(f"{name} {sha256}\n" for name, sha256 in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def write_record(folder: Path, record: ConversionRecord) -> None:
    """Write ``conversion.json``; last of all files, since a folder without it is no conversion."""
    text = json.dumps(record.to_dict(), indent=2, ensure_ascii=False) + "\n"
    (folder / RECORD_FILE).write_text(text, encoding="utf-8")


def load_record(folder: Path) -> ConversionRecord | None:
    """The record of a folder; None where there is none that can be read."""
    try:
        return ConversionRecord.from_dict(json.loads((folder / RECORD_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hash_files(folder: Path) -> tuple[dict[str, str], int]:
    """SHA-256 by name, and bytes in all, of the files in a folder except the record."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != RECORD_FILE]
    return {path.name: compute_sha256(path) for path in files}, sum(path.stat().st_size for path in files)


def find_damage(folder: Path, record: ConversionRecord) -> str | None:
    """What is wrong with a conversion's files, in words; None where every byte is as it was written."""
    for name, sha256 in record.files.items():
        path = folder / name
        try:
            if compute_sha256(path) != sha256:
                return f"{name} has changed since it was written"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror or error})"
    return None
