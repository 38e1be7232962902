"""Learning rate, optimizer and the moving average of the weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from training.recipe import Recipe

_SETTLING_STEPS = 500


def compute_lr(recipe: Recipe, progress: float, images_since_start: int) -> float:
    """The learning rate: a cosine over the whole run, times a rise after each start with a fresh optimizer.

    Args:
        recipe: Of the model.
        progress: How far the run is, 0 to 1.
        images_since_start: Pictures that the optimizer has seen.
    """
    cosine = (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    rise = min((images_since_start + recipe.batch) / recipe.warmup_images, 1.0) if recipe.warmup_images else 1.0
    return recipe.lr * rise * (recipe.final_lr + (1 - recipe.final_lr) * cosine)


def build_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; biases and normalisation are not decayed."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.999), fused=True)


class Ema:
    """The exponential moving average of a model's state, which is what is evaluated and shipped.

    Args:
        model: The model; its state at this moment is the first average.
        decay: Once settled; before, newer states count for more.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.updates = 0
        self._decay = decay

    def update(self, model: nn.Module) -> None:
        """Let the model's state at this moment take part."""
        self.updates += 1
        weight = 1 - self._decay * (1 - math.exp(-self.updates / _SETTLING_STEPS))
        averages, states = self.model.state_dict(), model.state_dict()
        floating = [name for name, tensor in averages.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([averages[n] for n in floating], [states[n] for n in floating], weight)
        for name in averages.keys() - set(floating):
            averages[name].copy_(states[name])
