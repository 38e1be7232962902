"""One step of training: forward in bfloat16, loss and weights in float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from training.batches import TrainBatch
from training.recipe import Recipe


def train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, batch: TrainBatch, recipe: Recipe, lr: float, *, bf16: bool
) -> dict[str, float]:
    """Move the weights once.

    Args:
        model: In training mode.
        optimizer: Of its parameters.
        batch: What it learns from.
        recipe: Of the model.
        lr: Learning rate of this step.
        bf16: Run convolutions and matrix products in bfloat16. The losses, the weights and their gradients stay
            float32.

    Returns:
        The parts of the loss by name, and ``loss``, their whole.

    Raises:
        FloatingPointError: The loss is no number any more.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    net: Any = model
    denoised = type(list(net.model)[-1]).__name__ == "RTDETRDecoder"
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        outputs = net.predict(batch.img, batch=batch.to_targets()) if denoised else net.predict(batch.img)
    total, parts = net.loss(batch.to_ultralytics(), _to_float32(outputs))
    loss = total.sum()
    if not bool(torch.isfinite(loss)):
        raise FloatingPointError(f"the loss became {float(loss)}; lower the learning rate of {recipe.name}")
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm, foreach=True)
    optimizer.step()
    return {
        "loss": float(loss.detach()) / (1 if denoised else len(batch.img)),
        **{k: float(v) for k, v in parts.items()},
    }


def _to_float32(outputs: Any) -> Any:
    """The same nest of tensors, floating ones in float32."""
    if isinstance(outputs, torch.Tensor):
        return outputs.float() if outputs.is_floating_point() else outputs
    if isinstance(outputs, dict):
        return {key: _to_float32(value) for key, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return type(outputs)(_to_float32(value) for value in outputs)
    return outputs
