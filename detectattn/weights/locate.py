"""From what the user calls a model to a file on disk: a registry name, a file, a folder, a URL."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Literal

from detectattn.errors import CorruptWeights, UnknownModel
from detectattn.fetch import OnProgress, check_scheme, compute_sha256, redact_url
from detectattn.storage import is_storage_url, parse_address
from detectattn.types import WeightsFile
from detectattn.user_paths import expand_home
from detectattn.weights.content import check_weights_content
from detectattn.weights.download import OnNotice, cached_url_path, download_model, download_url
from detectattn.weights.embedded import EMBEDDED_LICENSE, embedded_names, embedded_path
from detectattn.weights.registry import WEIGHTS_LICENSE, RegistryModel, find_model, suggest_names
from detectattn.weights.stored import download_folder

Format = Literal["pt", "safetensors", "onnx", "openvino", "tensorrt"]

_FORMATS: Mapping[str, Format] = {
    ".pt": "pt",
    ".onnx": "onnx",
    ".engine": "tensorrt",
    ".xml": "openvino",
    ".safetensors": "safetensors",
}
_FORMATS_IN_WORDS = "a .pt or .onnx file, or an OpenVINO folder (one .xml with its .bin)"


def locate_weights(
    model: str, *, offline: bool, on_notice: OnNotice, on_progress: OnProgress | None = None
) -> WeightsFile:
    """Find a model's weights, downloading what the cache lacks: naming a registry model or a URL consents to that.

    A registry or embedded name comes first, then a path, then a registry name with ``.pt`` where no such file is.

    Args:
        model: ``rtdetr-l``, ``yolo11n.pt``, a path, an OpenVINO folder, an http(s) URL, or one of
            object storage (``s3://…``), where a folder is an OpenVINO model.
        offline: Refuse every download.
        on_notice: Told the address and the size before a download.
        on_progress: Told how far it is.

    Raises:
        UnknownModel: No such name or file.
        CorruptWeights: A file or folder that is no model.
        ChecksumMismatch: Other bytes than those published or seen before.
        FetchError: It cannot be downloaded.
    """
    if is_storage_url(model):
        return _locate_stored(model, offline, on_notice, on_progress)
    if "://" in model:
        return _locate_url(model, offline, on_notice, on_progress)
    embedded = embedded_path(model.lower())
    if embedded is not None:
        return WeightsFile(embedded, compute_sha256(embedded), "safetensors", "embedded", EMBEDDED_LICENSE)
    path = expand_home(model)
    registered = find_model(model)
    if registered is not None and (path.suffix.lower() != ".pt" or not path.exists()):
        receipt = download_model(registered, offline=offline, on_notice=on_notice, on_progress=on_progress)
        return _describe_registered(registered, receipt.sha256)
    if not path.exists():
        raise _unknown(model, path)
    return _describe_folder(path) if path.is_dir() else _describe_file(path)


def _locate_url(url: str, offline: bool, on_notice: OnNotice, on_progress: OnProgress | None) -> WeightsFile:
    check_scheme(url)
    suffix = cached_url_path(url).suffix.lower()
    if suffix not in (".pt", ".onnx", ".engine"):
        raise UnknownModel(
            f"{redact_url(url)} does not end in a file name that tells its format",
            hint="Use an address that ends in .pt or .onnx",
        )
    path, receipt = download_url(url, offline=offline, on_notice=on_notice, on_progress=on_progress)
    return WeightsFile(path, receipt.sha256, _FORMATS[suffix], redact_url(url))


def _locate_stored(url: str, offline: bool, on_notice: OnNotice, on_progress: OnProgress | None) -> WeightsFile:
    key = parse_address(url).key
    form = _FORMATS.get(PurePosixPath(key).suffix.lower())
    if form in ("pt", "onnx", "tensorrt") and not key.endswith("/"):
        path, receipt = download_url(url, offline=offline, on_notice=on_notice, on_progress=on_progress)
        return WeightsFile(path, receipt.sha256, form, redact_url(url))
    folder = download_folder(url, offline=offline, on_notice=on_notice, on_progress=on_progress)
    return replace(_describe_folder(folder), origin=redact_url(url))


def _describe_registered(model: RegistryModel, sha256: str) -> WeightsFile:
    return WeightsFile(model.cached_path, sha256, "pt", redact_url(model.url), WEIGHTS_LICENSE)


def _describe_file(path: Path) -> WeightsFile:
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise UnknownModel(f"{path} is in no format that can be run here", hint=f"Use {_FORMATS_IN_WORDS}")
    if not os.access(path, os.R_OK):
        raise CorruptWeights(f"{path} cannot be read (permission denied)", hint="Check the permissions of the file")
    check_weights_content(path, str(path))
    sha256 = _hash_openvino(path) if form == "openvino" else compute_sha256(path)
    return WeightsFile(path, sha256, form, "local")


def _describe_folder(folder: Path) -> WeightsFile:
    models = sorted(folder.glob("*.xml"))
    others = sorted(folder.glob("*.onnx"))
    if not models and len(others) == 1:
        return _describe_file(others[0])
    if not models:
        raise UnknownModel(f"The folder {folder} holds no .xml, so it is no OpenVINO model", hint=_folder_hint(folder))
    if len(models) > 1:
        names = ", ".join(path.name for path in models)
        raise UnknownModel(f"The folder {folder} holds several models ({names})", hint="Name one of these files")
    return WeightsFile(folder, _hash_openvino(models[0]), "openvino", "local")


def _folder_hint(folder: Path) -> str:
    inside = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".pt", ".onnx"))
    return f"Name a model in it: {', '.join(inside[:3])}" if inside else f"Use {_FORMATS_IN_WORDS}"


def _hash_openvino(xml: Path) -> str:
    """SHA-256 over the bytes of the ``.xml`` and then of its ``.bin``."""
    digest = hashlib.sha256()
    binary = xml.with_suffix(".bin")
    if not binary.is_file():
        raise CorruptWeights(
            f"{xml} lacks its weights, {binary.name}", hint="Copy the whole folder that the export has made"
        )
    for path in (xml, binary):
        check_weights_content(path, str(path))
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _unknown(model: str, path: Path) -> UnknownModel:
    if path.suffix.lower() in _FORMATS or path.name != model:
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        near = get_close_matches(path.name, siblings, n=3, cutoff=0.6)
        hint = f"In that folder there is {' and '.join(near)}" if near else "Check the path"
        return UnknownModel(
            f"There is no model file {model}", hint=f"{hint}; for models that can be named see `detectattn models list`"
        )
    hint = f"{suggest_names(model, embedded_names())}, or give {_FORMATS_IN_WORDS}"
    return UnknownModel(f"There is no model or file {model!r}", hint=hint)
