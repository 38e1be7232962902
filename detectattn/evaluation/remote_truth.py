"""Ground truth in object storage: its own files are copied into the cache, never the pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from detectattn.errors import BrokenTruth, Offline
from detectattn.fetch import redact_url
from detectattn.sources.suffixes import IMAGE_SUFFIXES
from detectattn.storage import StorageAddress, StoredObject, parse_address
from detectattn.storage.listing import iter_objects
from detectattn.storage.mirror import Mirror
from detectattn.storage.requests import look_at
from detectattn.weights.cache import cache_dir

_YAML = (".yaml", ".yml")
_LABELS = frozenset({".txt", ".xml", ".yaml", ".yml"})
# COCO files are large; one is looked for where a local one would be, in the folder and right below it.
_JSON_DEPTH = 2
_LEVELS_ABOVE = 4


def copy_truth(url: str, *, offline: bool = False) -> Path:
    """Copy ground truth into the cache, and give the file or folder that stands for what was named.

    Of a ``.json`` or ``.xml`` that is the file. Of a ``data.yaml`` or a folder it is the texts below it, and an empty
    file for each picture, since one without labels counts as a picture without objects. What has not changed since it
    was copied is not read again.

    Args:
        url: What a person named.
        offline: Take what was copied before, or fail.

    Returns:
        Its local path, with the names that the store has.

    Raises:
        BrokenTruth: There is nothing of that name.
        Offline: It was never copied, and the network is forbidden.
        FetchError: It cannot be read.
    """
    address = parse_address(url)
    mirror = Mirror(cache_dir() / "truth" / hashlib.sha256(address.url.rstrip("/").encode()).hexdigest()[:16])
    local = mirror.folder / address.key.rstrip("/")
    if offline and address.scheme != "memory":
        if mirror.is_complete:
            return local
        problem = f"{redact_url(url)} is not in the cache, and the network is forbidden (--offline)"
        raise Offline(problem, hint="Leave --offline out, or give a local copy")
    bucket = StorageAddress(address.scheme, address.bucket, "")
    found = look_at(address)
    if found is not None and not address.key.lower().endswith(_YAML):
        mirror.update(bucket, [found])
        return local
    folder = address.key.rstrip("/") if found is None else address.key.rpartition("/")[0]
    texts, pictures = _list_tree(bucket, folder)
    if found is None and not texts and not pictures:
        raise BrokenTruth(f"there is no {redact_url(url)}", hint="Check the address; upper and lower case differ")
    above = _iter_yaml_above(bucket, folder) if found is None else iter(())
    mirror.update(bucket, [*texts, *above], [*pictures, *_iter_pictures_beside(bucket, folder)])
    return local


def _list_tree(bucket: StorageAddress, folder: str) -> tuple[list[StoredObject], list[str]]:
    """The texts below a folder, and the names of the pictures."""
    texts, pictures = list[StoredObject](), list[str]()
    for found in _iter_below(bucket, folder):
        suffix = PurePosixPath(found.name).suffix.lower()
        depth = found.name.count("/") - (folder.count("/") + 1 if folder else 0) + 1
        if suffix in _LABELS or (suffix == ".json" and depth <= _JSON_DEPTH):
            texts.append(found)
        elif suffix in IMAGE_SUFFIXES:
            pictures.append(found.name)
    return texts, pictures


def _iter_below(bucket: StorageAddress, folder: str) -> Iterator[StoredObject]:
    """What lies below a folder, under names from the bucket on."""
    start = f"{folder}/" if folder else ""
    for found in iter_objects(bucket.join(folder) if folder else bucket):
        yield StoredObject(start + found.name, found.size_bytes, found.mark)


def _iter_yaml_above(bucket: StorageAddress, folder: str) -> Iterator[StoredObject]:
    """A ``data.yaml`` in the folders above, which says what the classes of a folder of labels are called."""
    parts = folder.split("/")
    for depth in range(len(parts) - 1, max(-1, len(parts) - 1 - _LEVELS_ABOVE), -1):
        for name in ("data.yaml", "data.yml"):
            found = look_at(bucket.join("/".join([*parts[:depth], name])))
            if found is not None:
                yield found


def _iter_pictures_beside(bucket: StorageAddress, folder: str) -> Iterator[str]:
    """The names of the pictures in ``images/`` that labels in ``labels/`` are of."""
    parts = folder.split("/")
    at = next((i for i in reversed(range(len(parts))) if parts[i] == "labels"), None)
    if at is not None:
        images = "/".join([*parts[:at], "images", *parts[at + 1 :]])
        for found in _iter_below(bucket, images):
            if PurePosixPath(found.name).suffix.lower() in IMAGE_SUFFIXES:
                yield found.name
