"""Train an embedded model on drawn scenes: ``python -m training.train demo-rtdetr --epochs 40``.

It needs nothing but the project's own environment with its development tools: the models and the losses are
Ultralytics', the loop is this one, so neither torchvision nor Ultralytics' trainer is involved.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from detectattn.weights.cache import cache_dir
from samples.scenes import CLASS_NAMES, TRAIN_SEEDS, VAL_SEEDS
from training.accuracy import compute_accuracy, make_ready
from training.checkpoint import load_full, load_weights, write_full, write_weights
from training.diary import Sitting, find_hardware
from training.log import TrainingLog
from training.recipe import RECIPES
from training.run import RunOptions, TrainingRun
from training.scene_cache import DRAWN_PX, LabelledScene, SceneSet, load_scenes

# What is trained is what is shipped.
CHECKPOINTS = Path(__file__).resolve().parents[1] / "detectattn" / "assets"
# Kept larger than the input is, so that a scene that is zoomed in on stays sharp.
_KEPT_PX = 416


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and train."""
    options = _parser().parse_args(argv)
    torch.set_num_threads(options.threads)
    folder: Path = options.folder
    log = TrainingLog(folder / options.model / "log.jsonl", options.log_every)
    train = _load("training", TRAIN_SEEDS[: options.scenes], _KEPT_PX, folder)
    val = _load("validation", VAL_SEEDS[: options.val_scenes], DRAWN_PX, folder)
    settings = RunOptions(options.epochs, options.seed, not options.fp32)
    run = TrainingRun(RECIPES[options.model], train, tuple(CLASS_NAMES), settings)
    sitting = Sitting(
        drawing=train.drawing,
        scenes=len(train),
        epochs=settings.epochs,
        batch=run.recipe.batch,
        threads=options.threads,
        hardware=find_hardware(),
        torch=str(torch.__version__),
        bf16=settings.bf16,
    )
    session = Session(run, log, list(val), options)
    session.start(sitting)
    session.train()


class Session:
    """One sitting of a run: when it validates, when it saves, when it stops.

    Args:
        run: The run.
        log: Where it tells what happens.
        val: Scenes to validate on.
        options: The command line.
    """

    def __init__(
        self, run: TrainingRun, log: TrainingLog, val: Sequence[LabelledScene], options: argparse.Namespace
    ) -> None:
        self._run = run
        self._log = log
        self._val = val
        self._options = options
        self._full: Path = options.folder / run.recipe.name / "last.pt"
        self._weights: Path = options.checkpoints / f"{run.recipe.name}.safetensors"
        self._stopped = False
        self._validated_epoch = 0
        self._validated_step = -1
        self._saved_s = self._started_s = time.monotonic()

    def start(self, sitting: Sitting) -> None:
        """Take up what there is to take up, and tell what is about to happen."""
        run, log = self._run, self._log
        if self._options.resume:
            log.note(self._resume(sitting))
        elif self._full.exists():
            raise SystemExit(f"{self._full} holds a run already: pass --resume to go on with it, or remove it")
        run.diary.sittings.append(sitting)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        self._validated_epoch = int(run.epoch)
        number_type = "bfloat16" if run.options.bf16 else "float32"
        log.note(
            f"{run.recipe.name}: epoch {run.epoch:.2f} of {run.options.epochs}, {run.steps_per_epoch} steps of "
            f"{run.recipe.batch} an epoch, {number_type}, {sitting.threads} threads, torch {sitting.torch}"
        )

    def train(self) -> None:
        """Step until the end, the time limit or a signal; then validate and save."""
        run, minutes = self._run, self._options.minutes
        deadline_s = self._started_s + 60 * minutes if minutes else float("inf")
        run.advance_until(lambda: self._stopped or time.monotonic() > deadline_s, self._after_step)
        self._save()
        self._validate()
        self._save()
        done = "finished" if run.progress >= 1 - 1e-9 else "stopped; --resume goes on"
        self._log.note(f"{run.recipe.name}: epoch {run.epoch:.2f} of {run.options.epochs}, {done}")

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _resume(self, sitting: Sitting) -> str:
        run = self._run
        if self._full.exists():
            changes = load_full(run, self._full)
            before = run.diary.sittings[-1]
            changes += [
                f"{key} was {getattr(before, key)} and is {getattr(sitting, key)}"
                for key in ("drawing", "scenes", "batch", "threads", "torch")
                if getattr(before, key) != getattr(sitting, key)
            ]
            return "; ".join([f"Going on from {self._full}", *changes])
        if not self._weights.exists():
            raise SystemExit(f"There is nothing to resume: neither {self._full} nor {self._weights} exists")
        load_weights(run, self._weights)
        sitting.fresh_optimizer = True
        return f"Going on from {self._weights}, of epoch {run.epoch:.2f}, with a fresh optimizer"

    def _after_step(self, parts: dict[str, float]) -> None:
        run = self._run
        self._log.add_step(run.step, run.epoch, parts)
        if int(run.epoch + 1e-9) >= self._validated_epoch + self._options.val_every:
            self._validate()
        if time.monotonic() - self._saved_s > 60 * self._options.save_minutes:
            self._save()

    def _validate(self) -> None:
        run = self._run
        self._validated_epoch = int(run.epoch + 1e-9)
        if self._val and run.step != self._validated_step:
            self._validated_step = run.step
            accuracy = compute_accuracy(make_ready(run.ema.model), self._val, run.class_names, run.recipe.size_px)
            figures = {key: round(accuracy.metrics[key], 4) for key in ("ap50_95", "ap50")}
            entry = {"epoch": round(run.epoch, 3), "step": run.step, "scenes": len(self._val), **figures}
            run.diary.history.append(entry)
            self._log.add_accuracy(run.step, run.epoch, len(self._val), accuracy)

    def _save(self) -> None:
        write_full(self._run, self._full)
        write_weights(self._run, self._weights)
        self._saved_s = time.monotonic()


def _load(kind: str, seeds: range, size_px: int, folder: Path) -> SceneSet:
    def tell(done: int, total: int) -> None:
        print(f"\r{done} of {total} {kind} scenes", end="\n" if done == total else "", flush=True)

    return load_scenes(seeds, size_px, folder / "scenes", tell)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    add: Callable[..., object] = parser.add_argument
    add("model", choices=sorted(RECIPES))
    add("--epochs", type=int, default=40, help="over which the learning rate falls")
    add("--resume", action="store_true", help="go on from the full checkpoint, or else from the weights-only one")
    add("--minutes", type=float, default=0, help="stop cleanly after that many, with a checkpoint")
    add("--scenes", type=int, default=4000, help="to learn from")
    add("--val-scenes", type=int, default=100, help="to validate on")
    add("--val-every", type=int, default=2, help="epochs from one validation to the next")
    add("--save-minutes", type=float, default=10, help="from one checkpoint to the next")
    add("--log-every", type=int, default=25, help="steps that a line of the log averages over")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=torch.get_num_threads())
    add("--fp32", action="store_true", help="do not compute in bfloat16")
    add("--folder", type=Path, default=cache_dir() / "training", help="of drawn scenes and full checkpoints")
    add("--checkpoints", type=Path, default=CHECKPOINTS, help="folder of weights-only checkpoints")
    return parser


if __name__ == "__main__":
    main()
