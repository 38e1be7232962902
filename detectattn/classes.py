"""Class names: the ones COCO has, and finding the one that a person meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from detectattn.errors import UnknownClass

COCO_NAMES: tuple[str, ...] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
"""COCO's 80 classes, in the order that models trained on it use."""

_UNUSED_CATEGORY_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})

COCO80_TO_91: tuple[int, ...] = tuple(i for i in range(1, 91) if i not in _UNUSED_CATEGORY_IDS)
"""COCO's category id (1 to 90, with gaps) by class index (0 to 79)."""

COCO91_TO_80: Mapping[int, int] = {category_id: class_id for class_id, category_id in enumerate(COCO80_TO_91)}
"""Class index (0 to 79) by COCO's category id."""


def is_coco(class_names: Mapping[int, str]) -> bool:
    """Whether these are COCO's 80 classes in their usual order."""
    return len(class_names) == len(COCO_NAMES) and all(class_names.get(i) == n for i, n in enumerate(COCO_NAMES))


def to_category_id(class_id: int, class_names: Mapping[int, str]) -> int:
    """The id that COCO files use for a class: COCO's own for its 80 classes, else the index plus one."""
    return COCO80_TO_91[class_id] if is_coco(class_names) and class_id < len(COCO_NAMES) else class_id + 1


def nearest_names(name: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """The names most like ``name``, best first, whatever their case; empty when none resembles it."""
    by_folded: dict[str, str] = {}
    for candidate in names:
        by_folded.setdefault(candidate.casefold(), candidate)
    return [by_folded[folded] for folded in get_close_matches(name.casefold(), by_folded, n=limit)]


def resolve_class_ids(wanted: Sequence[str | int], class_names: Mapping[int, str]) -> list[int]:
    """Class indices for what a person wrote: names in any case, or indices.

    A name goes before an index: in a model with a class called ``"7"``, ``"7"`` means that class. A name that several
    classes share means all of them.

    Args:
        wanted: Names or indices (``"bus"``, ``5``, ``"5"``).
        class_names: Name by class index, of the model.

    Returns:
        Indices, each once, in the order in which they were first named.

    Raises:
        UnknownClass: The model has no such class; the message names the nearest.
    """
    found: dict[int, None] = {}
    for item in wanted:
        found.update(dict.fromkeys(_find_class(item, class_names)))
    return list(found)


def _find_class(item: str | int, class_names: Mapping[int, str]) -> list[int]:
    text = str(item).strip()
    matches = [i for i, name in class_names.items() if isinstance(item, str) and name.casefold() == text.casefold()]
    if matches:
        return sorted(matches)
    if text.isascii() and text.isdecimal() and int(text) in class_names:
        return [int(text)]
    raise UnknownClass(f"the model has no class {text!r}", hint=_suggest(text, class_names))


def _suggest(text: str, class_names: Mapping[int, str]) -> str:
    near = nearest_names(text, class_names.values())
    if near:
        return f"Did you mean {' or '.join(near)}?"
    if not class_names:
        return "The model carries no class names; leave --classes out"
    shown = ", ".join(list(class_names.values())[:10])
    more = f" and {len(class_names) - 10} more" if len(class_names) > 10 else ""
    return f"It has {shown}{more}, numbered {min(class_names)} to {max(class_names)}"
