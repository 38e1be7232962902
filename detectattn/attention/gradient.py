"""How the score of each detection depends on what the network computed on the way to it.

The gradient of one output of the head, the class logit of the very row behind a detection, with respect to the feature
maps that the head gets and to the picture: one forward pass, one backward pass a detection, no further than is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from detectattn.attention.capture import require_torch
from detectattn.attention.maps.base import FeatureGradient, GradientRecord
from detectattn.engines.decoder_cut import find_head
from detectattn.engines.detector import Detector
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import OutOfMemory
from detectattn.types import F32, U8, Detections

# What heads keep of the last picture's shape. Tensors made in inference mode cannot take part in a backward pass.
_HEAD_STATE = ("anchors", "strides", "shape", "shapes", "valid_mask")
_UNKNOWN_SHAPE: Mapping[str, Any] = {"shape": None, "shapes": []}


def compute_gradients(
    detector: Detector,
    bgr: U8,
    detections: Detections,
    *,
    levels: Sequence[F32] = (),
    pixels: bool = False,
    hold_others: bool = False,
) -> GradientRecord:
    """Gradients of the class logits of detections in one picture; the model is left as it was.

    Args:
        detector: Opened with PyTorch, in single precision.
        bgr: u8[H, W, 3], the upright picture.
        detections: What the detector found in it; each knows its query or anchor.
        levels: f32[C, h, w] each, what the head was given for this picture, as a capture keeps it: saves the pass
            through the rest of the model where pixels are not wanted.
        pixels: Also with respect to the network's input, which takes a backward pass through the whole model.
        hold_others: In a transformer decoder, take the partial derivative with all other queries held as they are:
            what the detection's own query reads counts, what reaches it through queries on other objects does not.
            Without effect on heads without a decoder.

    Raises:
        EngineError: The engine has no gradients, or runs in half precision.
        OutOfMemory: The memory does not suffice.
    """
    engine = require_torch(detector)
    assert detections.query_id is not None
    rows = list(zip(detections.query_id.tolist(), detections.class_id.tolist(), strict=True))
    tape = _GradientTape(find_head(engine.model), pixels, hold_others)
    try:
        with _leave_no_trace(tape), torch.enable_grad():
            if levels and not pixels:
                tape.run_head([_to_tensor(level, engine) for level in levels])
            else:
                tape.run(engine.model, _to_tensor(detector.fit(bgr)[0], engine))
            return tape.collect([tape.differentiate(row, class_id) for row, class_id in rows])
    except (RuntimeError, MemoryError) as error:
        if "alloc" not in str(error) and not isinstance(error, torch.OutOfMemoryError | MemoryError):
            raise
        height, width = engine.spec.net_hw
        raise OutOfMemory(
            f"{engine.spec.device} has too little memory for gradients at {height}×{width}",
            hint="Use a smaller --imgsz, --device cpu, or maps of attention alone",
        ) from error


class _GradientTape:
    """One forward pass, with what is differentiated and what it is differentiated by.

    Args:
        head: The model's head.
        pixels: Whether the network's input is among what it is differentiated by.
        hold_others: Whether gradients stop at other queries.
    """

    def __init__(self, head: Any, pixels: bool, hold_others: bool) -> None:
        self.head = head
        self.pixels = pixels
        self.hold_others = hold_others
        self.levels: list[torch.Tensor] = []
        self.logits: list[torch.Tensor] = []
        self.row = 0
        self.leaf = torch.empty(0)

    def hooks(self) -> Iterator[Any]:
        """Put hooks in, and yield each so that it can be taken out."""
        head = self.head
        yield head.register_forward_pre_hook(self.note_levels)
        if not hasattr(head, "decoder"):
            # Ultralytics' end-to-end heads have a second set of classifiers, which alone writes what is detected.
            for classifier in head.one2one_cv3 if getattr(head, "end2end", False) else head.cv3:
                yield classifier.register_forward_hook(self.note_cells)
            return
        yield head.dec_score_head[head.decoder.eval_idx].register_forward_hook(self.note_queries)
        if self.hold_others:
            yield head.decoder.register_forward_pre_hook(self.hold_inputs)
            for layer in head.decoder.layers:
                yield layer.register_forward_hook(self.hold_output)

    def note_levels(self, _: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the head gets, each level on its own; gradients begin here unless pixels are wanted. A hook."""
        # Coarse levels are made from finer ones: the copies let the gradient by one leave out the others.
        self.levels = [level.clone() if self.pixels else level.detach().requires_grad_() for level in inputs[0]]
        return list(self.levels), *inputs[1:]

    def note_queries(self, _: nn.Module, __: Any, output: torch.Tensor) -> None:
        """Logits [1, queries, classes] of the layer that gives the output; a hook."""
        self.logits.append(output[0])

    def note_cells(self, _: nn.Module, __: Any, output: torch.Tensor) -> None:
        """Logits [1, classes, h, w] of one level, whose rows are its cells; a hook."""
        self.logits.append(output[0].flatten(1).T)

    def hold_inputs(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Let gradients reach the first embeddings and boxes of the wanted query alone; a hook."""
        for tensor in inputs[:2]:
            self._hold(tensor)

    def hold_output(self, _: nn.Module, __: Any, output: torch.Tensor) -> None:
        """Let gradients reach what a decoder layer made of the wanted query alone; a hook."""
        self._hold(output)

    def _hold(self, tensor: torch.Tensor) -> None:
        if tensor.requires_grad:
            tensor.register_hook(self._keep_row)  # type: ignore[no-untyped-call]  # torch leaves it without types

    def _keep_row(self, gradient: torch.Tensor) -> torch.Tensor:
        kept = torch.zeros_like(gradient)
        kept[:, self.row] = gradient[:, self.row]
        return kept

    def run(self, model: nn.Module, tensor: torch.Tensor) -> None:
        """The forward pass over ``tensor`` [1, 3, h, w]."""
        self.leaf = tensor.requires_grad_(self.pixels)
        model(self.leaf)
        self.logits = [torch.cat(self.logits)]

    def run_head(self, levels: list[torch.Tensor]) -> None:
        """The end of a forward pass, from ``levels`` [1, C, h, w] on."""
        self.head(levels)
        self.logits = [torch.cat(self.logits)]

    def differentiate(self, row: int, class_id: int) -> list[F32]:
        """Gradients of one logit by each level, and then by the input if that is wanted."""
        self.row = row
        wanted = [*self.levels, self.leaf] if self.pixels else self.levels
        found = torch.autograd.grad(self.logits[0][row, class_id], wanted, retain_graph=True, materialize_grads=True)
        return [_to_array(gradient) for gradient in found]

    def collect(self, gradients: Sequence[Sequence[F32]]) -> GradientRecord:
        """All of it as arrays; ``gradients`` of each detection as :meth:`differentiate` gave them."""
        features = [*self.levels, self.leaf] if self.pixels else self.levels
        found = [
            FeatureGradient(_to_array(feature), _stack([of_detection[place] for of_detection in gradients], feature))
            for place, feature in enumerate(features)
        ]
        return GradientRecord(tuple(found[: len(self.levels)]), found[-1] if self.pixels else None)

    def forget(self) -> None:
        """Let go of the pass: hooks in it know this tape, a circle that no garbage collector sees through."""
        self.levels, self.logits, self.leaf = [], [], torch.empty(0)


@contextmanager
def _leave_no_trace(tape: _GradientTape) -> Iterator[None]:
    """Hooks in; hooks out and the head as it was when the block ends, however it ends."""
    head = tape.head
    kept = {name: vars(head)[name] for name in _HEAD_STATE if name in vars(head)}
    with ExitStack() as stack:
        stack.callback(_restore, head, kept)
        stack.callback(tape.forget)
        for name, unknown in _UNKNOWN_SHAPE.items():
            if hasattr(head, name):
                setattr(head, name, unknown)
        for hook in tape.hooks():
            stack.callback(hook.remove)
        yield


def _restore(head: Any, kept: dict[str, Any]) -> None:
    for name in _HEAD_STATE:
        vars(head).pop(name, None)
    vars(head).update(kept)


def _stack(gradients: Sequence[F32], feature: torch.Tensor) -> F32:
    return np.stack(gradients) if gradients else np.zeros((0, *feature.shape[1:]), np.float32)


def _to_tensor(planes: F32, engine: TorchEngine) -> torch.Tensor:
    """As a batch of one, laid out as the engine itself runs."""
    tensor = torch.from_numpy(planes[None]).to(engine.spec.device)
    return tensor if tensor.device.type == "mps" else tensor.to(memory_format=torch.channels_last)


def _to_array(tensor: torch.Tensor) -> F32:
    """The one picture of a batch [1, ...], f32."""
    array: F32 = np.ascontiguousarray(tensor.detach()[0].float().cpu().numpy())
    return array
