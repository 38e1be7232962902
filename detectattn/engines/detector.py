"""A model ready to detect: preprocess, engine and postprocess in one piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectattn.engines.base import Engine
from detectattn.engines.postprocess import Thresholds, decode_detections
from detectattn.engines.preprocess import fit_image, plan_resize
from detectattn.types import F32, U8, Batch, Detections, Frame, ModelInfo, Resize, WeightsFile


class Detector:
    """Turns frames into detections with one engine.

    Args:
        engine: The loaded model.
        name: Its name in records.
        weights: The file it came from.
        batch: Pictures that go through together; a model that was exported for a fixed number keeps to that.

    Attributes:
        batch: Pictures that go through together now; a run makes it smaller when memory runs out.
        stalled: Whether a call to the engine never came back. What the engine holds then stays as it is, for that call.
    """

    def __init__(self, engine: Engine, name: str, weights: WeightsFile, batch: int = 1) -> None:
        spec = engine.spec
        self.engine = engine
        self.weights = weights
        self.batch = spec.fixed_batch or batch
        self.stalled = False
        self.info = ModelInfo(
            name=name,
            family=spec.family,
            class_names=spec.class_names,
            net_hw=spec.net_hw,
            engine=spec.engine,
            device=spec.device,
            precision=spec.precision,
        )

    def plan(self, image_hw: tuple[int, int]) -> Resize:
        """How a picture of that height and width is fitted into the input."""
        spec = self.engine.spec
        return plan_resize(image_hw, spec.net_hw, spec.fit, spec.stride, few_shapes=spec.few_shapes)

    def fit(self, bgr: U8) -> tuple[F32, Resize]:
        """The network's input f32[3, h, w] for a picture u8[H, W, 3], and how it was fitted. Thread-safe."""
        resize = self.plan((bgr.shape[0], bgr.shape[1]))
        return fit_image(bgr, resize), resize

    def collate(self, frames: Sequence[Frame], fitted: Sequence[tuple[F32, Resize]], rows: int | None = None) -> Batch:
        """One batch of frames that were fitted to the same shape.

        The tensor always holds ``rows`` rows: a batch that is not full is padded, so that the same kernels run and a
        picture's result does not depend on how many came with it.

        Args:
            frames: As many as ``rows`` at most.
            fitted: The network's input of each, and how it was fitted.
            rows: Pictures that the tensor holds; None for ``self.batch``, which other threads may change.
        """
        rows = self.batch if rows is None else rows
        planes = [f[0] for f in fitted]
        if len(planes) == rows == 1:
            return Batch(tuple(frames), planes[0][None], (fitted[0][1],))
        tensor = np.zeros((rows, *planes[0].shape), np.float32)
        tensor[: len(planes)] = planes
        return Batch(tuple(frames), tensor, tuple(f[1] for f in fitted))

    def infer(self, batch: Batch) -> tuple[F32, ...]:
        """Raw head outputs of a batch."""
        return self.engine.infer(batch.tensor)

    def decode(self, outputs: tuple[F32, ...], resizes: tuple[Resize, ...], keep: Thresholds) -> list[Detections]:
        """Detections of each picture of a batch, boxes in its pixels."""
        return decode_detections(self.engine.spec.layout, outputs, resizes, keep)

    def close(self) -> None:
        """Free the model, unless a call that never came back still uses it."""
        if not self.stalled:
            self.engine.close()
