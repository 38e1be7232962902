"""Architectures whose weights are seeded noise, strong enough that no two tokens, queries or rows are alike.

Freshly built, attention is uniform, sampling offsets are constant and scores tie, so that a mistake would not show.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from detectattn.weights.ultralytics_env import import_ultralytics_tasks

SIDE_PX = 128


def build_noisy(name: str, seed: int = 7) -> Any:
    """A model of Ultralytics' ``NAME.yaml``, in evaluation mode."""
    tasks = import_ultralytics_tasks()
    torch.manual_seed(seed)
    kind = tasks.RTDETRDetectionModel if name.startswith("rtdetr") else tasks.DetectionModel
    model = kind(f"{name}.yaml", verbose=False)
    for path, module in model.named_modules():
        _disturb(path, module)
    _calibrate_norms(model)
    return model.eval().requires_grad_(False)


def save_noisy(name: str, folder: Path) -> Path:
    """Such a model as Ultralytics saves one."""
    path = folder / f"{name}.pt"
    torch.save({"model": build_noisy(name), "train_args": {"task": "detect", "imgsz": SIDE_PX}}, path)
    return path


def make_pixels(batch: int, height: int, width: int, seed: int = 3) -> torch.Tensor:
    """Random pictures of some structure, f32[batch, 3, height, width], 0 to 1."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, height // 16, width // 16, generator=generator)
    return nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


def _calibrate_norms(model: Any) -> None:
    """Fit BatchNorm's statistics to pictures, without which random layers fade to nothing or blow up."""
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
        norm.train()
    with torch.no_grad():
        model(make_pixels(2, SIDE_PX, SIDE_PX))
    for norm in norms:
        norm.momentum = 0.03
    model.eval()


def _disturb(path: str, module: nn.Module) -> None:
    """Noise where training starts from constants: what attention looks at, and what heads say."""
    kind = type(module).__name__
    if kind == "MSDeformAttn":
        nn.init.normal_(module.sampling_offsets.weight, std=0.1)
        nn.init.normal_(module.attention_weights.weight, std=0.2)
    elif kind == "MultiheadAttention":
        nn.init.normal_(module.in_proj_weight, std=0.1)
        nn.init.normal_(module.in_proj_bias, std=0.5)
        nn.init.normal_(module.out_proj.bias, std=0.5)
    elif kind in ("Attention", "AAttn"):
        nn.init.constant_(module.qkv.bn.weight, 1.3)
    elif "bbox_head" in path and path.endswith("layers.2"):
        nn.init.normal_(module.weight, std=0.02)
    elif "score_head" in path and isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.2)
