"""What is trained, and how: one recipe a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import yaml

from detectattn.weights.embedded_model import build_model

if TYPE_CHECKING:
    from torch import nn

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is trained.

    Attributes:
        name: Of the model; its architecture lies in ``NAME.yaml`` beside this file.
        lr: Learning rate at its peak; it falls along a cosine to ``final_lr`` of that.
        clip_norm: Gradients are scaled down to this norm.
        weight_decay: Of matrices and kernels; vectors have none.
        size_px: Side of the square input.
        batch: Pictures a step.
        final_lr: Fraction of the learning rate that is left at the end.
        warmup_images: Pictures over which the learning rate rises from zero.
        ema_decay: Of the moving average of the weights, once it has settled.
        denoising: Denoising queries of each kind (RT-DETR); Ultralytics' default is 100. Half of that takes a quarter
            off the time of a step.
    """

    name: str
    lr: float
    clip_norm: float
    weight_decay: float
    size_px: int = 320
    batch: int = 16
    final_lr: float = 0.05
    warmup_images: int = 4000
    ema_decay: float = 0.999
    denoising: int = 50


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe("demo-rtdetr", lr=3e-4, clip_norm=0.1, weight_decay=1e-4, batch=8),
        Recipe("demo-yolo", lr=1e-3, clip_norm=10.0, weight_decay=5e-4),
    )
}


def load_config(name: str) -> dict[str, Any]:
    """What the YAML of that model says."""
    config: dict[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return config


def build_trainable(recipe: Recipe, class_names: tuple[str, ...]) -> nn.Module:
    """The recipe's model, of fresh weights, with what Ultralytics' losses ask for."""
    model = build_model(load_config(recipe.name), class_names)
    # The gains that Ultralytics trains its own YOLO with.
    vars(model)["args"] = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
    head = list(model.model)[-1]  # type: ignore[arg-type]  # Ultralytics models hold an nn.Sequential
    if hasattr(head, "num_denoising"):
        vars(head)["num_denoising"] = recipe.denoising
    return model
