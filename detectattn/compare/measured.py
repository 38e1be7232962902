"""What a study measured of one model, and the file that keeps it: ``measured/NAME.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from detectattn.compare.from_json import from_json, open_json
from detectattn.compare.messages import PeakMemory, StageTimes
from detectattn.compare.noise import MachineState
from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.record import ConversionRecord
from detectattn.types import ModelInfo

_SCHEMA = 1
Status = Literal["timed", "finished", "failed"]


@dataclass(frozen=True, slots=True)
class Timed:
    """What timing a model gave.

    Attributes:
        together: Names of the models that were timed in the same interleaved rounds, itself included: only their
            times can be paired.
        warm_up: Pictures it took to become steady, in all sittings.
        decode_ms: What decoding each picture of a turn took.
        rounds: Stages of each picture, a turn each.
        sittings: How many of the rounds each sitting had, in order; the model was loaded anew in each.
        images_per_s: Forward throughput by batch size.
        memory: Peak so far, before any batch larger than one.
        energy_j: Energy of each picture, or None where no meter can be read.
        meter: Which meter.
        before: The machine before the rounds, when nothing of the study ran.
        after: The machine after them.
    """

    together: tuple[str, ...]
    warm_up: int
    decode_ms: tuple[float, ...]
    rounds: tuple[StageTimes, ...]
    sittings: tuple[int, ...]
    images_per_s: Mapping[int, float]
    memory: PeakMemory
    energy_j: float | None
    meter: str | None
    before: MachineState
    after: MachineState

    @property
    def rounds_ms(self) -> tuple[tuple[float, ...], ...]:
        """From encoded bytes to boxes, of each picture of each round."""
        return tuple(
            tuple(decode + rest for decode, rest in zip(self.decode_ms, turn.total_ms, strict=True))
            for turn in self.rounds
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """One entrant of a study.

    Attributes:
        name: In the study.
        kind: ``model`` or ``predictions``.
        base: The model that it is a variant of; its own name otherwise.
        variant: What is changed in it.
        status: ``timed`` while its detections are not complete, ``finished``, ``failed``.
        file: Its weights or predictions.
        sha256: Of that file.
        class_names: Name by class index.
        error: Why it failed.
        info: None for predictions, and where it could not be loaded.
        load_s: From the start of its process to being ready, when it was first loaded.
        params_m: Millions of parameters.
        gflops: For one picture.
        weights_mb: On disk.
        net_pixels: Mean pixels of its input a picture, over the first pictures.
        published: Name in the registry, for models whose makers publish figures.
        max_det: Objects in one picture that it can find at most, where its own graph or its queries limit that.
        timed: None where it was not timed.
        notes: What a reader should know. Sentences without a final full stop.
        conversion: What was made of it by conversion and ran in its place; None where it ran as it is.
        scores_from: Least score that predictions were kept from, where the run that made them says.
    """

    name: str
    kind: Literal["model", "predictions"]
    base: str
    variant: Mapping[str, str | int]
    status: Status
    file: str
    sha256: str
    class_names: Mapping[int, str] = field(default_factory=dict)
    error: str | None = None
    info: ModelInfo | None = None
    load_s: float | None = None
    params_m: float | None = None
    gflops: float | None = None
    weights_mb: float | None = None
    net_pixels: float | None = None
    published: str | None = None
    max_det: int | None = None
    timed: Timed | None = None
    notes: tuple[str, ...] = ()
    conversion: ConversionRecord | None = None
    scores_from: float | None = None

    @property
    def gate(self) -> GateFigures | None:
        """What the parity gate measured of the conversion; None where it ran as it is."""
        return None if self.conversion is None else from_json(GateFigures, self.conversion.gate, "conversion.gate")


def measured_to_json(measured: Measured) -> str:
    """The text of ``measured/NAME.json``."""
    return json.dumps({"schema": _SCHEMA, **asdict(measured)}, ensure_ascii=False, indent=1) + "\n"


def load_measured(path: Path) -> Measured:
    """What a file holds.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is damaged.
    """
    with open_json(path, "Measure that model anew") as record:
        timed = record.get("timed")
        if isinstance(timed, dict) and not timed.get("sittings"):
            timed["sittings"] = [len(timed["rounds"])]
        measured = from_json(Measured, record)
        if measured.timed is not None:
            _check(measured.timed)
        _ = measured.gate  # raises where it is none
        return measured


def _check(timed: Timed) -> None:
    """Raise unless the rounds are of the same pictures, and the sittings are made of them."""
    pictures = len(timed.decode_ms)
    for number, turn in enumerate(timed.rounds):
        if {len(turn.preprocess_ms), len(turn.forward_ms), len(turn.postprocess_ms)} != {pictures}:
            raise ValueError(f"timed.rounds[{number}] is not of {pictures} pictures, as timed.decode_ms is")
    if not pictures or sum(timed.sittings) != len(timed.rounds) or min(timed.sittings, default=0) < 1:
        raise ValueError(f"timed.sittings do not add up to the {len(timed.rounds)} rounds")
    if min((min(turn) for turn in timed.rounds_ms), default=0.0) <= 0:
        raise ValueError("timed.rounds has a time that is not above 0")
