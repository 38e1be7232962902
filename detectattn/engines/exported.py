"""What exported models have in common: metadata, Ultralytics' or our own, and fixed or free input shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from detectattn.engines.base import EngineOptions, HeadLayout, ModelSpec
from detectattn.engines.layout import find_family, find_fit, find_layout, find_own
from detectattn.errors import BadImageSize, ConfigError, CorruptWeights

_ROWS_ARE_DETECTIONS: frozenset[HeadLayout] = frozenset({"rtdetr_dense", "rtdetr_topk", "yolo_end2end"})
# Of pixels, strides and rows: far above what any model has, far below what no memory holds.
_MOST = 100_000


def read_spec(
    metadata: Mapping[str, Any],
    class_names: Mapping[int, str],
    *,
    input_shape: Sequence[int | None],
    output_shape: Sequence[int | None],
    options: EngineOptions,
    where: str,
    engine: str,
    device: str,
    precision: str,
) -> ModelSpec:
    """The specification of an exported model.

    Args:
        metadata: As Ultralytics or :mod:`detectattn.conversion.metadata` writes it, parsed.
        class_names: Name by class index.
        input_shape: [N, 3, h, w], None where it is free.
        output_shape: Of the first output, None where it is free.
        options: What was asked for.
        where: The file, for messages.
        engine: Name of the engine.
        device: Where it runs.
        precision: In what precision.

    Raises:
        ConfigError: A cut of the decoder was asked for, which a finished graph does not allow.
        BadImageSize: The model was exported at another size than was asked for.
        CorruptWeights: The input is no picture, the output no detection head, or a number in the metadata none.
    """
    _refuse_cuts(options, where)
    if len(input_shape) != 4 or input_shape[1] not in (3, None):
        raise CorruptWeights(
            f"{where} takes an input of shape {list(input_shape)}, not a batch of pictures [N, 3, h, w]",
            hint="Export a detection model, with `detectattn export` or `yolo export`",
        )
    layout = find_layout(metadata, output_shape, len(class_names), where)
    fixed = input_shape[2] is not None and input_shape[3] is not None
    stride = _read_whole(metadata.get("stride", 32), "stride", where)
    return ModelSpec(
        family=find_family(metadata),
        class_names=class_names,
        layout=layout,
        fit=find_fit(layout, own_shape_each=not fixed and not options.square),
        net_hw=_find_size(metadata, input_shape, options, stride, where),
        stride=stride,
        engine=engine,
        device=device,
        precision=_find_precision(metadata, precision),
        fixed_batch=input_shape[0],
        max_det=_find_max_det(metadata, output_shape, where) if layout in _ROWS_ARE_DETECTIONS else None,
    )


def _find_precision(metadata: Mapping[str, Any], seen: str) -> str:
    """As an export of our own says it, where its engine saw nothing but single precision."""
    own = find_own(metadata) or {}
    return str(own["precision"]) if seen == "fp32" and own.get("precision") == "fp16" else seen


def _find_max_det(metadata: Mapping[str, Any], output_shape: Sequence[int | None], where: str) -> int | None:
    """As an export of our own says it, since ONNX may leave the number of rows open, else the number of rows."""
    own = find_own(metadata) or {}
    return _read_whole(own["max_det"], "max_det", where) if own.get("max_det") else output_shape[1]


def _read_whole(value: Any, name: str, where: str) -> int:
    if isinstance(value, int | float) and 1 <= value <= _MOST and value == int(value):
        return int(value)
    raise CorruptWeights(
        f"{where} has no whole number from 1 to {_MOST:,} as the {name} in its metadata",
        hint="Export it again: its metadata is damaged",
    )


def _refuse_cuts(options: EngineOptions, where: str) -> None:
    wanted = [f"{options.decoder_layers} decoder layers"] if options.decoder_layers is not None else []
    wanted += [f"{options.queries} queries"] if options.queries is not None else []
    if wanted:
        raise ConfigError(
            f"{where} cannot be run with {' and '.join(wanted)}: an export's graph is fixed",
            hint="Use the .pt file that it was exported from, or export it anew with --decoder-layers and --queries",
        )


def _find_size(
    metadata: Mapping[str, Any],
    input_shape: Sequence[int | None],
    options: EngineOptions,
    stride: int,
    where: str,
) -> tuple[int, int]:
    _, _, height, width = input_shape
    wanted = options.imgsz_hw
    if height is not None and width is not None:
        if wanted in (None, (height, width)):
            return height, width
        raise BadImageSize(
            f"{where} was exported for {height}×{width} and cannot take another image size",
            hint="Leave --imgsz out, or export the model at the size you want",
        )
    own = metadata.get("imgsz", 640)
    sides = own if isinstance(own, list | tuple) and own else [own]
    size = wanted or (_read_whole(sides[0], "imgsz", where), _read_whole(sides[-1], "imgsz", where))
    if any(side < stride or side % stride for side in size):
        raise BadImageSize(
            f"{where} cannot take an image size of {size[0]}×{size[1]}: each side must be a multiple of {stride}",
            hint=f"The nearest is {'×'.join(str(max(stride, round(s / stride) * stride)) for s in size)}",
        )
    return size
