"""Batches whose content depends on the seed and the number of the step alone, so that a resumed run repeats nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from training.augment import augment_scene
from training.recipe import Recipe
from training.scene_cache import LabelledScene


@dataclass(frozen=True, slots=True, eq=False)
class TrainBatch:
    """Pictures with their boxes, as Ultralytics' losses take them.

    Attributes:
        img: f32[B, 3, S, S], RGB, 0 to 1, channels last in memory.
        batch_idx: f32[N], the picture that each box is in.
        cls: f32[N, 1], the class of each box.
        bboxes: f32[N, 4], centre and size of each box, as fractions of the picture's sides.
    """

    img: torch.Tensor
    batch_idx: torch.Tensor
    cls: torch.Tensor
    bboxes: torch.Tensor

    def to_ultralytics(self) -> dict[str, torch.Tensor]:
        """The batch as a dict under the names that Ultralytics' losses look up."""
        return {"img": self.img, "batch_idx": self.batch_idx, "cls": self.cls, "bboxes": self.bboxes}

    def to_targets(self) -> dict[str, torch.Tensor | list[int]]:
        """The boxes as RT-DETR's denoising takes them."""
        return {
            "cls": self.cls.long().view(-1),
            "bboxes": self.bboxes,
            "batch_idx": self.batch_idx.long(),
            "gt_groups": torch.bincount(self.batch_idx.long(), minlength=len(self.img)).tolist(),
        }


def load_batch(scenes: Sequence[LabelledScene], recipe: Recipe, seed: int, step: int) -> TrainBatch:
    """The batch of step ``step``, counted from 0 over all epochs.

    Args:
        scenes: What is trained on; each epoch sees every scene once, in an order of its own (a remainder that fills no
            batch is left out).
        recipe: Of the model.
        seed: Of the run.
        step: Number of the step.
    """
    steps = count_steps(len(scenes), recipe.batch)
    epoch, position = divmod(step, steps)
    order = np.random.default_rng((seed, 0, epoch)).permutation(len(scenes))
    rng = np.random.default_rng((seed, 1, step))
    chosen = order[position * recipe.batch : (position + 1) * recipe.batch]
    return collate_scenes([augment_scene(scenes[int(i)], recipe.size_px, rng) for i in chosen])


def count_steps(scenes: int, batch: int) -> int:
    """Steps of an epoch; at least one."""
    return max(scenes // batch, 1)


def collate_scenes(scenes: Sequence[LabelledScene]) -> TrainBatch:
    """Scenes of one size as a batch."""
    pixels = torch.from_numpy(np.stack([scene.bgr for scene in scenes]))
    img = pixels.flip(-1).permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
    xyxy = torch.from_numpy(np.concatenate([scene.xyxy.reshape(-1, 4) for scene in scenes])) / pixels.shape[1]
    centres, sides = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
    counts = torch.tensor([len(scene.class_id) for scene in scenes])
    return TrainBatch(
        img=img,
        batch_idx=torch.arange(len(scenes)).repeat_interleave(counts).float(),
        cls=torch.from_numpy(np.concatenate([scene.class_id for scene in scenes])).float()[:, None],
        bboxes=torch.cat([centres, sides], 1),
    )
