"""A file that crashes its decoder, keeps it busy for ever, or has it eat all memory costs one failure record."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from PIL import Image

from benchmarks.tiny_model import write_tiny_model
from detectattn.api import Model
from detectattn.cli.app import run
from detectattn.config import PredictConfig
from detectattn.errors import ConfigError, DecoderCrashed, DecoderHung, DetectattnError, ImageTooLarge
from detectattn.sources import decode_process, isolation, iter_frames
from detectattn.sources.base import ReadOptions
from detectattn.sources.decode_process import DecodeLimits
from detectattn.sources.isolation import DecodePool, open_isolation
from detectattn.types import Media

psutil = pytest.importorskip("psutil")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="decoders are broken by Linux's means")

HERE = Path(__file__).parent
# Time enough for a good picture on a busy machine.
LIMITS = DecodeLimits(picture_s=3.0, memory_bytes=512 * 1024**2)
# The command line, decoding as above, in a process that can be killed.
PROGRAM = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from detectattn.sources import decode_process, isolation
decode_process.WORKER = "broken_decoders"
isolation.DEFAULT_LIMITS = decode_process.DecodeLimits(picture_s=600, memory_bytes=512 * 1024**2)
from detectattn.cli.app import main
from detectattn.pipeline import run, stages
run._JOIN_S = stages._JOIN_S = 0.5
main()
"""


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoders that break, on pictures whose names ask for it."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setattr(decode_process, "WORKER", "broken_decoders")
    monkeypatch.setattr(isolation, "DEFAULT_LIMITS", LIMITS)


