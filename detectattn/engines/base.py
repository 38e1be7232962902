"""What every engine is: something that turns a batch's tensor into raw head outputs, as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from detectattn.types import F32, Family

HeadLayout = Literal["yolo_dense", "yolo_end2end", "yolo_one2one", "rtdetr_dense", "rtdetr_topk"]
FitMode = Literal["stretch", "letterbox", "letterbox_rect"]
Hint = Literal["latency", "throughput"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a model is to be run.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        precision: ``auto``, ``fp32``, ``fp16``.
        imgsz_hw: Height and width of the network's input, or None for the model's own.
        batch: Pictures that go through together; 0 chooses 1 on the CPU and 8 on a GPU.
        trust_weights: Load a checkpoint that asks for more than the allow-list.
        threads: CPU threads, or None for all cores.
        square: Letterbox every picture to the full input, where the model would take each one's own rectangle: so that
            models are compared on equal pixel counts.
        decoder_layers: Run only the first so many layers of an RT-DETR's decoder, or None for all of them.
        queries: Let an RT-DETR's decoder start from so many queries, the best of those that the encoder offers, or
            None for as many as it was trained with.
        hint: What matters. ``latency``: one batch at a time, on all cores. ``throughput``: several batches side by
            side, each on a part of the cores, where the engine gains by it.
        streams: Batches side by side, in place of what ``hint`` would choose; None leaves it to that.
    """

    device: str = "auto"
    precision: str = "auto"
    imgsz_hw: tuple[int, int] | None = None
    batch: int = 0
    trust_weights: bool = False
    threads: int | None = None
    square: bool = False
    decoder_layers: int | None = None
    queries: int | None = None
    hint: Hint = "latency"
    streams: int | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What an engine knows of the model it opened.

    Attributes:
        family: As in :class:`~detectattn.types.ModelInfo`.
        class_names: Name by class index.
        layout: How the head's output is to be read.
        fit: How a picture is fitted into the input. ``letterbox_rect`` pads each picture only to the next multiple of
            the stride.
        net_hw: Height and width of the input (the bounding square for ``letterbox_rect``).
        stride: Multiple that the input's sides must be of.
        engine: Name of the engine.
        device: Where it runs.
        precision: In what precision it runs.
        fixed_batch: The batch size the model is compiled for, or None when any will do.
        max_det: Detections a picture at most that the model's own graph or its queries allow, or None.
        streams: Calls of ``infer`` that run side by side and gain by it; more wait for each other.
        few_shapes: For ``letterbox_rect``: whether each side of a rectangle is one of a few lengths
            (:func:`~detectattn.engines.preprocess.list_sides`), where the engine must know every shape beforehand.
    """

    family: Family
    class_names: Mapping[int, str]
    layout: HeadLayout
    fit: FitMode
    net_hw: tuple[int, int]
    stride: int
    engine: str
    device: str
    precision: str
    fixed_batch: int | None = None
    max_det: int | None = None
    streams: int = 1
    few_shapes: bool = False


class Engine(Protocol):
    """A loaded model. ``infer`` may be called from several threads at once."""

    spec: ModelSpec

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        """Raw head outputs for ``tensor`` f32[N, 3, h, w] (RGB, 0 to 1).

        Returns one array, or two for ``rtdetr_dense``: boxes f32[N, Q, 4] (normalised cxcywh) and scores f32[N, Q, C].

        Raises:
            OutOfMemory: The device's memory does not suffice for this batch.
        """
        ...

    def close(self) -> None:
        """Free what the model holds."""
        ...


Metadata = Mapping[str, Any]
