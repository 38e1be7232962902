"""Tell how a model's head writes its output, from metadata first and from shapes only where there is none."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from detectattn.engines.base import FitMode, HeadLayout
from detectattn.errors import CorruptWeights, WrongTask
from detectattn.types import Family
from detectattn.weights.class_names import read_class_names

_ATTENTION_GENERATIONS = ("yolo11", "yolov10", "yolov12", "yolo12", "yolo26")
# Our own exports say all of it under this key; no other exporter writes it.
OWN_KEY = "detectattn"
_FAMILIES = get_args(Family)
# Python needs a hundred bytes for a character of source, and the names of 21,841 classes are 1.5 MB.
_MAX_LITERAL = 2_000_000


def parse_metadata(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of an export with its values as Python literals (ONNX stores every value as text)."""
    return {key: _literal(value) for key, value in raw.items()}


def _literal(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > _MAX_LITERAL:
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return {"true": True, "false": False}.get(value.lower(), value)


def parse_class_names(metadata: Mapping[str, Any], where: str) -> dict[int, str]:
    """Class names by index.

    Raises:
        CorruptWeights: The metadata has none, or such as :func:`~detectattn.weights.class_names.read_class_names`
            refuses.
    """
    names = metadata.get("names")
    if isinstance(names, Mapping | list | tuple):
        return read_class_names(names, where)
    raise CorruptWeights(
        f"{where} names no classes in its metadata",
        hint="Export it with `detectattn export` or `yolo export`, which write them, or use the .pt file",
    )


def require_detection(metadata: Mapping[str, Any], where: str) -> None:
    """Refuse an export of another task.

    Raises:
        WrongTask: The metadata names another task than ``detect``.
    """
    task = metadata.get("task", "detect")
    if task != "detect":
        raise WrongTask(f"{where} is a model for {task!r}, not for detection", hint="Export a detection model")


def find_family(metadata: Mapping[str, Any]) -> Family:
    """The family of an export: as our own say it, else by its head, then by the model's name in its description."""
    own = find_own(metadata)
    if own is not None and own.get("family") in _FAMILIES:
        told: Family = own["family"]
        return told
    description = str(metadata.get("description", "")).lower()
    if metadata.get("head") == "RTDETRDecoder" or "rtdetr" in description or "rt-detr" in description:
        return "attention"
    return "hybrid" if any(name in description for name in _ATTENTION_GENERATIONS) else "cnn"


def find_own(metadata: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What an export of our own says of itself (``layout``, ``family``, …); None for one of another exporter."""
    own = metadata.get(OWN_KEY)
    return own if isinstance(own, Mapping) else None


def find_layout(metadata: Mapping[str, Any], shape: Sequence[int | None], n_classes: int, where: str) -> HeadLayout:
    """How to read an output of ``shape`` [B, …].

    Args:
        metadata: Of the export, parsed.
        shape: The first output's shape; None where a dimension is dynamic.
        n_classes: Number of classes.
        where: The file, for the message.

    Raises:
        CorruptWeights: Several layouts fit and the metadata does not tell, or none fits.
    """
    own = find_own(metadata)
    if own is not None:
        return _check_own(own, shape, n_classes, where)
    fitting = _layouts_of_shape(shape, n_classes)
    told = [layout for layout in fitting if _agrees(layout, metadata)]
    if len(told) == 1:
        return told[0]
    problem = (
        "fits no detection head" if not fitting else f"fits {len(fitting)} heads and its metadata does not say which"
    )
    raise CorruptWeights(
        f"{where} has an output of shape {list(shape)}, which {problem}",
        hint="Export it again with a current Ultralytics, which records the head, or use the .pt file",
    )


def _check_own(own: Mapping[str, Any], shape: Sequence[int | None], n_classes: int, where: str) -> HeadLayout:
    """The layout that an export of our own names, if its output can be that."""
    wide = 4 + n_classes
    # Where the columns or rows must be that many: boxes and scores of RT-DETR are two outputs, the boxes first.
    wanted: Mapping[HeadLayout, tuple[int, int]] = {
        "rtdetr_dense": (2, 4),
        "yolo_dense": (1, wide),
        "yolo_one2one": (2, wide),
    }
    for layout, (axis, length) in wanted.items():
        if layout == own.get("layout") and len(shape) == 3 and shape[axis] in (length, None):
            return layout
    raise CorruptWeights(
        f"{where} has an output of shape {list(shape)}, which is no {own.get('layout')!r} of {n_classes} classes",
        hint="Export it again: the model and its metadata do not belong together",
    )


def _layouts_of_shape(shape: Sequence[int | None], n_classes: int) -> list[HeadLayout]:
    if len(shape) != 3:
        return []
    _, rows, columns = shape
    wide = 4 + n_classes
    layouts: list[HeadLayout] = []
    if columns in (6, None):
        layouts += ["rtdetr_topk", "yolo_end2end"]
    if columns in (wide, None):
        layouts.append("rtdetr_dense")
    if rows in (wide, None):
        layouts.append("yolo_dense")
    return layouts


def _agrees(layout: HeadLayout, metadata: Mapping[str, Any]) -> bool:
    """Whether the metadata allows a layout; where it says nothing it allows all."""
    is_rtdetr = find_family(metadata) == "attention"
    if is_rtdetr != layout.startswith("rtdetr"):
        return False
    if layout in ("rtdetr_topk", "rtdetr_dense"):
        # Ultralytics writes `head` since its RT-DETR exports end in a top-k; files without it hold all classes.
        return ("head" in metadata) == (layout == "rtdetr_topk")
    options = metadata.get("args")
    in_graph = metadata.get("end2end") or (isinstance(options, Mapping) and options.get("nms"))
    return bool(in_graph) == (layout == "yolo_end2end") if in_graph is not None else layout == "yolo_dense"


def find_fit(layout: HeadLayout, *, own_shape_each: bool) -> FitMode:
    """RT-DETR stretches; YOLO letterboxes, to each picture's own rectangle where the model takes any size."""
    if layout.startswith("rtdetr"):
        return "stretch"
    return "letterbox_rect" if own_shape_each else "letterbox"
