"""Object storage by fsspec (s3, gs, az), and folders of this machine in the same clothes.

    open_store("s3://bucket/out") → Store: put, get, exists, iter_names, delete

Nothing here imports fsspec, or what it brings, before an address of object storage is used. http and https are
:mod:`detectattn.fetch`'s.
"""

from __future__ import annotations

import os

from detectattn.errors import ForbiddenAddress
from detectattn.fetch import redact_url
from detectattn.storage.addresses import STORAGE_SCHEMES, StorageAddress, is_storage_url, parse_address
from detectattn.storage.base import Store, StoredObject, check_name
from detectattn.user_paths import expand_home

__all__ = [
    "STORAGE_SCHEMES",
    "StorageAddress",
    "Store",
    "StoredObject",
    "check_name",
    "is_storage_url",
    "open_store",
    "parse_address",
]


def open_store(url: str | os.PathLike[str], *, offline: bool = False) -> Store:
    """The store at an address: of object storage, or a local folder by its path. Makes nothing and asks nobody.

    Args:
        url: ``s3://bucket/folder`` and the like, or a path.
        offline: Refuse every request to object storage.

    Raises:
        ForbiddenAddress: An address of another scheme, without a bucket, or with credentials in it.
    """
    if is_storage_url(url):
        from detectattn.storage.remote import RemoteStore

        address = parse_address(str(url))
        return RemoteStore(StorageAddress(address.scheme, address.bucket, address.key.rstrip("/")), offline)
    if isinstance(url, str) and "://" in url:
        raise ForbiddenAddress(
            f"{redact_url(url)} cannot be written to", hint="Give a local folder, or s3://, gs:// or az://bucket/folder"
        )
    from detectattn.storage.local import LocalStore

    return LocalStore(expand_home(url).absolute())
