"""A training run: its options, its state, and the way from one step to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from training.batches import count_steps, load_batch
from training.diary import Diary
from training.optimization import Ema, build_optimizer, compute_lr
from training.recipe import Recipe, build_trainable
from training.scene_cache import LabelledScene
from training.step import train_step


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run can be told.

    Attributes:
        epochs: Over which the learning rate falls.
        seed: Of the weights, of the order of the scenes, of their variations, of the denoising.
        bf16: See :func:`training.step.train_step`.
    """

    epochs: int
    seed: int = 0
    bf16: bool = True


class TrainingRun:
    """A model on its way.

    Every random choice follows from the seed and the number of the step, so weights, their average, the optimizer and
    the counters are all the state there is.

    Args:
        recipe: Of the model.
        scenes: What it learns from.
        class_names: Of its classes.
        options: See :class:`RunOptions`.
    """

    def __init__(
        self, recipe: Recipe, scenes: Sequence[LabelledScene], class_names: tuple[str, ...], options: RunOptions
    ) -> None:
        torch.manual_seed(options.seed)
        self.recipe = recipe
        self.options = options
        self.class_names = class_names
        self._scenes = scenes
        model = build_trainable(recipe, class_names)
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack this overload
        self.ema = Ema(self.model, recipe.ema_decay)
        self.optimizer = build_optimizer(self.model, recipe)
        self.step = 0
        self.epoch = 0.0
        self.images_since_start = 0
        self.diary = Diary()

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every scene is seen once."""
        return count_steps(len(self._scenes), self.recipe.batch)

    @property
    def progress(self) -> float:
        """How far it is, 0 to 1."""
        return self.epoch / self.options.epochs

    def advance(self) -> dict[str, float]:
        """One step; the parts of its loss, its learning rate and its time."""
        start = time.perf_counter()
        # The denoising draws from torch's own generator.
        torch.manual_seed((self.options.seed << 32) + self.step)
        batch = load_batch(self._scenes, self.recipe, self.options.seed, self.step)
        lr = compute_lr(self.recipe, self.progress, self.images_since_start)
        self.model.train()
        parts = train_step(self.model, self.optimizer, batch, self.recipe, lr, bf16=self.options.bf16)
        self.ema.update(self.model)
        self.step += 1
        self.epoch += 1 / self.steps_per_epoch
        self.images_since_start += self.recipe.batch
        taken_s = time.perf_counter() - start
        self.diary.add_images(self.recipe.batch, taken_s)
        return {**parts, "lr": lr, "ms_per_image": 1000 * taken_s / self.recipe.batch}

    def advance_until(self, stop: Callable[[], bool], on_step: Callable[[dict[str, float]], None]) -> None:
        """Step until the last epoch is over or ``stop`` says so between two steps."""
        while self.progress < 1 - 1e-9 and not stop():
            on_step(self.advance())

    def state(self) -> dict[str, Any]:
        """All that a run needs to go on as if it had never stopped."""
        return {
            "model": self.model.state_dict(),
            "ema": self.ema.model.state_dict(),
            "ema_updates": self.ema.updates,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "epoch": self.epoch,
            "images_since_start": self.images_since_start,
            "diary": self.diary.to_dict(),
            "options": asdict(self.options),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""
        self.model.load_state_dict(state["model"])
        self.ema.model.load_state_dict(state["ema"])
        self.ema.updates = state["ema_updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.epoch = state["step"], state["epoch"]
        self.images_since_start = state["images_since_start"]
        self.diary = Diary.from_dict(state["diary"])

    def restore_weights(self, weights: dict[str, torch.Tensor], step: int, epoch: float, diary: Diary) -> None:
        """Go on from averaged weights alone: the optimizer starts afresh, and the learning rate rises again.

        Args:
            weights: The averaged state.
            step: Steps behind it.
            epoch: Epochs behind it.
            diary: What it has been through.
        """
        # Copied into float32 tensors, so half precision comes back whole.
        self.model.load_state_dict(weights)
        self.ema.model.load_state_dict(self.model.state_dict())
        self.step, self.epoch, self.diary = step, epoch, diary
