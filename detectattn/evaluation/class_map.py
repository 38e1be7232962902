"""Which class of the ground truth a model's class is: by name, never by index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from detectattn.classes import nearest_names
from detectattn.errors import ConfigError, TruthMismatch
from detectattn.evaluation.truth import GroundTruth
from detectattn.yaml_text import BrokenYaml, read_yaml


@dataclass(frozen=True, slots=True)
class UnmatchedClass:
    """A class that only one side knows.

    Attributes:
        name: What it is called there.
        nearest: The names of the other side most like it, best first.
    """

    name: str
    nearest: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} (nearest: {' or '.join(self.nearest)})" if self.nearest else self.name


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Which of a model's classes is which of the ground truth's.

    Attributes:
        truth_index: Index of the ground truth's class by the model's class index; unmatched classes are missing.
        only_truth: Classes with objects in these images that the model cannot find.
        only_model: Classes of the model that the ground truth lacks; their detections are left out.
    """

    truth_index: Mapping[int, int]
    only_truth: tuple[UnmatchedClass, ...]
    only_model: tuple[UnmatchedClass, ...]


def build_class_map(truth: GroundTruth, model_names: Mapping[int, str], model: str = "the model") -> ClassMap:
    """Match classes by name, regardless of case.

    Args:
        truth: Gives the ground truth's names, and what ``--class-map`` adds to them.
        model_names: Name by class index, all that the model has.
        model: What the model is called, for messages.

    Raises:
        TruthMismatch: They have no class in common; the message names the nearest.
    """
    found = {class_id: truth.find_class(name) for class_id, name in model_names.items()}
    truth_index = {class_id: index for class_id, index in found.items() if index is not None}
    present = [truth.class_names[i] for i in np.flatnonzero(truth.count_objects().sum(axis=0))]
    matched = {truth.class_names[i] for i in truth_index.values()}
    only_truth = tuple(_unmatched(name, model_names.values()) for name in present if name not in matched)
    only_model = tuple(_unmatched(model_names[i], truth.class_names) for i, index in found.items() if index is None)
    if not truth_index:
        raise TruthMismatch(
            f"{model} and the ground truth have no class in common: the truth has {_list(truth.class_names)}, "
            f"the model has {_list(model_names.values())}",
            hint=_suggest_map(only_truth or tuple(_unmatched(n, model_names.values()) for n in truth.class_names)),
        )
    return ClassMap(truth_index, only_truth, only_model)


def load_class_map(path: Path) -> dict[str, str]:
    """The model's name by the ground truth's, from a YAML file of lines ``truth name: model name``.

    Raises:
        ConfigError: It cannot be read, or is no such list.
    """
    hint = "Write a line for each class: `truth name: model name`"
    try:
        content = read_yaml(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except BrokenYaml as error:
        raise ConfigError(f"{path} is broken YAML ({error})", hint=hint) from error
    if not isinstance(content, dict) or not content:
        raise ConfigError(f"{path} holds no class names", hint=hint)
    for name, target in content.items():
        if isinstance(target, list | dict) or target is None:
            raise ConfigError(f"{path}: {name} must have one name, got {target!r}", hint=hint)
    return {str(name): str(target) for name, target in content.items()}


def apply_class_map(truth: GroundTruth, renames: Mapping[str, str]) -> GroundTruth:
    """Let classes of the ground truth also go by the names that models have for them.

    Classes that are given one and the same name become one class: a model that calls cars and vans ``car`` cannot tell
    them apart. It keeps all their names, so that a model that does tell them apart is judged on the same terms. Classes
    whose names differ in case alone become one as well.

    Args:
        truth: The ground truth.
        renames: The model's name by the ground truth's.

    Raises:
        ConfigError: The ground truth has no class of a name; the nearest is named.
    """
    own = {name.strip().casefold(): index for index, name in enumerate(truth.class_names)}
    targets = dict(enumerate(truth.class_names))
    for name, target in renames.items():
        index = own.get(name.strip().casefold())
        if index is None:
            near = nearest_names(name, truth.class_names)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {_list(truth.class_names)}"
            raise ConfigError(f"--class-map: the ground truth has no class {name!r}", hint=hint)
        targets[index] = target
    groups: dict[str, list[int]] = {}
    for index, target in targets.items():
        groups.setdefault(target.strip().casefold(), []).append(index)
    return _merge(truth, targets, list(groups.values()))


def _merge(truth: GroundTruth, targets: Mapping[int, str], groups: list[list[int]]) -> GroundTruth:
    new_index = np.zeros(len(truth.class_names), np.int32)
    names, aliases = [], dict[str, int]()
    for new, members in enumerate(groups):
        new_index[members] = new
        names.append(truth.class_names[members[0]] if len(members) == 1 else targets[members[0]])
        for member in members:
            aliases.update({n.strip().casefold(): new for n in (truth.class_names[member], targets[member])})
    aliases |= {name: int(new_index[index]) for name, index in truth.aliases.items() if name not in aliases}
    images = {key: replace(image, class_index=new_index[image.class_index]) for key, image in truth.images.items()}
    return replace(truth, class_names=tuple(names), images=images, aliases=aliases)


def _unmatched(name: str, others: Iterable[str]) -> UnmatchedClass:
    return UnmatchedClass(name, tuple(nearest_names(name, others)))


def _suggest_map(unmatched: tuple[UnmatchedClass, ...]) -> str:
    lines = [f"{u.name}: {u.nearest[0]}" for u in unmatched if u.nearest]
    example = f", such as `{lines[0]}`" if lines else ""
    return f"Say which is which with --class-map, a YAML file of lines `truth name: model name`{example}"


def _list(names: Iterable[str]) -> str:
    listed = list(dict.fromkeys(names))
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
