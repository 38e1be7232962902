"""A model of several files in object storage, an OpenVINO folder, into the cache."""

from __future__ import annotations

from itertools import islice
from pathlib import Path, PurePosixPath

from detectattn.errors import Offline, UnknownModel
from detectattn.fetch import OnProgress, redact_url
from detectattn.storage import StorageAddress, parse_address
from detectattn.storage.listing import iter_objects
from detectattn.storage.requests import look_at
from detectattn.weights.download import OnNotice, cached_url_path, ensure_cached

_MOST_FILES = 1000


def download_folder(url: str, *, offline: bool, on_notice: OnNotice, on_progress: OnProgress | None = None) -> Path:
    """Make sure that an OpenVINO folder lies in the cache; what the first download brought is held to afterwards.

    Args:
        url: The folder, or the ``.xml`` in it.
        offline: Take what is in the cache, or fail.
        on_notice: Told what is downloaded, before it is.
        on_progress: Told how far each file is.

    Returns:
        The folder in the cache, with one ``.xml``.

    Raises:
        UnknownModel: There is no such folder, or not one OpenVINO model in it.
        FetchError: It is not in the cache and cannot be downloaded.
        ChecksumMismatch: A file was changed in the cache, or another one is there now than was first.
    """
    address = parse_address(url)
    named = PurePosixPath(address.key).name if address.key.lower().endswith(".xml") else ""
    key = address.key.removesuffix(named).rstrip("/")
    folder = StorageAddress(address.scheme, address.bucket, key)
    cached = cached_url_path(f"{folder.url}/{named}" if named else folder.url)
    target = cached.with_suffix("") if named else cached
    names = _list_cached(target)
    if not names:
        try:
            names = _list_stored(folder, named, offline)
        except Offline as error:
            problem = f"{redact_url(url)} is not in the cache, and the network is forbidden (--offline)"
            raise Offline(problem, hint="Leave --offline out, or give a local copy") from error
    for name in names:
        ensure_cached(
            target / name,
            folder.join(name).url,
            None,
            shown=redact_url(folder.join(name).url),
            offline=offline,
            on_notice=on_notice,
            on_progress=on_progress,
        )
    return target


def _list_cached(target: Path) -> list[str]:
    """The files of a folder that was downloaded whole; the ``.xml`` came last."""
    models = sorted(target.glob("*.xml"))
    if not models:
        return []
    return [path.name for path in sorted(target.iterdir()) if path.with_name(f"{path.name}.json").is_file()]


def _list_stored(folder: StorageAddress, named: str, offline: bool) -> list[str]:
    listed = (found.name for found in iter_objects(folder, offline=offline))
    names = [name for name in islice(listed, _MOST_FILES) if "/" not in name]
    models = [name for name in names if name.lower().endswith(".xml") and (not named or name == named)]
    shown = redact_url(folder.url)
    if len(models) > 1:
        raise UnknownModel(f"{shown} holds several models ({', '.join(models[:5])})", hint="Name one of these files")
    if not models and _is_run(folder, offline):
        raise UnknownModel(
            f"{shown} is a run and no model, and its records are read from a folder of this machine alone",
            hint="Copy its folder predictions here, and name that",
        )
    if not models:
        raise UnknownModel(
            f"{shown} holds no OpenVINO model, and its name does not tell another format",
            hint="Use an address that ends in .pt, .onnx or .engine, or a folder with one .xml and its .bin",
        )
    stem = PurePosixPath(models[0]).stem
    beside = [name for name in names if _belongs(PurePosixPath(name), stem)]
    return [*beside, models[0]]


def _is_run(folder: StorageAddress, offline: bool) -> bool:
    if look_at(folder.join("run.json"), offline=offline) is None:
        return False
    return next(iter_objects(folder, "predictions", offline=offline), None) is not None


def _belongs(path: PurePosixPath, stem: str) -> bool:
    if path.suffix.lower() == ".bin":
        return path.stem == stem
    return path.suffix.lower() in {".yaml", ".yml"} or path.name == "conversion.json"
