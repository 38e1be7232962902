"""Addresses of object storage: pure checks, and how an address is taken apart."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from detectattn.errors import ForbiddenAddress
from detectattn.fetch import redact_url

STORAGE_SCHEMES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"})
"""``memory`` lives and dies with the process."""

_AZURE = frozenset({"az", "abfs", "abfss"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_NO_UTF8 = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class StorageAddress:
    """Where an object, or what begins like it, lies.

    Attributes:
        scheme: In lower case.
        bucket: Bucket or container; of Azure also ``container@account``. Empty only for ``memory``.
        key: The rest, without a slash before it. A slash at its end is kept; nothing in it is percent-decoded.
    """

    scheme: str
    bucket: str
    key: str

    @property
    def path(self) -> str:
        """Bucket and key as fsspec takes them."""
        return f"{self.bucket}/{self.key}" if self.bucket else f"/{self.key}"

    @property
    def url(self) -> str:
        """The address as text."""
        return f"{self.scheme}://{self.bucket}/{self.key}" if self.bucket else f"{self.scheme}://{self.key}"

    def join(self, name: str) -> StorageAddress:
        """The address of what is called ``name`` below this one."""
        key = f"{self.key}/{name}" if self.key and not self.key.endswith("/") else f"{self.key}{name}"
        return StorageAddress(self.scheme, self.bucket, key)


def is_storage_url(text: str | os.PathLike[str]) -> bool:
    """Whether a text is an address of object storage, by its scheme alone. Imports and asks nothing."""
    scheme = _SCHEME.match(text) if isinstance(text, str) else None
    return scheme is not None and scheme[1].lower() in STORAGE_SCHEMES


def parse_address(url: str) -> StorageAddress:
    """Take an address of object storage apart.

    Raises:
        ForbiddenAddress: Another scheme, no bucket, or a key and a secret within the address.
    """
    scheme, _, rest = url.partition("://")
    scheme, shown = scheme.lower(), redact_url(url)
    if scheme not in STORAGE_SCHEMES:
        raise ForbiddenAddress(
            f"{shown} is no address of object storage that can be used",
            hint=f"Addresses begin with one of {', '.join(f'{name}://' for name in sorted(STORAGE_SCHEMES))}",
        )
    if _NO_UTF8.search(url):
        raise ForbiddenAddress(f"{shown} holds bytes that are no UTF-8", hint="Write the address in UTF-8")
    if scheme == "memory":
        return StorageAddress(scheme, "", rest.lstrip("/"))
    bucket, _, key = rest.partition("/")
    if _holds_secret(scheme, bucket, rest):
        raise ForbiddenAddress(
            f"{shown} holds credentials, which an address would carry into records and messages",
            hint="Give them by the environment or the provider's own files; docs/storage.md says how",
        )
    if not bucket:
        raise ForbiddenAddress(f"{shown} names no bucket", hint=f"Write the address as {scheme}://bucket/path")
    return StorageAddress(scheme, bucket, key)


def _holds_secret(scheme: str, bucket: str, rest: str) -> bool:
    if scheme in _AZURE and ":" not in bucket:
        return False  # container@account.dfs.core.windows.net
    if "@" in bucket:
        return True
    # A secret may hold a slash, which ends the bucket early; Amazon's own names of access points hold colons too.
    return ":" in bucket and not bucket.startswith("arn:") and "@" in rest
