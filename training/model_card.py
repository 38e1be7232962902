"""Write a model card: ``python -m training.model_card detectattn/assets/demo-rtdetr.safetensors``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.budget import Budget, compute_budget
from training.checkpoint import load_record
from training.recipe import RECIPES, Recipe

_WHAT = {
    "demo-rtdetr": "A small RT-DETR: HGNetV2 backbone, AIFI, deformable decoder of 4 layers and 150 queries.",
    "demo-yolo": "YOLO11n's architecture for six classes.",
}


def render_card(recipe: Recipe, record: Mapping[str, Any], accuracy: Mapping[str, Any], budget: Budget) -> str:
    """The card in Markdown.

    Args:
        recipe: How it was trained.
        record: What :func:`training.checkpoint.load_record` gives.
        accuracy: What ``training.evaluate`` wrote.
        budget: Its size and cost.
    """
    sections = (
        [
            f"# {recipe.name}",
            "",
            f"{_WHAT[recipe.name]} {budget.params_m:.2f} M parameters, {budget.gflops:.2f} GFLOPs at "
            f"{recipe.size_px}×{recipe.size_px}. Classes: {', '.join(accuracy['per_class'])}.",
            "",
            "**It knows drawn scenes, not photographs.** It was made so that the project can be tried, tested and "
            "shown without a download. For photographs use the official weights: `detectattn models pull rtdetr-l`.",
        ],
        _accuracy_section(accuracy),
        _training_section(recipe, record),
        [
            "## Limits",
            "",
            "- Photographs, other views than from above, and other classes are beyond it.",
            f"- Objects under about {_smallest(recipe)} px in a picture of 640 px are hardly resolved.",
            "- Its scores are not calibrated. Its errors say nothing about those of models of its family at large.",
            "",
            "Licence: AGPL-3.0-or-later, as of the project.",
        ],
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _accuracy_section(accuracy: Mapping[str, Any]) -> list[str]:
    first, last = accuracy["seeds"]
    shown = [key for key in accuracy if key.startswith(("ap", "ar_")) and accuracy[key] >= 0]
    return [
        "## Accuracy",
        "",
        f"On {last - first + 1} drawn scenes that it has never seen (seeds {first} to {last}, drawn at "
        f"{accuracy['drawn_px']} px by code `{accuracy['drawing']}`), by pycocotools, every score above 0.001:",
        "",
        *_table(("metric", "value"), [(key, f"{accuracy[key]:.3f}") for key in shown]),
        "",
        *_table(("class", "ap50_95"), [(name, f"{value:.3f}") for name, value in accuracy["per_class"].items()]),
    ]


def _training_section(recipe: Recipe, record: Mapping[str, Any]) -> list[str]:
    sittings = record["sittings"]
    hours = sum(sitting["train_s"] for sitting in sittings) / 3600
    images = sum(sitting["images"] for sitting in sittings)
    steps = sum(sitting["images"] // sitting["batch"] for sitting in sittings)
    watched = [(f"{h['epoch']:.1f}", f"{h['ap50_95']:.3f}", f"{h['ap50']:.3f}") for h in record["history"]]
    return [
        "## Training",
        "",
        f"From scratch, with `python -m training.train {recipe.name} --epochs {record['epochs']} "
        f"--scenes {sittings[-1]['scenes']}`: {record['epoch']:.1f} of {record['epochs']} epochs, {steps:,} "
        f"steps, {images:,} pictures, {hours:.1f} hours, seed {record['seed']}.",
        "",
        f"AdamW, learning rate {recipe.lr:g} falling along a cosine to {recipe.final_lr:.0%}, gradients clipped at "
        f"{recipe.clip_norm:g}, weights averaged with a decay of {recipe.ema_decay:g}. Scenes are turned by quarters, "
        "mirrored, zoomed, shifted and lit anew. The losses are Ultralytics'.",
        "",
        "By session; `drawing` is a fingerprint of the code that drew the scenes, `falls over` the epochs over which "
        "the learning rate was to fall:",
        "",
        *_table(_COLUMNS, [_session_row(sitting) for sitting in sittings]),
        "",
        "Seeds of training scenes count from 0, of validation scenes from 1,000,000; no scene is in both. On the "
        "validation scenes that were watched meanwhile:",
        "",
        *_table(("epoch", "mAP50-95", "mAP50"), watched),
    ]


_COLUMNS = ("session", "scenes", "drawing", "falls over", "batch", "pictures", "hours", "hardware")


def _session_row(sitting: Mapping[str, Any]) -> tuple[str, ...]:
    number_type = "bfloat16" if sitting["bf16"] else "float32"
    threads = f"{sitting['threads']} thread{'s' if sitting['threads'] != 1 else ''}"
    return (
        "fresh optimizer" if sitting["fresh_optimizer"] else "same optimizer",
        str(sitting["scenes"]),
        f"`{sitting['drawing']}`",
        f"{sitting['epochs']} epochs",
        str(sitting["batch"]),
        f"{sitting['images']:,}",
        f"{sitting['train_s'] / 3600:.2f}",
        f"{sitting['hardware']}, {threads}, {number_type}, torch {sitting['torch']}",
    )


def _smallest(recipe: Recipe) -> int:
    """A cell of the finest map, in pixels of a picture of 640."""
    return round(8 * 640 / recipe.size_px)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (titles, ["---"] * len(titles), *rows)]


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and write the card."""
    parser = argparse.ArgumentParser(prog="python -m training.model_card", description=__doc__)
    parser.add_argument("weights", type=Path, help="a .safetensors file that training.evaluate has measured")
    parser.add_argument("--out", type=Path, help="the card; by default NAME.md beside the weights")
    options = parser.parse_args(argv)
    recipe = RECIPES[options.weights.stem]
    accuracy = json.loads(options.weights.with_suffix(".accuracy.json").read_text(encoding="utf-8"))
    card = render_card(recipe, load_record(options.weights), accuracy, compute_budget(recipe))
    target = options.out or options.weights.with_suffix(".md")
    target.write_text(card, encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
