"""The way to a store by fsspec, which is imported here and when an address is used, not before."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from detectattn.errors import MissingExtra, Offline
from detectattn.fetch import redact_url
from detectattn.storage.addresses import StorageAddress

# Libraries that fsspec needs for a scheme, as pip knows them. The extra [storage] brings the first.
_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
}

# botocore asks again where a server is busy or a connection fails; a body that breaks off is asked for again in
# detectattn.storage.requests. s3fs would do both once more around either, up to 25 times as often.
_S3_CONFIG: Mapping[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "connect_timeout": 10,
    "read_timeout": 30,
}


def connect(address: StorageAddress, *, offline: bool = False) -> Any:
    """The fsspec file system of an address. Nothing is asked yet; credentials are found as each provider finds them.

    Raises:
        Offline: The network is forbidden.
        MissingExtra: The package for the scheme is not installed.
    """
    if offline and address.scheme != "memory":
        problem = f"{redact_url(address.url)} is not asked for: the network is forbidden (--offline)"
        raise Offline(problem, hint="Leave --offline out, or give a local copy")
    if address.scheme in {"gs", "gcs"}:
        _quieten_gcsfs()
    try:
        import fsspec

        kind = fsspec.get_filesystem_class(address.scheme)
    except ImportError as error:
        raise _to_missing(address) from error
    if address.scheme in {"s3", "s3a"}:
        return _open_s3(kind)
    return kind(use_listings_cache=False)


def _quieten_gcsfs() -> None:
    # Else it asks for the kind of each bucket by gRPC, and where it may not know, warns of it at each request.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    # A request that fails it logs with its traceback, which Python prints where nobody has asked for logs.
    logger = logging.getLogger("gcsfs")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _open_s3(kind: Any) -> Any:
    from fsspec.config import conf

    given = {**conf.get("s3", {}), **conf.get("s3a", {})}.get("config_kwargs", {})
    system = kind(use_listings_cache=False, config_kwargs={**_S3_CONFIG, **given})
    system.retries = 1
    return system


def _to_missing(address: StorageAddress) -> MissingExtra:
    package = _PACKAGES.get(address.scheme, "fsspec")
    extra = "detectattn[storage]"
    install = f"pip install '{extra}'" if package in {"s3fs", "fsspec"} else f"pip install '{extra}' {package}"
    problem = f"{redact_url(address.url)} needs the package {package}, which is not installed"
    return MissingExtra(problem, hint=f"Install it with {install}")
