"""Questions that only an import can answer, each asked in a process of its own.

    python probes.py NAME

prints one line of JSON. A package that crashes, hangs or leaves its process in disorder when it is imported, as
torchvision does beside another build of PyTorch, thereby harms nothing else. This file is run by its path and imports
nothing of the project.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any


def probe_torch() -> dict[str, Any]:
    """Version, and the accelerators that this build of PyTorch can use."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    properties = [torch.cuda.get_device_properties(index) for index in range(count)]
    return {
        "version": torch.__version__,
        "built_for": torch.version.cuda or torch.version.hip,
        "gpus": [{"name": p.name, "memory_bytes": p.total_memory} for p in properties],
        "mps": torch.backends.mps.is_available(),
    }


def probe_torchvision() -> dict[str, Any]:
    """Whether it can be imported at all."""
    return {"version": importlib.import_module("torchvision").__version__}


def probe_openvino() -> dict[str, Any]:
    """The devices that OpenVINO sees."""
    # Importing OpenVINO reports usage through this module; without it, it does not. None makes an import fail.
    modules: dict[str, Any] = sys.modules
    modules["openvino_telemetry"] = None
    import openvino

    core = openvino.Core()
    return {"devices": {name: core.get_property(name, "FULL_DEVICE_NAME").strip() for name in core.available_devices}}


def probe_onnxruntime() -> dict[str, Any]:
    """The execution providers that this build of ONNX Runtime has."""
    # Read on import, which otherwise leaves an identifier of this machine in the user's cache and reports to Microsoft.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return {"providers": onnxruntime.get_available_providers()}


def probe_tensorrt() -> dict[str, Any]:
    """Whether it can be imported."""
    return {"version": importlib.import_module("tensorrt").__version__}


def probe_nvidia() -> dict[str, Any]:
    """Driver and GPUs as NVIDIA's own tool sees them, whatever PyTorch was built for."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        raise FileNotFoundError("nvidia-smi is not there")
    command = [tool, "--query-gpu=driver_version,name", "--format=csv,noheader"]
    listed = subprocess.run(  # noqa: S603 - a fixed question to the driver's own tool
        command, capture_output=True, text=True, check=True, timeout=20
    ).stdout.splitlines()
    rows = [line.split(", ", maxsplit=1) for line in listed if ", " in line]
    return {"driver": rows[0][0], "names": [name for _, name in rows]}


def probe_numpy() -> dict[str, Any]:
    """Whether arrays can be computed."""
    import numpy as np

    return {"version": np.__version__, "total": int(np.arange(3).sum())}


def probe_opencv() -> dict[str, Any]:
    """Whether it decodes, and which windows it can open."""
    import cv2
    import numpy as np

    encoded = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1]
    if cv2.imdecode(encoded, cv2.IMREAD_COLOR) is None:
        raise RuntimeError("it decodes no JPEG")
    built_with = [line.split(":", maxsplit=1) for line in cv2.getBuildInformation().splitlines() if ":" in line]
    windows = next((value.strip() for key, value in built_with if key.strip() == "GUI"), "")
    return {
        "version": cv2.__version__,
        "windows": windows if windows != "NONE" else "",
    }


def probe_pillow() -> dict[str, Any]:
    """Which formats this build of Pillow decodes."""
    from PIL import __version__, features

    return {
        "version": __version__,
        "formats": {
            "JPEG": features.check("jpg"),
            "PNG": features.check("zlib"),
            "TIFF": features.check("libtiff"),
            "WebP": features.check("webp"),
            "AVIF": features.check("avif"),
            "JPEG 2000": features.check("jpg_2000"),
        },
    }


def probe_heif() -> dict[str, Any]:
    """Whether HEIC pictures can be decoded."""
    import pillow_heif

    return {"version": pillow_heif.__version__, "library": pillow_heif.libheif_version()}


def probe_av() -> dict[str, Any]:
    """Which codecs PyAV's FFmpeg has."""
    import av

    def has(name: str, mode: str) -> bool:
        try:
            av.codec.Codec(name, mode)
        except av.codec.codec.UnknownCodecError:
            return False
        return True

    decoders = ("h264", "hevc", "libdav1d", "libaom-av1", "vp9", "vp8", "mpeg4", "mjpeg")
    return {
        "version": av.__version__,
        "encoders": {name: has(name, "w") for name in ("libx264", "aac")},
        "decoders": {name: has(name, "r") for name in decoders},
    }


PROBES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "torch": probe_torch,
    "torchvision": probe_torchvision,
    "openvino": probe_openvino,
    "onnxruntime": probe_onnxruntime,
    "tensorrt": probe_tensorrt,
    "nvidia": probe_nvidia,
    "numpy": probe_numpy,
    "opencv": probe_opencv,
    "pillow": probe_pillow,
    "heif": probe_heif,
    "av": probe_av,
}


if __name__ == "__main__":
    print(json.dumps(PROBES[sys.argv[1]]()))
