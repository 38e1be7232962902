"""``--max-failures``: a run that is not worth its while ends, and can go on."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.tiny_model import write_tiny_model
from detectattn.config import FailureLimit, parse_max_failures
from detectattn.errors import ConfigError

# Not imported: ONNX Runtime would write into the home folder.
needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxruntime"))), reason="onnx or its runtime is missing"
)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", FailureLimit()),
        ("0", FailureLimit(number=0)),
        ("50", FailureLimit(number=50)),
        ("10%", FailureLimit(share=0.1)),
        ("0.5 %", FailureLimit(share=0.005)),
    ],
)
def test_what_can_be_given(text: str, limit: FailureLimit) -> None:
    assert parse_max_failures(text) == limit


@pytest.mark.parametrize("text", ["-1", "ten", "101%", "1.5", "%"])
def test_what_cannot(text: str) -> None:
    with pytest.raises(ConfigError, match="--max-failures"):
        parse_max_failures(text)


@pytest.mark.parametrize(
    ("limit", "failures", "tried", "passed"),
    [
        (FailureLimit(), 1000, 1000, False),
        (FailureLimit(number=3), 3, 3, False),
        (FailureLimit(number=3), 4, 1000, True),
        (FailureLimit(number=0), 1, 1, True),
        (FailureLimit(share=0.1), 2, 2, False),  # of twenty at least
        (FailureLimit(share=0.1), 3, 3, True),
        (FailureLimit(share=0.1), 10, 100, False),
        (FailureLimit(share=0.1), 11, 100, True),
    ],
)
def test_when_it_is_passed(limit: FailureLimit, failures: int, tried: int, passed: bool) -> None:
    assert limit.is_passed(failures, tried) is passed


@pytest.fixture
def mixed(two_pictures: Path) -> Path:
    """A folder of a good picture, four broken ones, and a good one."""
    for name in ("p1.jpg", "p2.jpg", "p3.jpg", "p4.jpg"):
        (two_pictures / name).write_bytes(b"nothing")
    (two_pictures / "yellow-bus.jpg").rename(two_pictures / "z.jpg")
    return two_pictures


@needs_onnx
def test_run_ends_early_says_so_and_goes_on(detectattn: Any, mixed: Path, tmp_path: Path) -> None:
    model, folder = write_tiny_model(tmp_path / "tiny.onnx"), tmp_path / "out"
    done = detectattn("predict", mixed, "-m", model, "-o", folder, "--max-failures", "2", "--save", "coco")
    assert done.code == 1
    assert "error: 3 inputs failed, more than --max-failures 2 bears" in done.err
    assert f"`detectattn predict --resume {folder}` goes on from there" in done.err
    assert json.loads((folder / "run.json").read_text())["status"] == "stopped"
    assert (folder / "coco" / "results.json").exists()
    for path in mixed.glob("p*.jpg"):
        shutil.copyfile(mixed / "noon.jpg", path)
    done = detectattn("predict", "--resume", folder)
    assert done.code == 0, done.err
    records = [json.loads(line)["source"] for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert records == ["noon.jpg", "p1.jpg", "p2.jpg", "p3.jpg", "p4.jpg", "z.jpg"]
    assert not (folder / "failures.jsonl").exists()


@needs_onnx
def test_as_many_as_are_borne_fail(detectattn: Any, mixed: Path, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    assert detectattn("predict", mixed, "-m", model, "--max-failures", "4").code == 4
    assert detectattn("predict", mixed, "-m", model, "--max-failures", "20%").code == 4


def write_row(folder: Path, row: str) -> Path:
    """Small pictures in a folder, one a letter: a ``.`` is sound, an ``x`` broken."""
    folder.mkdir()
    encoded = cv2.imencode(".jpg", np.full((24, 32, 3), 128, np.uint8))[1].tobytes()
    for number, letter in enumerate(row):
        (folder / f"{number:03d}.jpg").write_bytes(encoded if letter == "." else b"nothing")
    return folder


def list_done(folder: Path) -> list[str]:
    return [json.loads(line)["source"] for line in (folder / "predictions.jsonl").read_text().splitlines()]


@needs_onnx
@pytest.mark.parametrize("batch", ["1", "16"])
def test_a_share_is_that_of_all_inputs_before(detectattn: Any, tmp_path: Path, batch: str) -> None:
    """However many of them wait for a batch when a failure is met."""
    inputs, model = write_row(tmp_path / "in", 30 * "." + "xxx" + 5 * "."), write_tiny_model(tmp_path / "tiny.onnx")
    words = ("-m", model, "--batch", batch, "--no-images", "-o", tmp_path / "out", "-q")
    assert detectattn("predict", inputs, *words, "--max-failures", "10%").code == 4
    assert len(list_done(tmp_path / "out")) == 35


@needs_onnx
def test_all_before_the_last_failure_is_done_and_another_limit_goes_on(detectattn: Any, tmp_path: Path) -> None:
    inputs, model = write_row(tmp_path / "in", 30 * "." + 6 * "x" + 5 * "."), write_tiny_model(tmp_path / "tiny.onnx")
    folder, words = tmp_path / "out", ("-m", model, "--batch", "8", "--no-images")
    done = detectattn("predict", inputs, *words, "-o", folder, "--max-failures", "10%")
    for _ in range(2):  # of 34 inputs, whether the first 29 were done in this sitting or before
        assert done.code == 1
        assert "error: 4 inputs failed, more than --max-failures 10% bears" in done.err
        assert list_done(folder) == [f"{number:03d}.jpg" for number in range(30)]
        assert len((folder / "failures.jsonl").read_text().splitlines()) == 4
        done = detectattn("predict", "--resume", folder)
    assert detectattn("predict", "--resume", folder, "--max-failures", "20%", "-q").code == 4
    assert len(list_done(folder)) == 35
    assert len((folder / "failures.jsonl").read_text().splitlines()) == 6
