"""INT8 for OpenVINO: everything is rounded, and what that costs too much stays in float.

    quantise all → gate → measure each group of layers left in float → quantise without the dearest → gate

Which groups those are is measured on the model and the pictures at hand, never assumed.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.gate_limits import judge_gate
from detectattn.conversion.metadata import METADATA_FILE
from detectattn.conversion.quantise_groups import LayerGroup, find_groups
from detectattn.conversion.quantise_nncf import quantise_model, require_nncf, write_quantised
from detectattn.conversion.quantise_probe import Probe
from detectattn.conversion.quantise_search import PRECISION, FloatSearch, GroupGain
from detectattn.engines.base import EngineOptions
from detectattn.engines.openvino import OpenVinoEngine
from detectattn.engines.openvino_runtime import fix_shape, import_openvino
from detectattn.errors import EngineError
from detectattn.types import F32, Family, WeightsFile

DEFAULT_BUDGET_S = 900.0
# Of quantising anew with more in float, which takes minutes for a large model.
_ROUNDS = 3

OnStep = Callable[[str], None]
Gate = Callable[[Path], GateFigures]


@dataclass(frozen=True, slots=True)
class QuantiseReport:
    """What became of a model.

    Attributes:
        xml: The INT8 model.
        input_count: Pictures that it was calibrated on.
        float_groups: Groups of layers left in float, those that gained most for their work first.
        float_work: Their share of the network's multiplications.
        gains: Every group that was measured, those that gain most for their work first; empty where none had to be.
        figures: Of the gate, or without one of the model's own outputs against the float model's.
        violations: What keeps it from passing, empty where it passes.
        seconds: What it took.
    """

    xml: Path
    input_count: int
    float_groups: tuple[str, ...]
    float_work: float
    gains: tuple[GroupGain, ...]
    figures: GateFigures
    violations: tuple[str, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"xml": self.xml.name, "figures": self.figures.to_dict()}


def quantise_openvino(
    xml: Path,
    out_folder: Path,
    inputs: Iterable[F32],
    *,
    family: Family,
    on_step: OnStep | None = None,
    gate: Gate | None = None,
    budget_s: float = DEFAULT_BUDGET_S,
) -> QuantiseReport:
    """Write an INT8 form of an OpenVINO model, as much of it rounded as passes the parity gate.

    Args:
        xml: The float model, with its ``.bin`` and ``metadata.yaml`` beside it. It takes one picture at a time, of one
            size or of any.
        out_folder: Where the model goes, under the same names; made if it is not there, and not the float model's own.
        inputs: f32[1, 3, h, w] each, of the user's pictures (:func:`~detectattn.conversion.calibration.iter_inputs`);
            all are held in memory.
        family: As in :class:`~detectattn.types.ModelInfo`; a transformer is treated as one.
        on_step: Called with what is being done, now and then.
        gate: Measures the model in a folder, as :func:`~detectattn.conversion.gate.run_gate` does against the original:
            with ground truth, accuracy has its say in what stays in float. Without it the model is judged by the float
            model's detections on the calibration inputs.
        budget_s: No further layers are tried after this many seconds. What is begun is finished.

    Returns:
        What was done. A model that does not pass is written all the same: whether to refuse it is the caller's to say.

    Raises:
        MissingExtra: NNCF or OpenVINO is not installed.
        EngineError: The model cannot be quantised, or takes any number of pictures.
        CorruptWeights: Its metadata is missing or damaged.
        ValueError: There are no inputs, or ``out_folder`` is the model's own.
    """
    require_nncf()
    tensors = list(inputs)
    if not tensors:
        raise ValueError("INT8 needs pictures to calibrate on, and there are none")
    if out_folder.resolve() == xml.parent.resolve():
        raise ValueError(f"{out_folder} holds the float model")
    model = import_openvino().Core().read_model(xml)
    if model.input(0).partial_shape[0].is_dynamic:
        raise EngineError(
            f"{xml} takes any number of pictures, which INT8 cannot", hint="Convert the model for one at a time first"
        )
    engine = OpenVinoEngine(WeightsFile(xml, "", "openvino", "local"), EngineOptions(device="cpu"))
    try:
        probe = Probe(engine, tensors)
        groups = find_groups(fix_shape(model, (1, 3, *engine.spec.net_hw)))
    finally:
        engine.close()
    return _Work(xml, out_folder, tensors, family, model, groups, probe, on_step or _ignore, gate).run(budget_s)


@dataclass(slots=True)
class _Work:
    xml: Path
    out_folder: Path
    tensors: Sequence[F32]
    family: Family
    model: Any
    groups: Sequence[LayerGroup]
    probe: Probe
    on_step: OnStep
    gate: Gate | None

    def run(self, budget_s: float) -> QuantiseReport:
        """Quantise everything, and if that is not good enough, less and less of it."""
        started = time.monotonic()
        quantised, figures = self._build(())
        kept: tuple[LayerGroup, ...] = ()
        gains: tuple[GroupGain, ...] = ()
        if judge_gate(figures, PRECISION):
            search = FloatSearch(quantised, self.groups, self.probe, self.on_step, started + budget_s)
            for kept in islice(search.iter_choices(), _ROUNDS):
                _, figures = self._build(kept)
                if not judge_gate(figures, PRECISION):
                    break
            gains = search.gains
        return QuantiseReport(
            xml=self.out_folder / self.xml.name,
            input_count=len(self.tensors),
            float_groups=tuple(group.name for group in kept),
            float_work=sum(group.work for group in kept),
            gains=gains,
            figures=figures,
            violations=judge_gate(figures, PRECISION),
            seconds=time.monotonic() - started,
        )

    def _build(self, kept: Sequence[LayerGroup]) -> tuple[Any, GateFigures]:
        """Quantise, write and measure."""
        rest = f", with {', '.join(group.name for group in kept)} in float" if kept else ""
        self.on_step(f"quantising on {len(self.tensors)} picture{'s' * (len(self.tensors) > 1)}{rest}")
        names = [name for group in kept for name in group.operations]
        quantised = quantise_model(self.model, self.tensors, self.family, names)
        self._write(quantised)
        self.on_step("comparing the INT8 model with the float one")
        return quantised, self.probe.measure(quantised) if self.gate is None else self.gate(self.out_folder)

    def _write(self, quantised: Any) -> None:
        self.out_folder.mkdir(parents=True, exist_ok=True)
        write_quantised(quantised, self.out_folder / self.xml.name)
        shutil.copyfile(self.xml.parent / METADATA_FILE, self.out_folder / METADATA_FILE)


def _ignore(_: str) -> None:
    """Nobody wants to know."""
