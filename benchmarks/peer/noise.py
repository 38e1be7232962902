"""Checkpoints of seeded noise, for where the published ones cannot be had: as fast as trained ones, and no wiser.

Freshly built, a network's scores tie and fade; here BatchNorm is fitted to pictures, and the scores are spread so that
a threshold can leave a few boxes a picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from detectattn.classes import COCO_NAMES
from detectattn.weights.ultralytics_env import import_ultralytics_tasks

_SIDE_PX = 640
# Mean and deviation of the scores' logits: so low that next to nothing passes the usual threshold. The parity gate then
# compares raw outputs; detections of noise hold ties that part in every conversion. Boxes begin at some hundredths.
_LOGITS = {"rtdetr": (-10.0, 2.0), "yolo": (-10.0, 0.35)}


def save_noise(name: str, path: Path, pictures: list[Path], seed: int = 7) -> None:
    """Write a checkpoint as Ultralytics does, in half precision.

    Args:
        name: ``rtdetr-l`` or ``yolo11n``, or any other of its configurations.
        path: The ``.pt`` file.
        pictures: What BatchNorm and the scores are fitted to.
        seed: Of the weights.
    """
    tasks = import_ultralytics_tasks()
    torch.manual_seed(seed)
    kind = tasks.RTDETRDetectionModel if name.startswith("rtdetr") else tasks.DetectionModel
    model = kind(f"{name}.yaml", verbose=False)
    mean, deviation = _LOGITS["rtdetr" if name.startswith("rtdetr") else "yolo"]
    model.names = dict(enumerate(COCO_NAMES))
    pixels = torch.from_numpy(np.stack([_read(picture) for picture in pictures]))
    with torch.no_grad():
        _move_boxes(model)
        _fit_norms(model, pixels)
        for layer in _find_score_layers(model):
            _spread(model, layer, pixels, mean, deviation)
    model.requires_grad_(False).half()
    torch.save({"model": model, "train_args": {"task": "detect", "imgsz": _SIDE_PX}}, path)


def _read(path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    bgr = cv2.imread(str(path))
    assert bgr is not None, path
    rgb = cv2.resize(bgr, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)[..., ::-1]
    return np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32) / np.float32(255)


def _fit_norms(model: Any, pixels: torch.Tensor) -> None:
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    model(pixels)
    for norm in norms:
        norm.momentum = 0.03
    model.eval()


def _move_boxes(model: Any) -> None:
    """Noise where RT-DETR starts from zeros: every query would keep the box and the points of its anchor."""
    for path, module in model.named_modules():
        if path.endswith(("sampling_offsets", "attention_weights")):
            nn.init.normal_(module.weight, std=0.1)
        elif "bbox_head" in path and path.endswith("layers.2"):
            nn.init.normal_(module.weight, std=0.02)


def _find_score_layers(model: Any) -> list[nn.Module]:
    """The layers that give logits of classes, in the order in which they run."""
    head = model.model[-1]
    if type(head).__name__ == "RTDETRDecoder":
        return [head.enc_score_head, head.dec_score_head[-1]]
    return [branch[-1] for branch in head.cv3]


def _spread(model: Any, layer: nn.Module, pixels: torch.Tensor, mean: float, deviation: float) -> None:
    """Scale and shift a layer so that what it returns for these pictures has the wanted mean and deviation."""
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    assert layer.bias is not None
    nn.init.normal_(layer.weight, std=0.1)
    nn.init.zeros_(layer.bias)
    seen: list[torch.Tensor] = []
    handle = layer.register_forward_hook(lambda _, __, output: seen.append(output))
    model(pixels)
    handle.remove()
    axis = 1 if isinstance(layer, nn.Conv2d) else -1
    logits = seen[-1].movedim(axis, -1).flatten(0, -2)
    scale = deviation / logits.std(0)
    layer.weight.mul_(scale.view(-1, *[1] * (layer.weight.dim() - 1)))
    layer.bias.copy_(mean - logits.mean(0) * scale)
