"""Two kinds of checkpoint: a full one, to go on exactly, and half-precision weights, to keep in the repository."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from detectattn.weights.embedded_model import load_embedded_state, write_embedded_model
from training.diary import Diary
from training.recipe import load_config
from training.run import TrainingRun


def write_full(run: TrainingRun, path: Path) -> None:
    """Write all of a run's state, replacing the last one at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    torch.save(run.state(), draft)
    draft.replace(path)


def load_full(run: TrainingRun, path: Path) -> list[str]:
    """Put a run where a full checkpoint left off.

    Returns:
        The options that differ now, in words; with none, the run goes on as it would have.
    """
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    run.restore(state)
    now = asdict(run.options)
    return [f"{key} was {then} and is {now[key]}" for key, then in state["options"].items() if then != now[key]]


def write_weights(run: TrainingRun, path: Path) -> None:
    """Write the averaged weights in half precision, and beside them (``NAME.json``) what the run has been through."""
    path.parent.mkdir(parents=True, exist_ok=True)
    recipe = run.recipe
    write_embedded_model(path, run.ema.model.state_dict(), load_config(recipe.name), run.class_names, recipe.size_px)
    record = {
        "name": recipe.name,
        "step": run.step,
        "epoch": round(run.epoch, 4),
        **asdict(run.options),
        **run.diary.to_dict(),
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def load_weights(run: TrainingRun, path: Path) -> None:
    """Put a run on from a weights-only checkpoint; the optimizer starts afresh."""
    record = load_record(path)
    run.restore_weights(load_embedded_state(path), record["step"], record["epoch"], Diary.from_dict(record))


def load_record(path: Path) -> dict[str, Any]:
    """What :func:`write_weights` wrote beside the weights: name, step, epoch, options, sittings, history."""
    record: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return record
