from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detectattn.errors import ChecksumMismatch, ConnectionFailed, CorruptWeights, HttpStatus, Offline
from detectattn.weights import download
from detectattn.weights.download import cached_url_path, download_model, download_url
from detectattn.weights.receipts import load_receipt, receipt_path
from detectattn.weights.registry import RegistryModel, load_registry

CONTENT = b"PK" + os.urandom(4000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"\n<!DOCTYPE html><html>Log in first</html>"


@pytest.fixture
def known(mirror: Any) -> RegistryModel:
    """A model with a published checksum, served by the mirror."""
    mirror.serve("/mirror/v8.4.0/rtdetr-l.pt", CONTENT)
    return replace(load_registry()["rtdetr-l"], sha256=SHA256, size_bytes=len(CONTENT))


@pytest.fixture
def unknown(mirror: Any) -> RegistryModel:
    """A model without one."""
    mirror.serve("/mirror/v8.4.0/rtdetr-x.pt", CONTENT)
    return load_registry()["rtdetr-x"]


def _fetch(model: RegistryModel, notices: list[str] | None = None, **options: Any) -> str:
    say = [].append if notices is None else notices.append
    return download_model(model, offline=options.pop("offline", False), on_notice=say, **options).sha256


def test_a_model_is_downloaded_once_and_announced(cache: Path, known: RegistryModel, mirror: Any) -> None:
    notices: list[str] = []
    assert _fetch(known, notices) == _fetch(known, notices) == SHA256
    assert (cache / "rtdetr-l.pt").read_bytes() == CONTENT
    assert len(mirror.requests) == 1
    assert notices == [f"Downloading rtdetr-l (4 kB, {known.url}) to {cache / 'rtdetr-l.pt'}"]


def test_a_checked_file_is_not_read_again_until_it_changes(
    cache: Path, known: RegistryModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fetch(known)
    read: list[Path] = []
    monkeypatch.setattr(download, "compute_sha256", lambda path: read.append(path) or SHA256)
    _fetch(known, offline=True)
    assert read == []
    os.utime(cache / "rtdetr-l.pt", ns=(1, 1))
    _fetch(known, offline=True)
    assert read == [cache / "rtdetr-l.pt"]


def test_a_file_put_there_by_hand_is_verified_and_used(cache: Path, known: RegistryModel, mirror: Any) -> None:
    cache.mkdir(parents=True)
    (cache / "rtdetr-l.pt").write_bytes(CONTENT)
    assert _fetch(known, offline=True) == SHA256
    assert mirror.requests == []
    (cache / "rtdetr-l.pt").write_bytes(b"something else")
    with pytest.raises(ChecksumMismatch, match="detectattn models pull rtdetr-l"):
        _fetch(known)


def test_a_damaged_file_is_replaced_when_that_is_asked_for(cache: Path, known: RegistryModel) -> None:
    cache.mkdir(parents=True)
    for damage in (b"", b"something else", PAGE):
        (cache / "rtdetr-l.pt").write_bytes(damage)
        notices: list[str] = []
        assert _fetch(known, notices, replace_damaged=True) == SHA256
        assert notices[0].startswith("Deleting")


def test_bytes_other_than_published_never_reach_the_cache(cache: Path, known: RegistryModel) -> None:
    with pytest.raises(ChecksumMismatch, match="0000"):
        _fetch(replace(known, sha256="0" * 64))
    assert not (cache / "rtdetr-l.pt").exists()
    assert not receipt_path(cache / "rtdetr-l.pt").exists()


def test_without_a_published_checksum_the_first_download_counts(
    cache: Path, unknown: RegistryModel, mirror: Any
) -> None:
    assert _fetch(unknown) == SHA256
    (cache / "rtdetr-x.pt").unlink()
    mirror.serve("/mirror/v8.4.0/rtdetr-x.pt", CONTENT + b"changed")
    with pytest.raises(ChecksumMismatch, match=r"delete .*rtdetr-x\.pt\.json") as caught:
        _fetch(unknown)
    assert "first" in caught.value.hint
    assert not (cache / "rtdetr-x.pt").exists()
    receipt_path(cache / "rtdetr-x.pt").unlink()
    assert _fetch(unknown) == hashlib.sha256(CONTENT + b"changed").hexdigest()


def test_a_changed_file_without_a_published_checksum_is_noticed(cache: Path, unknown: RegistryModel) -> None:
    _fetch(unknown)
    (cache / "rtdetr-x.pt").write_bytes(CONTENT + b"tampered")
    with pytest.raises(ChecksumMismatch, match="first seen"):
        _fetch(unknown)


@pytest.mark.parametrize(
    ("body", "words"), [(PAGE, "web page"), (b"", "empty"), (b"version https://git-lfs.github.com/spec/v1\n", "LFS")]
)
def test_what_is_no_model_is_named_and_not_kept(
    cache: Path, mirror: Any, unknown: RegistryModel, body: bytes, words: str
) -> None:
    mirror.serve("/mirror/v8.4.0/rtdetr-x.pt", body)
    with pytest.raises(CorruptWeights, match=words):
        _fetch(unknown)
    assert not (cache / "rtdetr-x.pt").exists()
    assert load_receipt(cache / "rtdetr-x.pt") is None


def test_offline_says_where_to_put_the_file(
    cache: Path, known: RegistryModel, mirror: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices: list[str] = []
    with pytest.raises(Offline) as caught:
        _fetch(known, notices, offline=True)
    assert f"put it at {cache / 'rtdetr-l.pt'}" in caught.value.hint
    assert known.url in caught.value.hint
    assert notices == []
    assert mirror.requests == []
    monkeypatch.setattr(download, "embedded_names", lambda: ["demo-rtdetr", "demo-yolo"])
    with pytest.raises(Offline, match="demo-rtdetr and demo-yolo work without a network"):
        _fetch(known, offline=True)


def test_a_refused_connection_or_status_says_where_to_put_the_file(
    cache: Path, known: RegistryModel, mirror: Any, refusing_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.serve("/mirror/v8.4.0/rtdetr-l.pt", status=403)
    with pytest.raises(HttpStatus, match="put it at"):
        _fetch(known)
    monkeypatch.setenv("DETECTATTN_WEIGHTS_URL", refusing_url)
    with pytest.raises(ConnectionFailed, match=r"refused.*put it at .*rtdetr-l\.pt; demo-rtdetr and demo-yolo work"):
        _fetch(known)


def test_weights_behind_a_url_are_cached_and_held_to_the_first_download(cache: Path, http_server: Any) -> None:
    url = http_server.serve("/my%20model.pt?download=true", CONTENT).replace("http://", "http://me:secret@")
    path, receipt = download_url(url, offline=False, on_notice=[].append)
    assert path == cached_url_path(url)
    assert (path.name, path.read_bytes(), receipt.sha256) == ("my_model.pt", CONTENT, SHA256)
    assert cached_url_path(url + "&v=2") != path
    written = json.loads(receipt_path(path).read_text())
    assert written["url"] == f"http://***@{http_server.url[7:]}/my%20model.pt?download=true"
    assert download_url(url, offline=True, on_notice=[].append)[1] == receipt
    path.unlink()
    http_server.serve("/my%20model.pt?download=true", CONTENT + b"2")
    with pytest.raises(ChecksumMismatch):
        download_url(url, offline=False, on_notice=[].append)
