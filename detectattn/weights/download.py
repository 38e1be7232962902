"""Weights from the network into the cache: verified, or recorded on the first download and held to it afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from detectattn.errors import (
    ChecksumMismatch,
    ConnectionFailed,
    CorruptWeights,
    DiskFull,
    FetchError,
    FetchTimedOut,
    HttpStatus,
    Offline,
)
from detectattn.fetch import FetchLimits, OnProgress, compute_sha256, fetch_file, format_bytes, redact_url
from detectattn.storage import is_storage_url
from detectattn.storage.file import fetch_object
from detectattn.weights.cache import weights_dir
from detectattn.weights.content import check_weights_content
from detectattn.weights.embedded import embedded_names
from detectattn.weights.receipts import Receipt, load_receipt, receipt_path, write_receipt
from detectattn.weights.registry import RegistryModel

WEIGHTS_LIMITS = FetchLimits(max_bytes=8_000_000_000, total_s=6 * 3600.0, idle_s=60.0)

OnNotice = Callable[[str], None]


def download_model(
    model: RegistryModel,
    *,
    offline: bool,
    on_notice: OnNotice,
    on_progress: OnProgress | None = None,
    replace_damaged: bool = False,
) -> Receipt:
    """Make sure that a registry model's weights lie in the cache, and are the right ones.

    Args:
        model: Which one.
        offline: Take the cached file, or fail.
        on_notice: Told what is downloaded, from where, how much, before it is.
        on_progress: Told how far it is.
        replace_damaged: Delete and download again a cached file with the wrong checksum.

    Raises:
        FetchError: It is not in the cache and cannot be downloaded; the hint says where to put it by hand.
        ChecksumMismatch: Its bytes are not those that were published, or seen before.
    """
    size = f"{format_bytes(model.size_bytes)}, " if model.size_bytes else ""
    return ensure_cached(
        model.cached_path,
        model.url,
        model.sha256,
        shown=f"{model.name} ({size}{redact_url(model.url)})",
        offline=offline,
        on_notice=on_notice,
        on_progress=on_progress,
        replace_damaged=replace_damaged,
    )


def download_url(
    url: str,
    *,
    offline: bool,
    on_notice: OnNotice,
    on_progress: OnProgress | None = None,
    replace_damaged: bool = False,
) -> tuple[Path, Receipt]:
    """Make sure that the weights behind a URL lie in the cache; what the first download brought is held to afterwards.

    Raises:
        FetchError: They are not in the cache and cannot be downloaded.
        ChecksumMismatch: The cached file was changed, or the address now gives another one.
    """
    path = cached_url_path(url)
    receipt = ensure_cached(
        path,
        url,
        None,
        shown=redact_url(url),
        offline=offline,
        on_notice=on_notice,
        on_progress=on_progress,
        replace_damaged=replace_damaged,
    )
    return path, receipt


def cached_url_path(url: str) -> Path:
    """Where the weights behind a URL lie once they are downloaded: its file name, in a folder of that URL's own."""
    name = re.sub(r"[^\w.-]", "_", unquote(urlsplit(url).path).rpartition("/")[2]).lstrip(".") or "model"
    return weights_dir() / "url" / hashlib.sha256(url.encode()).hexdigest()[:16] / name


def ensure_cached(
    path: Path,
    url: str,
    published_sha256: str | None,
    *,
    shown: str,
    offline: bool,
    on_notice: OnNotice,
    on_progress: OnProgress | None,
    replace_damaged: bool = False,
) -> Receipt:
    """Make sure that what is behind an address lies at ``path``: as it was published, or as it was seen first.

    Args:
        path: Its place in the cache.
        url: Where it is from: http, https, or object storage.
        published_sha256: The checksum that was published, if any.
        shown: What notices call it.
        offline: Take the cached file, or fail.
        on_notice: Told what is downloaded, before it is.
        on_progress: Told how far it is.
        replace_damaged: Delete and download again a cached file with the wrong checksum.

    Raises:
        FetchError: It is not in the cache and cannot be downloaded.
        ChecksumMismatch: Its bytes are not those that were published, or seen before.
    """
    if path.exists():
        try:
            return verify_cached(path, published_sha256, url)
        except (ChecksumMismatch, CorruptWeights) as error:
            if not replace_damaged or offline:
                raise
            on_notice(f"Deleting {path}: {error.problem}")
            path.unlink()
    if not offline:
        on_notice(f"Downloading {shown} to {path}")
    try:
        sha256 = _fetch(path, url, published_sha256, offline=offline, on_progress=on_progress)
    except Offline as error:
        problem = f"{shown} is not in the cache, and the network is forbidden (--offline)"
        raise Offline(problem, hint=_by_hand(path, url, "or leave --offline out")) from error
    return write_receipt(path, redact_url(url), sha256)


