"""What is not as it was: images, ground truth, models, options, versions, machine, command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from detectattn.compare.changes.side import Side
from detectattn.compare.gate_values import section
from detectattn.report.changes import ConditionChange, ConditionTopic, ImageChanges
from detectattn.report.plain import to_plain

_MODEL_FACTS = {
    "sha256": "checksum of {} (SHA-256)",
    "file": "file of {}",
    "family": "family of {}",
    "engine": "engine of {}",
    "device": "device of {}",
    "precision": "precision of {}",
    "net_hw": "input size of {}",
    "variant": "variant of {}",
    "conf_reason": "operating point of {} comes from",
}
_IMAGE_FACTS = {
    "sources": "sources",
    "images": "images",
    "image_failures": "inputs that could not be read",
    "median_size_hw": "median size of the images",
    "matched_pixels": "as many network pixels for all models",
}
_TRUTH_FACTS = ("path", "format", "images", "objects", "classes", "notes")
_RULES = {
    "rounds": "rounds of timing",
    "sittings": "sittings of timing",
    "pictures_a_round": "pictures a round",
    "conf": "--conf",
    "iou": "IoU of non-maximum suppression",
    "accuracy_conf": "least score for accuracy",
    "max_det": "detections an image at most",
    "seed": "--seed",
    "resamples": "resamples of the bootstrap",
}
# Said elsewhere: what takes part, by what it was, and rules that the report has under conditions.
_OPTIONS_LEFT_OUT = frozenset({"model", "conf", "seed", "truth"})


def compare_conditions(
    before: Side, after: Side, names: Mapping[str, str], images: ImageChanges | None
) -> tuple[ConditionChange, ...]:
    """Everything that differs, in the order in which it matters.

    Args:
        before: The first study.
        after: The second.
        names: What each model of the second is called in the first.
        images: Which pictures took part.
    """
    then, now = (section(side.content, "conditions") for side in (before, after))
    return tuple(
        change
        for changes in (
            _differ("images", then, now, _IMAGE_FACTS),
            _compare_truth(then, now, images),
            _compare_models(before, after, names),
            _differ("options", then, now, _RULES),
            _compare_options(before, after),
            _compare_maps("versions", before, after),
            _compare_maps("machine", before, after),
            _compare_commands(before, after),
        )
        for change in changes
    )


def _differ(
    topic: ConditionTopic, then: Mapping[str, Any], now: Mapping[str, Any], facts: Mapping[str, str]
) -> Iterator[ConditionChange]:
    for key, what in facts.items():
        old, new = to_plain(then.get(key)), to_plain(now.get(key))
        if old != new:
            yield ConditionChange(topic, what, old, new)


def _compare_truth(
    then: Mapping[str, Any], now: Mapping[str, Any], images: ImageChanges | None
) -> Iterator[ConditionChange]:
    old, new = section(then, "truth"), section(now, "truth")
    if bool(old) != bool(new):
        yield ConditionChange("truth", "ground truth", to_plain(old.get("path")), to_plain(new.get("path")))
        return
    yield from _differ("truth", old, new, {key: f"{key} of the ground truth" for key in _TRUTH_FACTS})
    if images is not None and images.relabelled:
        count = len(images.relabelled)
        yield ConditionChange("truth", "shared images with other objects in them", 0, count)


def _compare_models(before: Side, after: Side, names: Mapping[str, str]) -> Iterator[ConditionChange]:
    for name, earlier in names.items():
        then, now = before.entry(earlier), after.entry(name)
        yield from _differ("model", then, now, {key: what.format(name) for key, what in _MODEL_FACTS.items()})


def _compare_options(before: Side, after: Side) -> Iterator[ConditionChange]:
    if before.records is None or after.records is None:
        return
    then, now = asdict(before.records.config), asdict(after.records.config)
    facts = {key: f"--{key.replace('_', '-')}" for key in now if key not in _OPTIONS_LEFT_OUT}
    yield from _differ("options", then, now, facts)


def _compare_maps(topic: ConditionTopic, before: Side, after: Side) -> Iterator[ConditionChange]:
    then, now = section(before.content, topic), section(after.content, topic)
    yield from _differ(topic, then, now, {key: str(key).replace("_", " ") for key in dict.fromkeys([*now, *then])})


def _compare_commands(before: Side, after: Side) -> Iterator[ConditionChange]:
    yield from _differ("command", before.content, after.content, {"command": "command"})
