"""Lead a detection back to the row that it came from, and that row through the layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from detectattn.attention.check import UNKNOWN_VERSION_HINT
from detectattn.boxes import xywh_to_xyxy
from detectattn.engines.decoder_cut import find_head
from detectattn.errors import EngineError
from detectattn.types import F32, I32, Resize

_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class DecoderTrace:
    """What an RT-DETR's decoder made of its queries, layer by layer.

    Attributes:
        proposals: f32[queries, 4], the encoder's boxes, which the first layer starts from; these and ``boxes`` are
            centre x, centre y, width and height as shares of the network's input.
        boxes: f32[layers, queries, 4], after each layer; the last are the model's output.
        scores: f32[layers, queries, classes], 0 to 1, what each layer's own classifier says; the last are the output.
    """

    proposals: F32
    boxes: F32
    scores: F32


class HeadTape:
    """What a head was given, and what its decoder layers made of it, in the last forward pass.

    Args:
        head: The head of the model.
        row: Which picture of a batch is captured.
    """

    def __init__(self, head: Any, row: int = 0) -> None:
        self.head = head
        self.row = row
        self.grid_hw: tuple[tuple[int, int], ...] = ()
        """Height and width of the feature maps that the head was given, finest first."""
        self.levels: tuple[F32, ...] = ()
        """Those feature maps, f32[channels, height, width] each."""
        self._references: list[torch.Tensor] = []
        self._embeddings: list[torch.Tensor] = []

    def start(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Forget the pass before; a hook on the head."""
        self._references, self._embeddings = [], []
        self.grid_hw = tuple((int(level.shape[2]), int(level.shape[3])) for level in inputs[0])
        self.levels = tuple(_to_array(level[self.row]) for level in inputs[0])

    def note_layer(self, _: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        """Remember a decoder layer's reference boxes and what it gave; a hook."""
        self._references.append(inputs[1][self.row])
        self._embeddings.append(output[self.row])

    def trace(self) -> DecoderTrace | None:
        """The decoder's boxes and scores after each layer; None for a head without a decoder, or before a pass."""
        if not self._embeddings:
            return None
        with torch.no_grad():
            boxes, scores = [], []
            for i, (reference, embedding) in enumerate(zip(self._references, self._embeddings, strict=True)):
                boxes.append(refine_boxes(reference, self.head.dec_bbox_head[i](embedding)))
                scores.append(self.head.dec_score_head[i](embedding).sigmoid())
            return DecoderTrace(
                _to_array(self._references[0]), _to_array(torch.stack(boxes)), _to_array(torch.stack(scores))
            )


@contextmanager
def open_trace(model: nn.Module, *, row: int = 0) -> Iterator[HeadTape]:
    """Hook a model's head; the hooks are gone when the block ends, however it ends.

    Args:
        model: As Ultralytics builds it, in evaluation mode.
        row: Which picture of a batch to trace.
    """
    head = find_head(model)
    tape = HeadTape(head, row)
    layers = head.decoder.layers if type(head).__name__ == "RTDETRDecoder" else ()
    with ExitStack() as stack:
        stack.callback(head.register_forward_pre_hook(tape.start).remove)
        for layer in layers:
            stack.callback(layer.register_forward_hook(tape.note_layer).remove)
        yield tape


def refine_boxes(reference: torch.Tensor, correction: torch.Tensor) -> torch.Tensor:
    """Boxes [queries, 4] moved by a layer's correction, which is added to their logits (Deformable DETR, appendix A.4).

    Args:
        reference: Boxes before, as shares of the network's input.
        correction: What the layer's box head says.
    """
    moved: torch.Tensor = correction + torch.special.logit(reference, eps=1e-5)
    return moved.sigmoid()


def check_trace(trace: DecoderTrace, boxes: F32, scores: F32) -> None:
    """Make sure that the last layer of a trace is what the model gave.

    Args:
        trace: Of one picture.
        boxes: f32[queries, 4], the head's raw boxes.
        scores: f32[queries, classes], the head's raw scores.

    Raises:
        EngineError: It is not.
    """
    apart = max(float(np.abs(trace.boxes[-1] - boxes).max()), float(np.abs(trace.scores[-1] - scores).max()))
    if not apart <= _TOLERANCE:
        raise EngineError(
            f"detections cannot be traced through the decoder: its last layer, computed anew, lies {apart:.1e} from "
            f"what it gave (allowed {_TOLERANCE:g})",
            hint=UNKNOWN_VERSION_HINT,
        )


def trace_boxes(trace: DecoderTrace, query_id: I32, resize: Resize) -> F32:
    """Where queries were, f32[1 + layers, len(query_id), 4]: proposals, then after each layer.

    Boxes are left, top, right, bottom in pixels of the upright picture, not clipped to it.
    """
    steps = np.concatenate([trace.proposals[None], trace.boxes])[:, query_id]
    net_h, net_w = resize.net_hw
    xyxy = xywh_to_xyxy(steps.reshape(-1, 4)) * np.array([net_w, net_h, net_w, net_h], np.float32)
    return resize.to_image(xyxy).reshape(steps.shape)


def trace_scores(trace: DecoderTrace, query_id: I32, class_id: I32) -> F32:
    """What each layer's classifier gives queries for a class each, f32[layers, len(query_id)]."""
    return trace.scores[:, query_id, class_id]


@dataclass(frozen=True, slots=True)
class AnchorPlace:
    """The cell of a feature map that a YOLO's detection comes from.

    Attributes:
        level: Which feature map, finest first.
        row: Row of the cell, from the top.
        column: Column of the cell, from the left.
    """

    level: int
    row: int
    column: int


def find_anchor(anchor_id: int, grid_hw: Sequence[tuple[int, int]]) -> AnchorPlace:
    """The cell behind a raw row of a YOLO head, whose rows are all cells of all levels, finest level first, row-major.

    Args:
        anchor_id: ``query_id`` of a detection of a YOLO.
        grid_hw: Height and width of each level's feature map.

    Raises:
        IndexError: There are not so many cells.
    """
    rest = anchor_id
    for level, (height, width) in enumerate(grid_hw):
        if 0 <= rest < height * width:
            return AnchorPlace(level, *divmod(rest, width))
        rest -= height * width
    raise IndexError(f"anchor {anchor_id} is none of the cells of {list(grid_hw)}")


def _to_array(tensor: torch.Tensor) -> F32:
    array: NDArray[np.float32] = np.ascontiguousarray(tensor.float().cpu().numpy())
    return array
