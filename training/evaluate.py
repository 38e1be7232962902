"""Measure a model on unseen scenes: ``python -m training.evaluate detectattn/assets/demo-rtdetr.safetensors``.

The figures are COCO's twelve by pycocotools. Pictures are fitted and outputs decoded by the functions that the engines
use; every score above 0.001 counts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from detectattn.weights.cache import cache_dir
from detectattn.weights.embedded_model import load_embedded_model
from samples.scenes import CLASS_NAMES, VAL_SEEDS
from training.accuracy import compute_accuracy
from training.recipe import RECIPES
from training.scene_cache import DRAWN_PX, load_scenes

# Those before it steer the training: which checkpoint is kept, when it stops.
_FIRST_UNSEEN = 1000


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line, evaluate, print, and write ``NAME.accuracy.json`` beside the weights."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("weights", type=Path, help="a .safetensors file named after its recipe")
    parser.add_argument("--scenes", type=int, default=400, help="to test on")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--folder", type=Path, default=cache_dir() / "training", help="of drawn scenes")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    seeds = VAL_SEEDS[_FIRST_UNSEEN : _FIRST_UNSEEN + options.scenes]
    scenes = load_scenes(seeds, DRAWN_PX, options.folder / "scenes")
    recipe = RECIPES[options.weights.stem]
    accuracy = compute_accuracy(load_embedded_model(options.weights), scenes, CLASS_NAMES, recipe.size_px)
    for name, value in (*accuracy.metrics.items(), *accuracy.per_class.items()):
        print(f"{name:>14} {value:7.4f}")
    record = {
        "seeds": [seeds[0], seeds[-1]],
        "drawing": scenes.drawing,
        "drawn_px": DRAWN_PX,
        "size_px": recipe.size_px,
        **accuracy.to_dict(),
    }
    target = options.weights.with_suffix(".accuracy.json")
    target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
