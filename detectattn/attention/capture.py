"""One forward pass of a detector over one picture: what it found, and what it attended to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from detectattn.attention.find import find_attention
from detectattn.attention.fitting_size import find_fitting_size
from detectattn.attention.hooks import open_capture
from detectattn.attention.trace import DecoderTrace, check_trace, open_trace
from detectattn.engines import model_name
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import EngineError, OutOfMemory
from detectattn.results.attention import AttentionRecord, AttentionSite
from detectattn.types import F32, U8, Batch, Detections, Frame, Media, Resize


@dataclass(frozen=True, slots=True, eq=False)
class CapturedPicture:
    """One picture seen by one model.

    Attributes:
        detections: What it found, best first; each with its ``query_id``.
        record: Its attention; empty for a model without any.
        sites: The model's attention modules, also those that this pass did not reach.
        resize: How the picture was fitted into the network's input.
        outputs: The head's raw outputs for this picture, without the batch axis: f32[4 + C, anchors] (YOLO),
            f32[anchors, 4 + C] (YOLO, one to one), or f32[queries, 4] and f32[queries, C] (RT-DETR).
        grid_hw: Height and width of the feature maps that the head was given, finest first.
        levels: Those feature maps, f32[channels, height, width] each.
        decoder: Its queries layer by layer; None for a model without a decoder.
    """

    detections: Detections
    record: AttentionRecord
    sites: tuple[AttentionSite, ...]
    resize: Resize
    outputs: tuple[F32, ...]
    grid_hw: tuple[tuple[int, int], ...]
    levels: tuple[F32, ...]
    decoder: DecoderTrace | None

    def keep_best(self, count: int) -> CapturedPicture:
        """The same with no more than so many detections, the best."""
        return replace(self, detections=self.detections.take(np.arange(min(count, len(self.detections)))))


def capture(detector: Detector, bgr: U8, keep: Thresholds) -> CapturedPicture:
    """Run a detector on a picture and keep its attention, every bit of its output as it is without.

    Args:
        detector: Opened with PyTorch, in single precision.
        bgr: u8[H, W, 3], the upright picture.
        keep: Which detections are kept. Attention does not depend on it: call :meth:`Detector.decode` on ``outputs``
            for other thresholds.

    Raises:
        EngineError: The engine has no modules to look into or runs in half precision, or a module's attention as
            computed anew does not explain its output.
        OutOfMemory: The memory does not suffice; the hint names a size that fits.
    """
    engine = require_torch(detector)
    batch = _collate(detector, bgr)
    try:
        with open_capture(engine.model) as tape, open_trace(engine.model) as head:
            outputs = detector.infer(batch)
            record, decoder = tape.record, head.trace()
    except OutOfMemory as error:
        raise _with_fitting_size(error, engine, batch.resizes[0]) from error
    detections = detector.decode(outputs, batch.resizes, keep)[0]
    raw = tuple(output[0] for output in outputs)
    if decoder is not None:
        check_trace(decoder, *raw)
    sites, resize = find_attention(engine.model), batch.resizes[0]
    return CapturedPicture(detections, record, sites, resize, raw, head.grid_hw, head.levels, decoder)


def require_torch(detector: Detector) -> TorchEngine:
    """The detector's engine, if attention can be captured in it.

    Raises:
        EngineError: It is another engine than PyTorch, or runs in half precision.
    """
    engine, info = detector.engine, detector.info
    if not isinstance(engine, TorchEngine):
        name = model_name(detector.weights.path)
        raise EngineError(
            f"{detector.weights.path} runs on {info.engine}, which does not let anyone see its attention",
            hint=f"Give the weights that it was exported from, {name}.pt, or a name that `detectattn models` lists",
        )
    if info.precision != "fp32":
        raise EngineError(
            f"the attention of {info.name} cannot be captured exactly at precision {info.precision}",
            hint="Use --precision fp32",
        )
    return engine


def _collate(detector: Detector, bgr: U8) -> Batch:
    """The picture as the first of a batch of the detector's own size, so that the same kernels run as ever."""
    frame = Frame(Media("picture", "image", bgr, PurePosixPath("picture.jpg")), 0, bgr)
    return detector.collate([frame], [detector.fit(bgr)])


def _with_fitting_size(error: OutOfMemory, engine: TorchEngine, resize: Resize) -> OutOfMemory:
    size_hw = find_fitting_size(engine, resize.net_hw)
    if size_hw is None:
        return OutOfMemory(error.problem, hint="Use --device cpu, or a smaller model")
    problem = f"{error.problem}, where attention is captured"
    return OutOfMemory(problem, hint=f"Use --imgsz {max(size_hw)}, which fits")
