from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from detectattn.errors import (
    ChecksumMismatch,
    ConnectionFailed,
    CorruptWeights,
    DiskFull,
    FetchTimedOut,
    FetchTooLarge,
    HttpStatus,
    Offline,
)
from detectattn.fetch import FetchLimits, fetch_file
from detectattn.fetch.limits import format_bytes

CONTENT = os.urandom(300_000)
OTHER = os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LIMITS = FetchLimits(max_bytes=1_000_000, total_s=10, connect_s=2, idle_s=2, retries=0, retry_wait_s=0.01)


class RangeServer(NamedTuple):
    url: str
    asked: list[str | None]
    state: dict[str, Any]


@pytest.fixture
def ranged(http_server: Any) -> RangeServer:
    """A server of one file that understands Range and If-Range, and breaks off when told to."""
    state: dict[str, Any] = {"content": CONTENT, "headers": {"ETag": '"one"'}, "break_after": None, "ranges": True}
    asked: list[str | None] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        content, headers = state["content"], state["headers"]
        wanted = handler.headers.get("Range")
        asked.append(wanted)
        unchanged = state.get("careless") or handler.headers.get("If-Range") in (
            None,
            headers.get("ETag"),
            headers.get("Last-Modified"),
        )
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and unchanged and state["ranges"] else None
        if start is not None and start >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(200 if start is None else 206)
        if start is not None:
            handler.send_header(
                "Content-Range", f"bytes {start + state.get('shift', 0)}-{len(content) - 1}/{len(content)}"
            )
        body = content[start or 0 :]
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(body[: state["break_after"]])

    http_server.routes["/model.pt"] = answer
    return RangeServer(f"{http_server.url}/model.pt", asked, state)


def _visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def _break_off(ranged: RangeServer, target: Path, after: int = 100_000) -> None:
    """Leave ``after`` bytes of the file behind."""
    ranged.state["break_after"] = after
    with pytest.raises(ConnectionFailed, match=r"goes on from 100 kB"):
        fetch_file(ranged.url, target, LIMITS)
    assert target.with_name("model.pt.part").stat().st_size == after
    ranged.state["break_after"] = None
    ranged.asked.clear()


def test_a_file_arrives_whole_and_nothing_else_stays(ranged: RangeServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "deep" / "model.pt"
    fetched = fetch_file(ranged.url, target, LIMITS, on_progress=lambda *step: seen.append(step))
    assert target.read_bytes() == CONTENT
    assert (fetched.path, fetched.sha256, fetched.size_bytes) == (target, SHA256, len(CONTENT))
    assert _visible(target.parent) == {"model.pt"}
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_broken_download_leaves_no_file_and_goes_on_where_it_stopped(ranged: RangeServer, tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    assert not target.exists()
    seen: list[int] = []
    fetched = fetch_file(ranged.url, target, LIMITS, on_progress=lambda done, _: seen.append(done))
    assert ranged.asked == ["bytes=100000-"]
    assert seen[0] > 100_000
    assert target.read_bytes() == CONTENT
    assert fetched.sha256 == SHA256


def test_a_broken_download_is_taken_up_by_itself(ranged: RangeServer, tmp_path: Path) -> None:
    ranged.state["break_after"] = 90_000
    limits = FetchLimits(total_s=10, retries=3, retry_wait_s=0.01)
    fetch_file(ranged.url, tmp_path / "model.pt", limits)
    assert (tmp_path / "model.pt").read_bytes() == CONTENT
    assert ranged.asked == [None, "bytes=90000-", "bytes=180000-", "bytes=270000-"]


def test_retries_end(ranged: RangeServer, tmp_path: Path) -> None:
    ranged.state["break_after"] = 10_000
    limits = FetchLimits(total_s=10, retries=2, retry_wait_s=0.01)
    with pytest.raises(ConnectionFailed):
        fetch_file(ranged.url, tmp_path / "model.pt", limits)
    assert len(ranged.asked) == 3


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        pytest.param({"content": OTHER, "headers": {"ETag": '"two"'}}, ["bytes=100000-"], id="another file"),
        pytest.param(
            {"content": OTHER, "headers": {"ETag": '"two"'}, "careless": True},
            ["bytes=100000-", None],
            id="another file, If-Range ignored",
        ),
        pytest.param({"shift": 7}, ["bytes=100000-", None], id="another part than asked for"),
        pytest.param({"ranges": False}, ["bytes=100000-"], id="range ignored"),
        pytest.param({"content": CONTENT[:50_000]}, ["bytes=100000-", None], id="shorter file, same tag"),
    ],
)
def test_what_cannot_be_resumed_starts_over(
    ranged: RangeServer, tmp_path: Path, change: dict[str, Any], asked: list[str | None]
) -> None:
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    ranged.state.update(change)
    fetch_file(ranged.url, target, LIMITS)
    assert target.read_bytes() == ranged.state["content"]
    assert ranged.asked == asked


def test_a_part_nobody_asked_for_is_refused(http_server: Any, tmp_path: Path) -> None:
    url = http_server.serve("/model.pt", CONTENT[:1000], status=206, content_range="bytes 7-1006/300000")
    with pytest.raises(ConnectionFailed, match="not asked for"):
        fetch_file(url, tmp_path / "model.pt", LIMITS)
    assert not (tmp_path / "model.pt").exists()


def test_a_part_with_nothing_to_recognise_it_by_starts_over(ranged: RangeServer, tmp_path: Path) -> None:
    ranged.state["headers"] = {"ETag": 'W/"weak"'}
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    fetch_file(ranged.url, target, LIMITS)
    assert ranged.asked == [None]


