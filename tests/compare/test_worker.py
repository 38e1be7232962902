"""The child process itself: what it measures of itself, and how it ends when the study does not go as planned."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from detectattn.compare import messages as msg
from detectattn.compare import worker as worker_module
from detectattn.compare.child import Child
from detectattn.compare.energy import Counter, EnergyMeter
from detectattn.compare.footprint import read_peak_rss_mb
from detectattn.compare.pictures import write_pictures
from detectattn.engines.base import EngineOptions
from detectattn.errors import EngineError
from detectattn.types import Frame, Media, WeightsFile
from detectattn.weights.embedded import embedded_path
from tests.compare.tiny_onnx import SIDE, write_tiny_onnx

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    media = [Media(f"{i}.png", "image", Path(f"{i}.png"), PurePosixPath(f"{i}.png")) for i in range(3)]
    frames = [Frame(item, 0, rng.integers(0, 255, (48, 64, 3), np.uint8)) for item in media]
    return write_pictures(tmp_path / "pictures.bgr", [(frame, 1.0) for frame in frames]).path


def to_spec(weights: WeightsFile, pictures: Path, **options: Any) -> msg.WorkerSpec:
    return msg.WorkerSpec("tiny", weights, EngineOptions(device="cpu", threads=1, **options), "auto", pictures)


@pytest.fixture
def child(tmp_path: Path, pictures: Path) -> Iterator[Child]:
    with Child(to_spec(write_tiny_onnx(tmp_path), pictures)) as opened:
        yield opened


def test_a_child_tells_its_own_peak_and_not_its_parents(tmp_path: Path, pictures: Path) -> None:
    held = np.ones(max(0, int((700 - read_peak_rss_mb()) * 1e6)) + 1, np.uint8)
    with Child(to_spec(write_tiny_onnx(tmp_path), pictures)) as child:
        own_mb = child.ask(msg.AskMemory(), msg.PeakMemory).rss_mb
    assert read_peak_rss_mb() > 690
    assert 20 < own_mb < 600
    assert held[-1] == 1


_PEAKS = """
import numpy as np
from detectattn.compare.footprint import read_peak_rss_mb
peaks = [read_peak_rss_mb()]
held = np.ones(300_000_000 + int(peaks[0] * 1e6), np.uint8)
peaks.append(read_peak_rss_mb())
del held
peaks.append(read_peak_rss_mb())
print(*peaks)
"""


def test_a_peak_stays_when_memory_is_given_back() -> None:
    """In a process that has not held more before."""
    done = subprocess.run([sys.executable, "-c", _PEAKS], capture_output=True, text=True, check=True)
    before, peak, after = map(float, done.stdout.split())
    assert peak > before + 250
    # The kernel adds up its counters of each core now and then, so a little may be missing.
    assert after > peak - 5


def test_a_model_that_fails_names_itself_and_the_cause(tmp_path: Path, pictures: Path, capfd: Any) -> None:
    with Child(to_spec(write_tiny_onnx(tmp_path, broken=True), pictures)) as child:
        for request, wanted in ((msg.TimePictures((0,)), msg.StageTimes), (msg.TimeBatch(1, 1), msg.BatchTime)):
            with pytest.raises(EngineError, match=r"model tiny failed with \w+: .*[Rr]eshape.* \(.+\.py, line \d+\)"):
                child.ask(request, wanted)
        # It goes on, and a batch that it cannot take is no failure.
        assert child.ask(msg.AskMemory(), msg.PeakMemory).rss_mb > 0
        assert child.ask(msg.TimeBatch(2, 1), msg.BatchTime).seconds is None
    assert "Traceback" not in capfd.readouterr().err


def test_what_fails_while_a_model_is_loaded_names_it_too(tmp_path: Path, capfd: Any) -> None:
    spec = to_spec(write_tiny_onnx(tmp_path), tmp_path / "absent.bgr")
    with pytest.raises(EngineError, match=r"model tiny failed with FileNotFoundError: .*absent\.json"):
        Child(spec)
    assert "Traceback" not in capfd.readouterr().err


def test_an_export_for_several_pictures_runs_on_single_ones(tmp_path: Path, pictures: Path) -> None:
    any_batch = Child(to_spec(write_tiny_onnx(tmp_path), pictures))
    of_four = Child(to_spec(write_tiny_onnx(tmp_path, "four", batch=4), pictures))
    with any_batch, of_four:
        found = [child.ask(msg.Detect((0, 1), 0.0, 1.0, 300), msg.Detected) for child in (any_batch, of_four)]
        for one, other in zip(found[0].detections, found[1].detections, strict=True):
            np.testing.assert_allclose(one.xyxy, other.xyxy, atol=1e-3)
        assert any_batch.ask(msg.TimeBatch(2, 3), msg.BatchTime).seconds is not None
        assert of_four.ask(msg.TimeBatch(2, 3), msg.BatchTime).seconds is None
        assert of_four.ask(msg.TimeBatch(4, 3), msg.BatchTime).seconds is not None


def test_detections_come_with_their_times(child: Child, pictures: Path) -> None:
    found = child.ask(msg.Detect((2, 0), 0.0, 1.0, 300, pictures), msg.Detected)
    assert len(found.detections) == len(found.times.forward_ms) == 2
    assert all(total > 0 for total in found.times.total_ms)
    assert child.ask(msg.Detect((), 0.0, 1.0, 300), msg.Detected).detections == ()


def test_begun_anew_it_is_another_process_that_finds_the_same(child: Child) -> None:
    first, request = child._process.pid, msg.Detect((0, 1, 2), 0.0, 1.0, 300)
    before = child.ask(request, msg.Detected).detections
    child.restart()
    child.await_restarted()
    assert child._process.pid != first
    for one, other in zip(before, child.ask(request, msg.Detected).detections, strict=True):
        np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_energy_of_a_turn_is_what_the_meter_moved_by(tmp_path: Path, pictures: Path, monkeypatch: Any) -> None:
    counts = iter(range(1000, 10_000, 2_000))
    meter = EnergyMeter("rapl", (Counter(lambda: next(counts), 1e-3, None),))
    monkeypatch.setattr(worker_module, "open_meter", lambda device: meter if device == "cpu" else None)
    worker = worker_module._Worker(to_spec(write_tiny_onnx(tmp_path), pictures), time.time())
    assert worker.loaded.meter == "rapl"
    turn = worker.answer(msg.TimePictures((0, 1)))
    assert isinstance(turn, msg.StageTimes)
    assert turn.energy_j == pytest.approx(2.0)
    worker.close()


def test_without_a_meter_there_is_no_energy(child: Child) -> None:
    turn = child.ask(msg.TimePictures((0,)), msg.StageTimes)
    assert (child.meter is None) == (turn.energy_j is None)


def test_what_a_cut_saves_is_told(pictures: Path) -> None:
    path = embedded_path("demo-rtdetr")
    if path is None:
        pytest.skip("demo-rtdetr is not shipped yet")
    weights = WeightsFile(path, "", "safetensors", "embedded")
    whole, cut = (
        worker_module._Worker(to_spec(weights, pictures, **cuts), time.time()).loaded
        for cuts in ({}, {"decoder_layers": 1, "queries": 50})
    )
    assert (whole.max_det, cut.max_det) == (150, 50)
    assert whole.gflops is not None
    assert cut.gflops is not None
    assert whole.gflops == pytest.approx(1.81, abs=0.01)
    assert 0.4 < cut.gflops / whole.gflops < 0.8
    assert whole.params_m is not None
    assert cut.params_m is not None
    assert cut.params_m < whole.params_m - 0.5


@posix
def test_a_child_ends_by_itself_when_the_study_is_killed(tmp_path: Path, pictures: Path) -> None:
    ending = "print(child._process.pid, flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)"
    study = start_study(tmp_path, pictures, ending)
    assert study.stdout is not None
    pid = int(study.stdout.readline())
    wait_for_end(pid)
    # The child holds this pipe too, so its end is the end of everything that could be printed.
    _, errors = study.communicate(timeout=30)
    assert errors == ""


@posix
def test_an_interrupt_reaches_the_study_alone(tmp_path: Path, pictures: Path) -> None:
    study = start_study(
        tmp_path,
        pictures,
        "try:\n"
        "        print(child._process.pid, flush=True)\n"
        "        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n"
        "        print('peak', child.ask(msg.AskMemory(), msg.PeakMemory).rss_mb, flush=True)\n"
        "    child.close()",
    )
    assert study.stdout is not None
    pid = int(study.stdout.readline())
    # As a terminal does: to every process in the foreground.
    os.killpg(study.pid, signal.SIGINT)
    output, errors = study.communicate(timeout=60)
    assert output.startswith("peak ")
    assert errors == ""
    assert study.returncode == 0
    wait_for_end(pid)


@posix
def test_an_interrupt_while_a_child_starts_does_not_reach_it(tmp_path: Path, pictures: Path, capfd: Any) -> None:
    spec = to_spec(write_tiny_onnx(tmp_path), pictures)
    opened: list[Child] = []
    opening = threading.Thread(target=lambda: opened.append(Child(spec)))
    opening.start()
    sent = 0
    while opening.is_alive():
        for process in multiprocessing.active_children():
            if process.pid is not None and process.name == "model tiny":
                os.kill(process.pid, signal.SIGINT)
                sent += 1
        time.sleep(0.005)
    opening.join()
    assert sent > 0
    assert opened[0].ask(msg.AskMemory(), msg.PeakMemory).rss_mb > 0
    opened[0].close()
    assert "Traceback" not in capfd.readouterr().err


@posix
def test_a_busy_child_is_not_waited_for(child: Child) -> None:
    process = child._process
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    child._connection.send(msg.TimePictures((0,)))
    child._busy = True  # as an interrupt in the middle of `ask` leaves it
    start = time.monotonic()
    child.close()
    assert process.exitcode == -signal.SIGKILL
    assert time.monotonic() - start < 9


def start_study(tmp_path: Path, pictures: Path, ending: str) -> subprocess.Popen[str]:
    """A study in a process group of its own: it opens a child, and ends as told."""
    weights = write_tiny_onnx(tmp_path)
    script = tmp_path / "study.py"
    script.write_text(
        "import os, signal, time\n"
        "from pathlib import Path\n"
        "from detectattn.compare import messages as msg\n"
        "from detectattn.compare.child import Child\n"
        "from detectattn.engines.base import EngineOptions\n"
        "from detectattn.types import WeightsFile\n"
        "if __name__ == '__main__':\n"
        # A shell that started the tests in the background has them ignore it.
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"    weights = WeightsFile(Path({str(weights.path)!r}), '', 'onnx', 'local')\n"
        "    options = EngineOptions(device='cpu', threads=1)\n"
        f"    child = Child(msg.WorkerSpec('tiny', weights, options, 'auto', Path({str(pictures)!r})))\n"
        f"    {ending}\n"
    )
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def wait_for_end(pid: int) -> None:
    for _ in range(600):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} goes on")


def test_the_tiny_model_is_one(child: Child) -> None:
    assert child.loaded.info.net_hw == (SIDE, SIDE)
    assert (child.loaded.gflops, child.loaded.params_m, child.loaded.max_det) == (None, None, None)
