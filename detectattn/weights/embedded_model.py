"""The format of the embedded models: safetensors with the model's YAML, classes and image size in its metadata.

Nothing in such a file is executed: the tensors are raw numbers, the YAML is read by the safe loader, and only known
keys and modules are let through to what builds the model.
"""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from detectattn.errors import CorruptWeights
from detectattn.weights.class_names import read_class_names
from detectattn.weights.ultralytics_env import import_ultralytics_tasks
from detectattn.yaml_text import parse_yaml

if TYPE_CHECKING:
    import torch
    from torch import nn

_MODULES = frozenset(
    [
        "AIFI",
        "C2PSA",
        "C3k2",
        "Concat",
        "Conv",
        "DWConv",
        "Detect",
        "HGBlock",
        "HGStem",
        "RTDETRDecoder",
        "RepC3",
        "SPPF",
        "nn.Upsample",
    ]
)
# Others, such as ``activation``, would be evaluated.
_KEYS = frozenset({"nc", "depth_multiple", "width_multiple", "backbone", "head"})
_MAX_ROWS, _MAX_REPEATS, _MAX_ARGUMENT = 100, 32, 4096
_HINT = "Install the package again: its files are damaged"


def load_embedded_model(path: Path) -> nn.Module:
    """Load an embedded model as :func:`~detectattn.weights.safe_load.load_detection_model` loads a ``.pt`` file.

    Args:
        path: A ``.safetensors`` file that :func:`write_embedded_model` wrote.

    Returns:
        The model: float32, evaluation mode, layers fused, without gradients, on the CPU, with ``names`` and, in
        ``train_args``, its image size.

    Raises:
        CorruptWeights: The file is damaged, or is none of ours.
    """
    tensors, metadata = _read(path)
    try:
        config = parse_yaml(metadata["model_yaml"])
        if not isinstance(config, dict):
            raise ValueError("its model YAML is no mapping")
        class_names = read_class_names(json.loads(metadata["class_names"]), str(path))
        model = build_model(config, [class_names[index] for index in sorted(class_names)])
        model.load_state_dict(
            {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
        )
        size_px = int(metadata["imgsz"])
    except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise CorruptWeights(f"{path} holds no embedded model ({str(error)[:160]})", hint=_HINT) from error
    vars(model)["train_args"] = {"imgsz": size_px}
    fuse: Any = model.fuse
    fused: nn.Module = fuse(verbose=False)
    return fused.eval().requires_grad_(False)


def load_embedded_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of an embedded model by name, in the precision they are stored in.

    Raises:
        CorruptWeights: The file is damaged.
    """
    return _read(path)[0]


def build_model(config: Mapping[str, Any], class_names: Sequence[str]) -> nn.Module:
    """A model of freshly initialised weights, in training mode, not fused.

    Args:
        config: What a model YAML of Ultralytics says (``backbone``, ``head``, multiples).
        class_names: Names of its classes, in order.

    Raises:
        ValueError: It names a module or a key that the embedded models do not consist of.
    """
    if unknown := sorted(config.keys() - _KEYS):
        raise ValueError(f"the model YAML has keys that no embedded model has: {', '.join(unknown)}")
    rows = [*config["backbone"], *config["head"]]
    if unknown := sorted({str(row[2]) for row in rows} - _MODULES):
        raise ValueError(f"the model YAML names {', '.join(unknown)}, of which no embedded model is made")
    _check_sizes(rows)
    tasks = import_ultralytics_tasks()
    kind = tasks.RTDETRDetectionModel if rows[-1][2] == "RTDETRDecoder" else tasks.DetectionModel
    # Ultralytics writes into the configuration that it is given.
    model: nn.Module = kind({**copy.deepcopy(dict(config)), "nc": len(class_names)}, verbose=False)
    vars(model)["names"] = dict(enumerate(class_names))
    vars(model)["nc"] = len(class_names)
    return model


def _check_sizes(rows: Sequence[Any]) -> None:
    """Refuse what would take hours or all memory to build, before a tensor is compared."""
    if len(rows) > _MAX_ROWS:
        raise ValueError(f"the model YAML has {len(rows)} rows")
    for _, repeats, module, arguments in rows:
        if not isinstance(repeats, int) or not 1 <= repeats <= _MAX_REPEATS:
            raise ValueError(f"the model YAML repeats {module} {repeats!r} times")
        if too_large := [a for a in arguments if isinstance(a, int | float) and not abs(a) <= _MAX_ARGUMENT]:
            raise ValueError(f"the model YAML gives {module} the size {too_large[0]!r}")


def write_embedded_model(
    path: Path,
    state: Mapping[str, torch.Tensor],
    config: Mapping[str, Any],
    class_names: Sequence[str],
    size_px: int,
) -> None:
    """Write a model in half precision, replacing an older file at once or not at all.

    Vectors (biases, normalisation statistics) stay in float32: they are small, and variances may leave half's range.

    Args:
        path: The ``.safetensors`` file.
        state: The model's state, not fused.
        config: What its model YAML says.
        class_names: Names of its classes, in order.
        size_px: Side of the square input that it was trained for.
    """
    from safetensors.torch import save

    tensors = {
        name: (tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor).contiguous()
        for name, tensor in state.items()
    }
    metadata = {
        "model_yaml": yaml.safe_dump(dict(config), sort_keys=False, default_flow_style=None),
        "class_names": json.dumps(list(class_names)),
        "imgsz": str(size_px),
    }
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(save(tensors, metadata))
    draft.replace(path)


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as stream:
            return {name: stream.get_tensor(name) for name in stream.keys()}, stream.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError, struct.error) as error:
        raise CorruptWeights(f"{path} cannot be read as safetensors ({error})", hint=_HINT) from error
