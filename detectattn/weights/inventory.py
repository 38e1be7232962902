"""What lies in the cache of weights, and whether each file is still what it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from detectattn.errors import ChecksumMismatch, CorruptWeights
from detectattn.weights.cache import weights_dir
from detectattn.weights.download import verify_cached
from detectattn.weights.receipts import load_receipt, receipt_path
from detectattn.weights.registry import RegistryModel, load_registry

Verdict = Literal["ok", "recorded", "differs"]


@dataclass(frozen=True, slots=True)
class CachedWeights:
    """A file in the cache.

    Attributes:
        name: The registry name, or the URL without credentials.
        path: Where it lies.
        published_sha256: What was published, if anything.
        url: Where it is from, without credentials.
    """

    name: str
    path: Path
    published_sha256: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading a cached file's bytes has shown.

    Attributes:
        weights: Which file.
        verdict: ``ok``, ``recorded`` (seen for the first time, nothing to compare with) or ``differs``.
        basis: What it was compared with: ``published``, ``first download`` or ``nothing``.
        sha256: Of its bytes; None where they differ.
        problem: What is wrong, and what to do; empty where nothing is.
    """

    weights: CachedWeights
    verdict: Verdict
    basis: str
    sha256: str | None
    problem: str = ""


def iter_cached() -> Iterator[CachedWeights]:
    """Everything in the cache: registry models in the registry's order, then what came from URLs."""
    for model in load_registry().values():
        if model.cached_path.is_file():
            yield describe_cached(model)
    for notes in sorted((weights_dir() / "url").glob("*/*.json")):
        path = notes.with_suffix("")
        receipt = load_receipt(path)
        if receipt is not None and receipt_path(path) == notes and path.is_file():
            yield CachedWeights(receipt.url, path, None, receipt.url)


def describe_cached(model: RegistryModel) -> CachedWeights:
    """A registry model's place in the cache."""
    return CachedWeights(model.name, model.cached_path, model.sha256, model.url)


def verify_weights(weights: CachedWeights) -> Verification:
    """Read a cached file's bytes and compare them with what was published, or with the first download."""
    recorded = load_receipt(weights.path) is not None
    basis = "published" if weights.published_sha256 else "first download" if recorded else "nothing"
    try:
        receipt = verify_cached(weights.path, weights.published_sha256, weights.url, reread=True)
    except (ChecksumMismatch, CorruptWeights) as error:
        return Verification(weights, "differs", basis, None, str(error))
    return Verification(weights, "recorded" if basis == "nothing" else "ok", basis, receipt.sha256)
