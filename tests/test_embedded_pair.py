"""The shipped pair is what the project says: safe to load, small, of one cost, and good enough to be looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors import safe_open

from detectattn import Model
from detectattn.cli.demo_step import MODELS
from detectattn.evaluation.coco_metrics import compute_accuracy
from detectattn.evaluation.find_truth import find_truth, load_truth
from detectattn.evaluation.place_truth import place_truth
from detectattn.weights.embedded import embedded_names, embedded_path
from detectattn.weights.embedded_model import load_embedded_model
from samples.scenes import CLASS_NAMES
from training.budget import compute_budget
from training.recipe import RECIPES, load_config

# Of mAP50-95 on the shipped pictures, which are larger than the scenes that the models have learnt from.
FLOOR = 0.40
# Of mAP50-95 on 400 unseen scenes, as training.evaluate wrote it down: below, a model is not fit to ship.
FIT_TO_SHIP = 0.55

# The interpreter itself says whenever a pickle asks for a class or function.
_WATCH = """
import pickle, sys
from pathlib import Path
from detectattn.weights.embedded_model import load_embedded_model
from detectattn.weights.ultralytics_env import import_ultralytics_tasks
import_ultralytics_tasks()
asked = []
def listen(event, details):
    if event == "pickle.find_class":
        asked.append(details)
sys.addaudithook(listen)
for path in map(Path, sys.argv[1:]):
    assert len(list(load_embedded_model(path).parameters())) > 50
assert asked == [], asked
pickle.loads(pickle.dumps(Path()))
assert asked, "the watcher is blind"
"""


def find_file(name: str) -> Path:
    path = embedded_path(name)
    assert path is not None
    return path


@cache
def read_metadata(name: str) -> dict[str, str]:
    with safe_open(find_file(name), "pt") as stream:
        metadata: dict[str, str] = stream.metadata()
    return metadata


def test_the_pair_is_all_that_is_embedded() -> None:
    assert embedded_names() == sorted(MODELS) == sorted(RECIPES)


def test_they_load_without_unpickling() -> None:
    words = [sys.executable, "-c", _WATCH, *(str(find_file(name)) for name in MODELS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODELS)
def test_a_file_is_small_and_comes_with_its_card(name: str) -> None:
    path = find_file(name)
    assert path.stat().st_size < 8_000_000
    card = path.with_suffix(".md").read_text()
    assert "It knows drawn scenes, not photographs" in card
    assert "`detectattn models pull rtdetr-l`" in card
    accuracy = json.loads(path.with_suffix(".accuracy.json").read_text())
    assert f"| ap50_95 | {accuracy['ap50_95']:.3f} |" in card
    assert accuracy["seeds"][0] >= 1_001_000, "measured on scenes that did not steer the training"


@pytest.mark.parametrize("name", MODELS)
def test_a_file_holds_what_the_training_builds(name: str) -> None:
    """So that what is counted for a recipe holds for the file."""
    metadata = read_metadata(name)
    assert yaml.safe_load(metadata["model_yaml"]) == load_config(name)
    assert int(metadata["imgsz"]) == RECIPES[name].size_px
    assert tuple(json.loads(metadata["class_names"])) == CLASS_NAMES


def test_the_pair_costs_about_the_same() -> None:
    costs = sorted(compute_budget(RECIPES[name]).gflops for name in MODELS)
    assert costs[1] / costs[0] <= 1.15


def test_the_decoder_has_something_to_cut() -> None:
    model: Any = load_embedded_model(find_file("demo-rtdetr"))
    head = model.model[-1]
    assert head.num_decoder_layers == len(head.decoder.layers) >= 4
    assert head.num_queries >= 150


@pytest.mark.parametrize("name", MODELS)
def test_they_find_what_the_shipped_pictures_show(name: str, street_images: Path) -> None:
    with Model(name) as model:
        predictions = [shot.prediction for shot in model.predict(street_images, conf=0.001)]
    location = find_truth([street_images])
    assert location is not None
    sizes = {(p.source, p.index): p.size_hw for p in predictions}
    accuracy = compute_accuracy(place_truth(load_truth(location), sizes, [street_images]), predictions)
    assert (accuracy.image_count, accuracy.missing_count) == (24, 0)
    assert accuracy.ap50_95 is not None
    assert accuracy.ap50_95 >= FLOOR
    assert all(of_class.ap50_95 for of_class in accuracy.per_class.values())


@pytest.mark.parametrize("name", MODELS)
def test_they_are_fit_to_ship_and_the_card_says_how_good_they_are(name: str) -> None:
    """What was measured on unseen scenes is that of these weights, and stands in the card."""
    measured = json.loads(find_file(name).with_suffix(".accuracy.json").read_text())
    assert measured["ap50_95"] >= FIT_TO_SHIP
    first, last = measured["seeds"]
    assert last - first + 1 == 400
    card = find_file(name).with_suffix(".md").read_text()
    assert f"| ap50_95 | {measured['ap50_95']:.3f} |" in card
