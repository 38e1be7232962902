"""The parity gate: a converted model beside the model it was made from, on the same real pictures.

    run_gate(reference, candidate, pictures) → GateFigures → judge_gate(figures, "int8") → what is wrong, if anything

Both models get the very same input, fitted as the converted one wants it, so that what is measured is the conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detectattn.conversion.gate_figures import AccuracyFigures, GateFigures, RawFigures
from detectattn.conversion.gate_limits import MIN_PAIRS, compute_burden, describe_figures, judge_gate
from detectattn.conversion.gate_pairs import PairTally
from detectattn.conversion.gate_raw import Outputs, RawRows, compare_raw, read_rows
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.evaluation.coco_metrics import compute_accuracy
from detectattn.evaluation.truth import FrameKey, GroundTruth
from detectattn.pipeline.in_time import infer_in_time
from detectattn.types import F32, U8, Prediction, Resize

__all__ = ["GateFigures", "GateTruth", "compute_burden", "describe_figures", "judge_gate", "run_gate"]

OPERATING_CONF = 0.25
RAW_PICTURES = 4
"""Pictures whose raw outputs are kept in case too little is found."""
_NOISE = 1e-6
# COCO's protocol: every detection counts, a box may carry several classes.
_FOR_ACCURACY = Thresholds(conf=0.001, multi_label=True)


@dataclass(frozen=True, slots=True, eq=False)
class GateTruth:
    """What is in the pictures that a gate is run on.

    Attributes:
        truth: May speak of more pictures than these.
        keys: The key in ``truth`` of each picture, in order; pictures that it does not speak of count for everything
            but AP.
    """

    truth: GroundTruth
    keys: Sequence[FrameKey]


def run_gate(
    reference: Detector,
    candidate: Detector,
    pictures: Iterable[U8],
    *,
    truth: GateTruth | None = None,
    conf: float = OPERATING_CONF,
    on_picture: Callable[[int], None] | None = None,
) -> GateFigures:
    """Measure how far a converted model is from the model it was made from.

    Args:
        reference: The original, in FP32; it must take inputs of the candidate's size.
        candidate: The converted model, of the same classes.
        pictures: u8[H, W, 3], BGR, upright; read once, one at a time.
        truth: What is in them, where that is known.
        conf: Threshold above which detections count.
        on_picture: Called with the number of pictures done.

    Raises:
        OutOfMemory: The device's memory does not suffice for either.
        EngineError: One of them hangs.
        ValueError: ``truth`` has another number of keys than there are pictures.
    """
    run = _GateRun(reference, candidate, conf, truth)
    for number, bgr in enumerate(pictures, 1):
        run.add(bgr)
        if on_picture is not None:
            on_picture(number)
    return run.finish()


@dataclass(slots=True)
class _GateRun:
    reference: Detector
    candidate: Detector
    conf: float
    truth: GateTruth | None
    tally: PairTally = field(init=False)
    done: int = 0
    raw: list[tuple[F32, Outputs, Outputs]] = field(default_factory=list)
    records: tuple[list[Prediction], list[Prediction]] = field(default_factory=lambda: ([], []))

    def __post_init__(self) -> None:
        self.tally = PairTally(self.conf)

    def add(self, bgr: U8) -> None:
        """Run both models on one picture."""
        planes, resize = self.candidate.fit(bgr)
        outputs = _infer(self.reference, planes), _infer(self.candidate, planes)
        keep = Thresholds(conf=self.tally.partner_conf, max_det=self.tally.max_det)
        found = [
            detector.decode(raw, (resize,), keep)[0]
            for detector, raw in zip((self.reference, self.candidate), outputs, strict=True)
        ]
        self.tally.add(found[0], found[1], resize)
        if len(self.raw) < RAW_PICTURES:
            self.raw.append((planes, *outputs))
        if self.truth is not None:
            self._record(self.truth, outputs, resize)
        self.done += 1

    def _record(self, truth: GateTruth, outputs: tuple[Outputs, Outputs], resize: Resize) -> None:
        if self.done >= len(truth.keys):
            raise ValueError(f"truth has {len(truth.keys)} keys, and there are more pictures")
        source, index = truth.keys[self.done]
        for records, detector, raw in zip(self.records, (self.reference, self.candidate), outputs, strict=True):
            found = detector.decode(raw, (resize,), _FOR_ACCURACY)[0]
            names = self.reference.info.class_names
            records.append(Prediction(source, index, resize.image_hw, found, detector.info.name, names))

    def finish(self) -> GateFigures:
        """Everything that was measured."""
        raw = self._compare_raw() if self.raw and self.tally.pair_count < MIN_PAIRS else None
        return replace(self.tally.to_figures(), raw=raw, accuracy=self._compute_accuracy())

    def _compare_raw(self) -> RawFigures | None:
        layout = self.reference.engine.spec.layout
        if layout != self.candidate.engine.spec.layout:
            return None
        net_hw = self.candidate.engine.spec.net_hw
        triples: list[tuple[RawRows, RawRows, RawRows]] = []
        noise = np.random.default_rng(0)
        for planes, reference, candidate in self.raw:
            disturbed = planes + noise.normal(0, _NOISE, planes.shape).astype(np.float32)
            noisy = _infer(self.reference, disturbed)
            rows = [read_rows(layout, outputs, net_hw) for outputs in (reference, candidate, noisy)]
            if rows[0] is None or rows[1] is None or rows[2] is None:
                return None
            triples.append((rows[0], rows[1], rows[2]))
        return compare_raw(layout, triples, net_hw)

    def _compute_accuracy(self) -> AccuracyFigures | None:
        if self.truth is None:
            return None
        if self.done != len(self.truth.keys):
            raise ValueError(f"truth has {len(self.truth.keys)} keys, and there are {self.done} pictures")
        whole = self.truth.truth
        known = replace(whole, images={key: whole.images[key] for key in self.truth.keys if key in whole.images})
        reference, candidate = (compute_accuracy(known, records) for records in self.records)
        if reference.ap50_95 is None or candidate.ap50_95 is None:
            return None
        return AccuracyFigures(len(known.images), reference.object_count, reference.ap50_95, candidate.ap50_95)


def _infer(detector: Detector, planes: F32) -> Outputs:
    """Raw outputs for one picture f32[3, h, w]; a model with a fixed batch gets empty ones beside it."""
    tensor = np.zeros((detector.engine.spec.fixed_batch or 1, *planes.shape), np.float32)
    tensor[0] = planes
    return infer_in_time(detector, tensor)[0]
