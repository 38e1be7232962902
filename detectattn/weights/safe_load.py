"""Load a ``.pt`` checkpoint without running what it carries."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from detectattn.errors import CorruptWeights, UnsafeWeights, WrongTask
from detectattn.fetch import format_bytes
from detectattn.weights.class_names import read_class_names
from detectattn.weights.ultralytics_env import import_ultralytics_tasks

if TYPE_CHECKING:
    from torch import nn

_DETECTION_HEADS = frozenset({"Detect", "v10Detect", "RTDETRDecoder"})
_ARCHIVE_START = b"PK\x03\x04"
_MOST_UNPACKED = 10


def load_detection_model(path: Path, *, trusted: bool = False) -> nn.Module:
    """Load a detection model saved by Ultralytics, float32, evaluation mode, layers fused, on the CPU.

    The file is read with ``weights_only`` and Ultralytics' allow-list of model classes, so nothing in it is executed.

    Args:
        path: A ``.pt`` file.
        trusted: Load it by plain unpickling, which runs any code it holds (``--trust-weights``).

    Raises:
        CorruptWeights: The file is empty, cut short, no checkpoint, or holds no model.
        UnsafeWeights: It asks for something outside the allow-list; the message names it. Or it is an archive of far
            more than it weighs.
        WrongTask: It holds a model of another task.
    """
    if not trusted:
        _check_unpacked(path)
    checkpoint = _read_checkpoint(path, trusted=trusted)
    held = [checkpoint.get("ema"), checkpoint.get("model")] if isinstance(checkpoint, dict) else []
    model = next((module for module in held if _has_layers(module)), None)
    if model is None:
        raise CorruptWeights(
            f"{path} holds no Ultralytics model (it is a bare state dict or another framework's checkpoint)",
            hint="Save it with Ultralytics (model.save), or export it to ONNX and pass that",
        )
    _require_detection(model, path)
    names = getattr(model, "names", None)
    vars(model)["names"] = {} if names is None else read_class_names(names, str(path))
    return _ready(model, checkpoint)


def _check_unpacked(path: Path) -> None:
    """Refuse an archive whose members hold far more than it weighs: unpacking it would take all memory.

    PyTorch writes archives uncompressed. It reads compressed ones too, and weights that were packed again shrink by a
    tenth.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(len(_ARCHIVE_START)) != _ARCHIVE_START:
                return  # a bare pickle, as older versions wrote them
        packed = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            held = sum(member.file_size for member in archive.infolist())
    except Exception as error:
        raise _damaged(path, error) from error
    if held > _MOST_UNPACKED * packed:
        raise UnsafeWeights(
            f"{path} was not loaded: its {format_bytes(packed)} unpack to {format_bytes(held)}, and no checkpoint "
            f"shrinks to less than a tenth",
            hint="Do not use it, unless you know who made it; --trust-weights unpacks it all the same",
        )


def _read_checkpoint(path: Path, *, trusted: bool) -> Any:
    tasks = import_ultralytics_tasks()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols and archives; what matters of them is in our errors
            # Absolute, because a bare name that does not exist would be downloaded.
            checkpoint, _ = tasks.torch_safe_load(str(path.resolve()), safe_only=not trusted)
    except (ImportError, AttributeError) as error:
        if trusted:
            raise CorruptWeights(
                f"{path} needs code that is not installed here ({error})",
                hint="Install the package that defined the model, or export the model to ONNX where it exists",
            ) from error
        raise _refusal(path, error) from error
    except Exception as error:
        raise _refusal(path, error) from error
    return checkpoint


def _refusal(path: Path, error: Exception) -> CorruptWeights | UnsafeWeights:
    """Tell a file that asks for too much from one that is broken."""
    if wanted := find_unsafe_globals(path):
        return UnsafeWeights(
            f"{path} was not loaded: it asks for {', '.join(wanted)}, and unpickling that could run any code",
            hint="If you trust whoever made it, pass --trust-weights; else get the weights from their publisher",
        )
    if "TorchScript archive" in str(error):
        return CorruptWeights(
            f"{path} is a TorchScript archive, which is not run here",
            hint="Give the .pt file that it was made from, or export that to ONNX",
        )
    return _damaged(path, error)


def _damaged(path: Path, error: Exception) -> CorruptWeights:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CorruptWeights(
        f"{path} is not a loadable checkpoint: it is empty, cut short or damaged ({reason[:160]})",
        hint="Fetch or export it again, and compare its size with the original's",
    )


def find_unsafe_globals(path: Path) -> list[str]:
    """Names in a checkpoint's pickle that neither PyTorch nor the Ultralytics allow-list permits, sorted.

    Reads the pickle's opcodes only; nothing is executed. An unreadable file has none.
    """
    import torch

    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # noqa: BLE001 - a damaged file; the caller reports it as such
        return []
    return sorted(name for name in names if not name.startswith(("ultralytics.", "torch.nn.")))


def _has_layers(model: object) -> TypeGuard[nn.Module]:
    """Whether something is a module with a sequence of others as ``model``, as all of Ultralytics are."""
    from torch import nn

    layers = getattr(model, "model", None) if isinstance(model, nn.Module) else None
    return isinstance(layers, nn.Sequential) and len(layers) > 0


def _require_detection(model: nn.Module, path: Path) -> None:
    head = type(list(model.model)[-1]).__name__  # type: ignore[arg-type]  # Ultralytics models hold an nn.Sequential
    if head in _DETECTION_HEADS:
        return
    task = getattr(model, "task", None) or head
    raise WrongTask(
        f"{path} is a model for {task!r} (head {head}), not for detection",
        hint="Use a detection model, such as rtdetr-l or yolo11n (`detectattn models list`)",
    )


def _ready(model: nn.Module, checkpoint: dict[str, Any]) -> nn.Module:
    model = model.float()
    for module in model.modules():
        if type(module).__name__ == "Upsample" and not hasattr(module, "recompute_scale_factor"):
            vars(module)["recompute_scale_factor"] = None  # absent from checkpoints older than PyTorch 1.11
    trained = checkpoint.get("train_args")
    vars(model)["train_args"] = trained if isinstance(trained, dict) else {}
    fuse: Any = getattr(model, "fuse", None)
    fused: nn.Module = fuse(verbose=False) if callable(fuse) else model
    return fused.eval().requires_grad_(False)
