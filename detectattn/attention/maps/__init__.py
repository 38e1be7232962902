"""Maps of where a detection comes from: one file a method, one line here to make it known."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from detectattn.attention.maps.base import Choice, Evidence, MapBuilder, Method, Need
from detectattn.attention.project import to_shares
from detectattn.errors import ConfigError
from detectattn.results.attention import AttentionRecord, DetectionMap

_HERE = "detectattn.attention.maps"

METHODS: Mapping[str, Method] = {
    "cross_last": Method(
        "Cross-attention, last layer",
        "Where the detection's query samples the picture in the decoder's last layer",
        "cross",
        f"{_HERE}.cross_last:map_cross_last",
        selects=("layer", "head"),
    ),
    "cross_all": Method(
        "Cross-attention, all layers",
        "Where the detection's query samples the picture, averaged over the decoder's layers",
        "cross",
        f"{_HERE}.cross_all:map_cross_all",
        selects=("head",),
    ),
    "rollout": Method(
        "Attention rollout",
        "Attention followed from the query back through the decoder and the encoder, residuals included",
        "cross",
        f"{_HERE}.rollout:map_rollout",
    ),
    "encoder_rows": Method(
        "Self-attention of the box",
        "What the places inside the box attend to in the encoder, before there is a detection",
        "grid",
        f"{_HERE}.encoder_rows:map_encoder_rows",
        selects=("layer", "head"),
    ),
    "layercam": Method(
        "LayerCAM",
        "Which places of the head's feature maps speak for the detection, by the gradient of its own score",
        "head_gradient",
        f"{_HERE}.layercam:map_layercam",
    ),
    "hirescam": Method(
        "HiResCAM",
        "Which places of the head's feature maps raise the score more than they lower it, to first order",
        "head_gradient",
        f"{_HERE}.hirescam:map_hirescam",
    ),
    "input_gradient": Method(
        "Input gradient",
        "Details of the picture that raise the score, to first order",
        "pixel_gradient",
        f"{_HERE}.input_gradient:map_input_gradient",
    ),
    "box_blob": Method(
        "Blob on the box",
        "Nothing but the box itself: what a map must beat to say more",
        "box",
        f"{_HERE}.box_blob:map_box_blob",
    ),
    "random": Method(
        "Random",
        "Nothing at all: what a map must beat to say anything",
        "box",
        f"{_HERE}.random_noise:map_random",
    ),
}
BASELINES = ("box_blob", "random")
"""Methods that know nothing of the model."""

_WANTED: Mapping[Need, str] = {
    "cross": "deformable cross-attention",
    "grid": "self-attention over a feature map",
    "head_gradient": "gradients",
    "pixel_gradient": "gradients as far as the picture",
}


def list_methods(record: AttentionRecord) -> tuple[str, ...]:
    """The methods that a model with this attention can be drawn with, in the order of :data:`METHODS`."""
    return tuple(name for name, method in METHODS.items() if _has(record, method.needs))


def build_map(name: str, evidence: Evidence, detection: int, choice: Choice | None = None) -> DetectionMap:
    """Where one detection comes from, according to one method.

    Args:
        name: A key of :data:`METHODS`.
        evidence: Of the picture; with gradients if the method needs them.
        detection: Row of ``evidence.detections``.
        choice: Head, layer, seed.

    Returns:
        The map; its pixels sum to 1, or are all zero where the method finds nothing in the picture.

    Raises:
        ConfigError: There is no such method, it does not fit the model, or there is no such head or layer.
    """
    if name not in METHODS:
        raise ConfigError(f"there is no map {name!r}", hint=f"Choose one of: {', '.join(METHODS)}")
    method = METHODS[name]
    if not _has(evidence.record, method.needs):
        raise ConfigError(
            f"the map {name!r} needs {_WANTED[method.needs]}, of which this model has none",
            hint=f"Choose one of: {', '.join(list_methods(evidence.record))}",
        )
    if not _is_computed(evidence, method.needs):
        raise ValueError(f"the map {name!r} needs {_WANTED[method.needs]}, which were not computed")
    values = _load(method.target)(evidence, detection, choice or Choice())
    return DetectionMap(name, to_shares(values))


def _has(record: AttentionRecord, need: Need) -> bool:
    if need == "cross":
        return bool(record.cross_attention)
    return need != "grid" or any(block.grid_hw is not None for block in record.self_attention)


def _is_computed(evidence: Evidence, need: Need) -> bool:
    gradients = evidence.gradients
    if need == "pixel_gradient":
        return gradients is not None and gradients.pixels is not None
    return need != "head_gradient" or gradients is not None


def _load(target: str) -> MapBuilder:
    module, _, attribute = target.partition(":")
    builder: MapBuilder = getattr(import_module(module), attribute)
    return builder
