from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from detectattn.cli.download_progress import show_download
from detectattn.cli.models import app
from detectattn.errors import ChecksumMismatch, DetectattnError, UnknownModel
from detectattn.weights import embedded

CONTENT = b"PK\x03\x04" + os.urandom(2000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, http_server: Any) -> Path:
    """An empty cache, and the local server in place of the official address; returns where weights go."""
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path))
    monkeypatch.setenv("DETECTATTN_WEIGHTS_URL", http_server.url)
    http_server.serve("/v8.4.0/rtdetr-x.pt", CONTENT)
    return tmp_path / "weights"


def _run(*arguments: str) -> Result:
    outcome = CliRunner().invoke(app, arguments)
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return outcome


def test_the_list_fits_a_terminal_and_shows_what_was_published() -> None:
    lines = _run("list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert rows["rtdetr-l"] == ["rtdetr-l", "attention", "32", "M", "110", "53.0", "–", "8.77", "–", "–"]
    assert rows["yolo26n"] == ["yolo26n", "hybrid", "2.4", "M", "5.5", "40.9", "40.1", "1.7", "38.9", "–"]
    assert "RT-DETR README" in " ".join(lines)


def test_the_list_says_what_is_cached_and_embedded(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_ASSETS", tmp_path)
    (tmp_path / "demo-rtdetr.safetensors").write_bytes(CONTENT)
    _run("pull", "rtdetr-x")
    text = _run("list").stdout
    (row,) = (line for line in text.splitlines() if line.startswith("rtdetr-x"))
    assert row.endswith("yes")
    assert "Embedded, no download: demo-rtdetr." in text


def test_the_list_as_json_is_one_versioned_object() -> None:
    listed = json.loads(_run("list", "--json").stdout)
    assert (listed["schema"], listed["command"], len(listed["data"])) == (1, "models list", 22)
    first = listed["data"][0]
    assert (first["name"], first["ap50_95"], first["cpu_ms"], first["cached"]) == ("rtdetr-l", 53.0, None, None)
    assert first["license"] == "AGPL-3.0"


def test_pull_prints_the_path_and_says_what_it_does_elsewhere(cache: Path, http_server: Any) -> None:
    outcome = _run("pull", "rtdetr-x")
    assert outcome.stdout == f"{cache / 'rtdetr-x.pt'}\n"
    assert f"Downloading rtdetr-x ({http_server.url}/v8.4.0/rtdetr-x.pt)" in outcome.stderr
    assert "2 kB downloaded in" in outcome.stderr
    again = _run("pull", "rtdetr-x.pt")
    assert (again.stdout, again.stderr) == (outcome.stdout, "")
    assert _run("path", "rtdetr-x").stdout == outcome.stdout


def test_pull_takes_urls_and_checks_every_name_before_it_begins(cache: Path, http_server: Any) -> None:
    url = http_server.serve("/mine.onnx", CONTENT)
    with pytest.raises(UnknownModel, match="Did you mean yolo11n"):
        _run("pull", url, "yolo-11n")
    assert http_server.requests == []
    assert _run("pull", url).stdout == _run("path", url).stdout


def test_pull_replaces_a_damaged_file(cache: Path) -> None:
    _run("pull", "rtdetr-x")
    (cache / "rtdetr-x.pt").write_bytes(b"damaged")
    assert "Deleting" in _run("pull", "rtdetr-x").stderr
    assert (cache / "rtdetr-x.pt").read_bytes() == CONTENT


def test_pull_refuses_other_bytes_than_published(cache: Path, http_server: Any) -> None:
    http_server.serve("/v8.4.0/yolo11n.pt", CONTENT)
    with pytest.raises(ChecksumMismatch, match="0ebbc80d"):
        _run("pull", "yolo11n")
    assert not (cache / "yolo11n.pt").exists()


def test_verify_reads_the_bytes_again(cache: Path, http_server: Any) -> None:
    _run("pull", "rtdetr-x", http_server.serve("/mine.onnx", CONTENT))
    outcome = _run("verify")
    assert outcome.exit_code == 0
    assert [line.split()[1] for line in outcome.stdout.splitlines()] == ["verdict", "ok", "ok"]
    weights = cache / "rtdetr-x.pt"
    before = weights.stat()
    weights.write_bytes(bytes(len(CONTENT)))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    outcome = _run("verify")
    assert outcome.exit_code == 1
    assert "differs" in outcome.stdout
    assert "detectattn models pull rtdetr-x" in outcome.stderr
    found = json.loads(_run("verify", "rtdetr-x", "--json").stdout)["data"]
    assert [(item["name"], item["verdict"], item["sha256"]) for item in found] == [("rtdetr-x", "differs", None)]


def test_verify_knows_what_it_compared_with(cache: Path) -> None:
    cache.mkdir()
    (cache / "rtdetr-x.pt").write_bytes(CONTENT)
    assert "recorded  nothing before" in _run("verify").stdout
    assert "ok       first download" in _run("verify", "rtdetr-x").stdout
    (cache / "yolo11n.pt").write_bytes(CONTENT)
    outcome = _run("verify")
    assert "differs  published checksum" in outcome.stdout
    assert outcome.exit_code == 1


def test_verify_with_nothing_cached_says_so() -> None:
    outcome = _run("verify")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert "detectattn models pull NAME" in outcome.stderr


@pytest.mark.parametrize("command", ["path", "verify"])
def test_what_is_not_cached_is_an_error_with_a_way_out(cache: Path, command: str) -> None:
    with pytest.raises(DetectattnError) as caught:
        _run(command, "rtdetr-l")
    assert caught.value.exit_code == 1
    assert str(cache / "rtdetr-l.pt") in caught.value.problem
    assert "detectattn models pull rtdetr-l" in caught.value.hint


def test_path_finds_an_embedded_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_ASSETS", tmp_path)
    (tmp_path / "demo-yolo.safetensors").write_bytes(CONTENT)
    assert _run("path", "demo-yolo").stdout == f"{tmp_path / 'demo-yolo.safetensors'}\n"


def test_a_terminal_gets_a_bar_and_quiet_gets_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with show_download(quiet=True) as on_progress:
        on_progress(1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with show_download() as on_progress:
        on_progress(10_000_000, 66_000_000)
    shown = capsys.readouterr()
    assert "10.0/66.0 MB" in shown.err
    assert shown.out == ""


def test_importing_the_command_is_cheap() -> None:
    code = "import sys, detectattn.cli.models; sys.exit(bool({'httpx', 'numpy', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