def verify_cached(path: Path, published_sha256: str | None, url: str, *, reread: bool = False) -> Receipt:
    """Check a cached file against the published checksum, or else against the one that was recorded first.

    A file that was checked before is not read again while its size and modification time stay the same.

    Args:
        path: The file, which is there.
        published_sha256: The checksum that was published, if any.
        url: Where it is from, for the record.
        reread: Read its bytes in any case.

    Raises:
        ChecksumMismatch: It has other bytes.
        CorruptWeights: It is empty, a web page or a Git LFS pointer.
    """
    receipt = load_receipt(path)
    expected = published_sha256 or (receipt.sha256 if receipt else None)
    if receipt is not None and receipt.sha256 == expected and receipt.is_current(path) and not reread:
        return receipt
    check_weights_content(path, str(path))
    sha256 = compute_sha256(path)
    if expected not in (None, sha256):
        against = "published" if published_sha256 else "recorded when it was first seen"
        raise ChecksumMismatch(
            f"{path} has the SHA-256 {sha256}, not {expected} as {against}",
            hint=f"Run `detectattn models pull {path.stem}` to download it again"
            if path.parent == weights_dir()
            else f"Delete it to download it again; delete {receipt_path(path)} too if the new file is right",
        )
    return write_receipt(path, redact_url(url), sha256)


def _fetch(path: Path, url: str, published_sha256: str | None, *, offline: bool, on_progress: OnProgress | None) -> str:
    """Fetch what is behind an address, held to what it has to be; its SHA-256. Errors say how to go on."""
    receipt = load_receipt(path)
    fetch = fetch_object if is_storage_url(url) else fetch_file
    try:
        fetched = fetch(
            url,
            path,
            WEIGHTS_LIMITS,
            expected_sha256=published_sha256 or (receipt.sha256 if receipt else None),
            on_progress=on_progress,
            check=lambda part: check_weights_content(part, redact_url(url)),
            offline=offline,
        )
    except (ConnectionFailed, FetchTimedOut, HttpStatus) as error:
        raise _with_way_out(error, path, url) from error
    except ChecksumMismatch as error:
        raise _explain_mismatch(error, path, published_sha256) from error
    except DiskFull as error:
        raise DiskFull(error.problem, hint=f"{error.hint}, or point DETECTATTN_CACHE at another folder") from error
    return fetched.sha256


def _with_way_out(error: FetchError, path: Path, url: str) -> FetchError:
    return type(error)(error.problem, hint=f"{error.hint}. {_by_hand(path, url, '')}".rstrip(" ;,"))


def _by_hand(path: Path, url: str, alternative: str) -> str:
    words = f"Download {redact_url(url)} elsewhere and put it at {path}"
    if alternative:
        words += f", {alternative}"
    names = embedded_names()
    return f"{words}; {' and '.join(names)} work without a network" if names else words


def _explain_mismatch(error: ChecksumMismatch, path: Path, published_sha256: str | None) -> ChecksumMismatch:
    if published_sha256:
        hint = "Something on the way changed it (a proxy, a mirror): do not use it, and try another network"
    else:
        hint = f"It is not the file that was seen first; if the new one is right, delete {receipt_path(path)}"
    return ChecksumMismatch(error.problem, hint=hint)