@pytest.fixture
def pool(_broken: None) -> Iterator[DecodePool]:
    with open_isolation("auto") as pool:
        assert pool is not None
        yield pool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good pictures among those that crash, hang and eat."""
    folder = tmp_path / "in"
    folder.mkdir()
    picture = Image.effect_noise((64, 48), 80).convert("RGB")
    for name in ("a.webp", "crash.webp", "eater.webp", "g.jpg", "hang.webp", "z.webp"):
        picture.save(folder / name)
    return folder


def iter_indices(path: Path, pool: DecodePool, kind: Any = "image") -> Iterator[int]:
    media = Media(path.name, kind, path, PurePosixPath(path.name))
    return (frame.index for frame in iter_frames(media, ReadOptions(isolation=pool)))


BROKEN: dict[str, tuple[type[DetectattnError], str]] = {
    "crash.webp": (DecoderCrashed, r"crash.webp crashed its decoder, which ended by SIGSEGV\. Look at the file"),
    "abort.webp": (DecoderCrashed, "ended by SIGABRT"),
    "killed.webp": (DecoderCrashed, r"was killed \(SIGKILL\), as a system does that is short of memory"),
    "babble.webp": (DecoderCrashed, "ended with an answer that is none"),
    "hang.webp": (DecoderHung, "hang.webp kept its decoder busy for more than 3 s"),
    "eater.webp": (ImageTooLarge, "needs more memory to decode than may be used"),
}


def test_what_happened_is_said_and_the_next_picture_is_read(folder: Path, pool: DecodePool) -> None:
    for name, (error, says) in BROKEN.items():
        shutil.copyfile(folder / "a.webp", folder / name)
        with pytest.raises(error, match=says):
            list(iter_indices(folder / name, pool))
        assert list(iter_indices(folder / "z.webp", pool)) == [0]
        assert len(pool.pids()) == 1


@pytest.mark.usefixtures("_broken")
def test_a_large_picture_has_more_time(folder: Path) -> None:
    (folder / "a.webp").replace(folder / "slow.webp")
    for pixels_per_s, is_enough in ((1000.0, True), (1e9, False)):
        with open_isolation("auto", DecodeLimits(picture_s=1.0, pixels_per_s=pixels_per_s)) as pool:
            assert pool is not None
            if is_enough:
                assert list(iter_indices(folder / "slow.webp", pool)) == [0]
            else:
                with pytest.raises(DecoderHung):
                    list(iter_indices(folder / "slow.webp", pool))


def test_pages_and_frames_before_the_crash_are_kept(pool: DecodePool, tmp_path: Path, clips: Any) -> None:
    pages = [Image.new("L", (9, 9), level) for level in (10, 20, 30)]
    pages[0].save(tmp_path / "second-page.tif", save_all=True, append_images=pages[1:])
    for path, kind, kept in (
        (tmp_path / "second-page.tif", "image", [0]),
        (clips.make("crash.mp4"), "video", [0, 1, 2, 3, 4]),
    ):
        indices = iter_indices(path, pool, kind)
        assert [next(indices) for _ in kept] == kept
        with pytest.raises(DecoderCrashed, match="SIGSEGV"):
            next(indices)


FAILED = {"crash.webp": "decoder-crashed", "eater.webp": "image-too-large", "hang.webp": "decoder-hung"}


def read_run(run: Path) -> tuple[list[str], dict[str, str]]:
    """Sources with a record, and those that failed with their codes."""
    done = [json.loads(line)["source"] for line in (run / "predictions.jsonl").read_text().splitlines()]
    failed = [json.loads(line) for line in (run / "failures.jsonl").read_text().splitlines()]
    return done, {failure["source"]: failure["code"] for failure in failed}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for package in ("onnx", "onnxruntime"):
        if find_spec(package) is None:  # not imported: ONNX Runtime would write into the home folder
            pytest.skip(f"{package} is not installed")
    return write_tiny_model(tmp_path / "tiny.onnx")


@pytest.mark.usefixtures("_broken")
def test_a_run_loses_nothing_but_what_cannot_be_decoded(folder: Path, model: Path, tmp_path: Path) -> None:
    run_folder, before = tmp_path / "run", children()  # a browser's, say, that other tests keep
    assert run(["predict", str(folder), "-m", str(model), "-o", str(run_folder), "-q"]) == 4
    assert read_run(run_folder) == (["a.webp", "g.jpg", "z.webp"], FAILED)
    assert [child for child in children() if child not in before] == []


@pytest.mark.usefixtures("_broken")
def test_no_process_outlives_the_program(folder: Path, model: Path, tmp_path: Path) -> None:
    """Neither Ctrl-C nor a kill that leaves no time for anything, while a decoder hangs; and the run goes on."""
    run_folder, mark = tmp_path / "run", tmp_path / "mark"
    words = ["predict", str(folder), "-m", str(model), "-o", str(run_folder)]
    assert interrupt(words, mark, signal.SIGINT) == 130
    assert interrupt(["predict", "--resume", str(run_folder)], mark, signal.SIGKILL) == -signal.SIGKILL
    assert run(["predict", "--resume", str(run_folder), "-q"]) == 4
    assert read_run(run_folder) == (["a.webp", "g.jpg", "z.webp"], FAILED)


def interrupt(words: list[str], mark: Path, number: int) -> int:
    """Run a command line until a decoder hangs, send a signal as a terminal does, and see all of it end."""
    mark.unlink(missing_ok=True)
    env = {**os.environ, "TOUCHED_BEFORE_HANGING": str(mark)}
    command = [sys.executable, "-c", PROGRAM, *words, "-q"]
    with subprocess.Popen(command, env=env, start_new_session=True, stderr=subprocess.PIPE) as program:
        deadline = time.monotonic() + 60
        while not mark.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        decoders = list(psutil.Process(program.pid).children())
        os.killpg(program.pid, number)
        _, told = program.communicate(timeout=30)
    assert b"Traceback" not in told
    assert decoders
    _, alive = psutil.wait_procs(decoders, timeout=10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    return program.returncode


def test_what_can_be_wanted() -> None:
    for wrong in (lambda: PredictConfig(isolate="some"), lambda: Model(isolate="some")):
        with pytest.raises(ConfigError, match="isolate is 'some'"):
            wrong()


def children() -> list[Any]:
    return [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
