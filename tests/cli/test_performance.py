"""``--batch auto``, ``--profile``, what a run was bound by, and a process that loads no more than it needs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engines.tiny_openvino import write_tiny_openvino

NOT_NEEDED = ("torch", "ultralytics", "av", "httpx", "pandas", "polars", "rich", "openvino.tools.ovc")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_openvino(tmp_path, imgsz=128).path


@pytest.fixture
def ten_pictures(noon: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "ten"
    folder.mkdir()
    for number in range(10):
        shutil.copyfile(noon, folder / f"{number}.jpg")
    return folder


def read_run(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text())


def test_batch_is_chosen_by_trying_and_recorded(detectattn: Any, model: Path, ten_pictures: Path) -> None:
    done = detectattn("predict", ten_pictures, "-m", model, "--batch", "auto", "-o", "out", "--no-images")
    assert done.code == 0
    manifest = read_run(Path("out"))
    choice = manifest["timing"]["batch_choice"]
    assert manifest["models"][0]["batch"] == choice["batch"]
    assert choice["net_hw"] == [96, 128]
    assert [trial["batch"] for trial in choice["trials"]][:2] == [1, 2]
    assert f"batch {choice['batch']}, by what an image took at 96×128 (1: " in done.err
    assert manifest["config"]["batch"] == "auto"


@pytest.mark.parametrize(("given", "expected"), [("3", 3), ("0", 1)])
def test_batch_by_number(detectattn: Any, model: Path, noon: Path, given: str, expected: int) -> None:
    assert detectattn("predict", noon, "-m", model, "--batch", given, "-o", "out", "--no-images").code == 0
    manifest = read_run(Path("out"))
    assert manifest["models"][0]["batch"] == expected
    assert "batch_choice" not in manifest["timing"]


def test_batch_that_is_no_number(detectattn: Any, model: Path, noon: Path) -> None:
    done = detectattn("predict", noon, "-m", model, "--batch", "-1")
    assert (done.code, done.err) == (
        2,
        "error: --batch is '-1'. Give a whole number, or auto to find the fastest by trying.\n",
    )


def test_closing_line_names_what_the_run_was_bound_by(detectattn: Any, model: Path, ten_pictures: Path) -> None:
    done = detectattn("predict", ten_pictures, "-m", model, "-o", "out")
    timing = read_run(Path("out"))["timing"]
    assert set(timing["busy"]) == {"decode", "preprocess", "infer", "postprocess", "write"}
    name = {"infer": "inference"}.get(timing["slowest"], timing["slowest"])
    assert re.search(rf"^{name}-bound: \d+% busy", done.out, re.MULTILINE)


def test_a_single_picture_is_told_nothing_of_that(detectattn: Any, model: Path, noon: Path) -> None:
    assert "-bound" not in detectattn("predict", noon, "-m", model, "-o", "out").out


@pytest.mark.parametrize(("many", "hint"), [(False, "latency"), (True, "throughput")])
def test_what_matters_depends_on_the_work(
    detectattn: Any, model: Path, noon: Path, ten_pictures: Path, many: bool, hint: str
) -> None:
    assert detectattn("predict", ten_pictures if many else noon, "-m", model, "-o", "out", "--no-images").code == 0
    used = read_run(Path("out"))["models"][0]
    assert used["hint"] == hint
    assert used["streams"] >= 1


def test_profile_is_a_trace_of_the_whole_run(detectattn: Any, model: Path, ten_pictures: Path) -> None:
    done = detectattn("predict", ten_pictures, "-m", model, "-o", "out", "--profile", "trace.json")
    assert done.code == 0
    events = json.loads(Path("trace.json").read_text())["traceEvents"]
    decoded = [event["args"]["of"] for event in events if event["name"] == "decode"]
    assert sorted(decoded) == [f"{number}.jpg" for number in range(10)]
    again = detectattn("predict", ten_pictures, "-m", model, "-o", "again", "--profile", "trace.json")
    assert again.code == 1
    assert "trace.json exists already" in again.err
    assert not Path("again").exists()


def test_a_run_on_an_export_imports_no_more_than_it_needs(model: Path, noon: Path, tmp_path: Path) -> None:
    words = ["predict", str(noon), "-m", str(model), "-o", str(tmp_path / "out"), "-q"]
    code = (
        "import sys\n"
        "from detectattn.cli.app import run\n"
        f"assert run({words!r}) == 0\n"
        f"print([name for name in {NOT_NEEDED!r} if sys.modules.get(name)])\n"
        "import openvino\n"
        "print(openvino.convert_model.__module__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "openvino.tools.ovc.convert"]


def test_a_process_whose_engine_hangs_leaves_at_once() -> None:
    """Past what the runtime would wait for, with what was said and the right exit code."""
    code = (
        "import atexit, time\n"
        "from types import SimpleNamespace\n"
        "from detectattn.cli.leaving import close_detector, leave\n"
        "atexit.register(time.sleep, 60)\n"
        "detector = SimpleNamespace(stalled=True, close=lambda: None)\n"
        "close_detector(detector)\n"
        "print('said')\n"
        "leave(4)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (4, "said\n")
