"""What lies below an address, as it is listed: a page of S3 at a time, elsewhere a folder at a time.

Names come in the order of their characters' code points, which is that of their UTF-8 bytes, as S3 lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from detectattn.errors import FetchError, ObjectNotFound
from detectattn.storage.addresses import StorageAddress
from detectattn.storage.base import StoredObject
from detectattn.storage.requests import ask, to_object
from detectattn.storage.translate import to_no_bucket


def iter_objects(address: StorageAddress, prefix: str = "", *, offline: bool = False) -> Iterator[StoredObject]:
    """Yield the objects below a folder, ordered by name; markers of folders, whose keys end with a slash, are left out.

    Args:
        address: A folder or a bucket; a slash at its end may be missing.
        prefix: Yield only what is called so from the start, below the folder.
        offline: Refuse before anything is sent.

    Raises:
        ObjectNotFound: There is no such bucket; a folder that is not there holds nothing.
        FetchError: It cannot be listed; some may have been yielded.
    """
    folder = StorageAddress(address.scheme, address.bucket, f"{address.key.rstrip('/')}/" if address.key else "")
    if folder.scheme in {"s3", "s3a"}:
        return _iter_pages(folder, prefix, offline)
    return _iter_folder(folder, "", prefix, offline)


def _iter_pages(folder: StorageAddress, prefix: str, offline: bool) -> Iterator[StoredObject]:
    start, place = len(folder.key), dict[str, str]()
    while True:
        page = _fetch_page(folder, prefix, place, offline)
        for found in page.get("Contents", ()):
            name = found["Key"][start:]
            if name and not name.endswith("/"):
                yield StoredObject(name, int(found["Size"]), str(found.get("ETag", "")))
        if not page.get("IsTruncated"):
            return
        place = {"ContinuationToken": page["NextContinuationToken"]}


def _fetch_page(folder: StorageAddress, prefix: str, place: dict[str, str], offline: bool) -> Any:
    def request(system: Any) -> Any:
        # s3fs alone knows which part of a long name of Amazon's (arn:aws:s3:…) is the bucket.
        bucket, key, _ = system.split_path(f"{folder.path}x")
        return system.call_s3("list_objects_v2", Bucket=bucket, Prefix=f"{key[:-1]}{prefix}", **place)

    return ask(folder, request, offline=offline)


def _iter_folder(root: StorageAddress, below: str, prefix: str, offline: bool) -> Iterator[StoredObject]:
    """``below`` is empty or ends with a slash."""
    folder = root.join(below) if below else root
    try:
        listed = ask(folder, lambda system: _list(system, folder), offline=offline)
    except ObjectNotFound:
        if below or _has_bucket(root, offline):
            return  # Gone meanwhile, or never there: in a store folders come and go with what is in them.
        raise to_no_bucket(root) from None
    for name, found in listed:
        full = below + name
        if found["type"] == "directory":
            if full.startswith(prefix) or prefix.startswith(full):
                yield from _iter_folder(root, full, prefix, offline)
        elif full.startswith(prefix):
            yield to_object(found, full)


def _has_bucket(root: StorageAddress, offline: bool) -> bool:
    """False where the store says that there is no such bucket; not everybody may ask for it."""
    try:
        if root.bucket:
            ask(replace(root, key=""), lambda system: system.info(root.bucket), offline=offline)
    except ObjectNotFound:
        return False
    except FetchError:
        return True
    return True


def _list(system: Any, folder: StorageAddress) -> list[tuple[str, dict[str, Any]]]:
    """Names within one folder, those of folders with a slash, which gives them their place in the order."""
    found = system.ls(folder.path, detail=True)
    own = folder.path.strip("/")
    named = []
    for entry in found:
        name = entry["name"].strip("/").rpartition("/")[2]
        if name and entry["name"].strip("/") != own:
            named.append((f"{name}/" if entry["type"] == "directory" else name, entry))
    return sorted(named, key=lambda pair: pair[0])