def test_a_checksum_allows_to_resume_what_nothing_else_identifies(ranged: RangeServer, tmp_path: Path) -> None:
    ranged.state["headers"] = {}
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    fetch_file(ranged.url, target, LIMITS, expected_sha256=SHA256)
    assert ranged.asked == ["bytes=100000-"]
    assert target.read_bytes() == CONTENT


def test_halves_of_two_files_are_never_joined(ranged: RangeServer, tmp_path: Path) -> None:
    ranged.state.update(headers={}, content=OTHER)
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    ranged.state["content"] = CONTENT
    fetch_file(ranged.url, target, LIMITS, expected_sha256=SHA256)
    assert ranged.asked == ["bytes=100000-", None]
    assert target.read_bytes() == CONTENT


def test_a_part_of_another_address_is_not_gone_on_with(ranged: RangeServer, http_server: Any, tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    fetch_file(http_server.serve("/other.pt", OTHER), target, LIMITS, expected_sha256=hashlib.sha256(OTHER).hexdigest())
    assert "range" not in http_server.requests[-1][1]
    assert target.read_bytes() == OTHER


def test_a_part_that_is_whole_already_is_taken(ranged: RangeServer, tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    target.with_name("model.pt.part").write_bytes(CONTENT)
    assert fetch_file(ranged.url, target, LIMITS).sha256 == SHA256
    assert ranged.asked == ["bytes=300000-"]


def test_resume_can_be_declined(ranged: RangeServer, tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    fetch_file(ranged.url, target, LIMITS, resume=False)
    assert ranged.asked == [None]


def test_other_bytes_than_expected_are_refused_and_discarded(ranged: RangeServer, tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch, match=SHA256):
        fetch_file(ranged.url, tmp_path / "model.pt", LIMITS, expected_sha256="0" * 64)
    assert _visible(tmp_path) == set()


def test_a_file_that_the_caller_refuses_is_discarded(ranged: RangeServer, tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        assert path.read_bytes() == CONTENT
        raise CorruptWeights("it is no model", hint="Look for another")

    with pytest.raises(CorruptWeights):
        fetch_file(ranged.url, tmp_path / "model.pt", LIMITS, check=refuse)
    assert _visible(tmp_path) == set()


def test_a_file_that_is_there_is_verified_and_never_overwritten(ranged: RangeServer, tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    target.write_bytes(OTHER)
    assert fetch_file(ranged.url, target, LIMITS).sha256 == hashlib.sha256(OTHER).hexdigest()
    with pytest.raises(ChecksumMismatch, match=r"model\.pt"):
        fetch_file(ranged.url, target, LIMITS, expected_sha256=SHA256)
    assert target.read_bytes() == OTHER
    assert ranged.asked == []


def test_limits_and_statuses_apply_to_files_too(ranged: RangeServer, http_server: Any, tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    with pytest.raises(FetchTooLarge, match="300 kB"):
        fetch_file(ranged.url, target, FetchLimits(max_bytes=200_000))
    with pytest.raises(HttpStatus, match="404"):
        fetch_file(f"{http_server.url}/nothing", target, LIMITS)
    with pytest.raises(Offline):
        fetch_file(ranged.url, target, LIMITS, offline=True)
    assert not target.exists()


def test_the_limit_counts_what_was_there_before(ranged: RangeServer, tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    _break_off(ranged, target)
    with pytest.raises(FetchTooLarge, match="300 kB"):
        fetch_file(ranged.url, target, FetchLimits(max_bytes=250_000))


def test_a_full_disk_is_noticed_before_it_is_full(
    ranged: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskFull, match=r"needs 300 kB .* has 1 kB left"):
        fetch_file(ranged.url, tmp_path / "model.pt", LIMITS)


def test_a_disk_that_fills_up_on_the_way_is_an_error(ranged: RangeServer, tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="No space left"):
        fetch_file(ranged.url, tmp_path / "model.pt", LIMITS, on_progress=fail)
    assert not (tmp_path / "model.pt").exists()


def test_a_folder_that_cannot_be_made_is_an_error(ranged: RangeServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Exception, match="cannot be written") as caught:
        fetch_file(ranged.url, tmp_path / "file" / "model.pt", LIMITS)
    assert caught.value.code == "write-failed"


def test_two_processes_that_want_one_file_download_it_once(http_server: Any, tmp_path: Path) -> None:
    both_run = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:1000])
        handler.wfile.flush()
        both_run.wait(10)
        handler.wfile.write(CONTENT[1000:])

    http_server.routes["/model.pt"] = answer
    target = tmp_path / "model.pt"
    code = (
        "import sys, pathlib; from detectattn.fetch import FetchLimits, fetch_file; print('runs', flush=True);"
        "fetch_file(sys.argv[1], pathlib.Path(sys.argv[2]), FetchLimits(), expected_sha256=sys.argv[3])"
    )
    command = [sys.executable, "-c", code, f"{http_server.url}/model.pt", str(target), SHA256]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == b"runs\n"
    both_run.set()
    assert [child.wait(20) for child in children] == [0, 0]
    for child in children:
        child.communicate()
    assert len(http_server.requests) == 1
    assert target.read_bytes() == CONTENT


def test_a_lock_that_is_never_released_is_given_up(ranged: RangeServer, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".model.pt.lock"), pytest.raises(FetchTimedOut, match="Another process"):
        fetch_file(ranged.url, tmp_path / "model.pt", FetchLimits(total_s=0.1))


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (66_511_432, "66.5 MB"), (999_600, "1 MB"), (2e9, "2 GB")],
)
def test_sizes_are_shown_with_three_digits(count: int, text: str) -> None:
    assert format_bytes(count) == text
