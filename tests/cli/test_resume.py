"""A run that was cut off goes on, and what it leaves is what it would have left."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Callable
from functools import partialmethod
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.resume import choose_words, compare_runs, kill_until_finished, write_inputs
from benchmarks.tiny_model import write_tiny_model
from detectattn.cli import predict_input
from detectattn.cli.app import run
from detectattn.pipeline.checkpoint import STATE_FILE, read_boot_id
from detectattn.pipeline.run_folder import lock_run_folder
from detectattn.pipeline.stages import RunOptions
from detectattn.sinks.csv import CsvSink
from detectattn.sources.isolation import open_isolation
from detectattn.types import Frame, Prediction
from tests.cli.faults.faulty import require_whole_up_to_there

pytestmark = pytest.mark.usefixtures("_needs_onnx")

Words = list[str]
DRAFT = ".detectattn-0123456789abcdef0123456789abcdef.part.jpg"


@pytest.fixture(scope="module")
def _needs_onnx() -> None:
    for package in ("onnx", "onnxruntime", "polars"):
        if find_spec(package) is None:  # not imported: ONNX Runtime would write into the home folder
            pytest.skip(f"{package} is not installed")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Words:
    """A run over a dozen pictures and two clips that writes all there is to write."""
    folder = tmp_path_factory.mktemp("resume")
    write_inputs(folder / "in", 12)
    return choose_words(folder / "in", write_tiny_model(folder / "tiny.onnx"))


@pytest.fixture(scope="module")
def whole(words: Words, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run([*words, "-o", str(folder), "-q"]) == 4
    return folder


@pytest.fixture
def cut_off(whole: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the run as if it had been killed after so many records, in the middle of the next."""

    def cut(records: int, status: str = "running", folder: str = "cut") -> Path:
        run = tmp_path / folder
        shutil.copytree(whole, run)
        lines = (run / "predictions.jsonl").read_bytes().splitlines(keepends=True)
        torn = lines[records][:40] if records < len(lines) else b""
        (run / "predictions.jsonl").write_bytes(b"".join(lines[:records]) + torn)
        manifest = json.loads((run / "run.json").read_text())
        manifest["status"] = status
        (run / "run.json").write_text(json.dumps(manifest))
        (run / "images" / DRAFT).write_bytes(b"half")
        return run

    return cut


def read_all(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed_again_and_again(words: Words, whole: Path, tmp_path: Path) -> None:
    killed = kill_until_finished(words, tmp_path / "killed", random.Random(3), most_kills=3)
    assert killed.kills >= 1
    assert killed.left_behind == 0
    assert compare_runs(whole, tmp_path / "killed").differences == []


# Before, within and after the picture of three pages and the clips; at the end all is there but the last input's word.
@pytest.mark.parametrize("records", [0, 2, 7, 12, 25, 10_000])
def test_cut_off_anywhere(detectattn: Any, cut_off: Any, whole: Path, records: int) -> None:
    folder = cut_off(records)
    done = detectattn("predict", "--resume", folder)
    assert done.code == 4, done.err
    assert compare_runs(whole, folder).differences == []


def test_pictures_that_share_batches_with_others_than_before(
    detectattn: Any, words: Words, whole: Path, tmp_path: Path
) -> None:
    assert detectattn(*words, "-o", tmp_path / "four", "--batch", "4", "-q").code == 4
    folder = tmp_path / "four"
    lines = (folder / "predictions.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "predictions.jsonl").write_bytes(b"".join(lines[:6]))
    (folder / "run.json").write_text((folder / "run.json").read_text().replace('"finished"', '"interrupted"', 1))
    assert detectattn("predict", "--resume", folder, "-q").code == 4
    assert [line.split(b',"timing"')[0] for line in (folder / "predictions.jsonl").read_bytes().splitlines()] == [
        line.split(b',"timing"')[0] for line in (whole / "predictions.jsonl").read_bytes().splitlines()
    ]


def test_told_how_to_go_on_and_what_was_done(detectattn: Any, cut_off: Any) -> None:
    folder = cut_off(5, "interrupted")
    done = detectattn("predict", "--resume", folder)
    assert f"going on with {folder}: 4 images or frames are done" in done.err
    assert "4 of them before" in done.out
    manifest = json.loads((folder / "run.json").read_text())
    assert (manifest["status"], manifest["timing"]["done_before"], manifest["timing"]["sittings"]) == ("finished", 4, 2)
    assert not [name for name in read_all(folder) if name.rpartition("/")[2].startswith(".")]


def test_what_was_reduced_before_is_counted(detectattn: Any, words: Words, tmp_path: Path) -> None:
    inputs, once, twice = tmp_path / "in", tmp_path / "once", tmp_path / "twice"
    inputs.mkdir()
    for number in range(4):
        cv2.imwrite(str(inputs / f"{number}.jpg"), np.full((150, 150 if number else 90, 3), 90, np.uint8))
    model = ("-m", words[words.index("-m") + 1], "--decode", "reduced", "--no-images")
    assert detectattn("predict", inputs, *model, "-o", once, "-q").code == 0
    shutil.copytree(once, twice)
    lines = (twice / "predictions.jsonl").read_bytes().splitlines(keepends=True)
    (twice / "predictions.jsonl").write_bytes(b"".join(lines[:3]))
    (twice / "run.json").write_text((twice / "run.json").read_text().replace('"finished"', '"interrupted"', 1))
    assert detectattn("predict", "--resume", twice, "-q").code == 0
    assert compare_runs(once, twice).differences == []
    assert [json.loads(line).get("reduced") for line in lines] == [None, 2, 2, 2]
    assert json.loads((twice / "run.json").read_text())["counts"]["reduced"] == 3


def test_finished_run_is_left_alone(detectattn: Any, whole: Path) -> None:
    before = read_all(whole)
    done = detectattn("predict", "--resume", whole)
    assert (done.code, done.out) == (0, "")
    assert "finished" in done.err
    assert detectattn("predict", "--resume", whole, "--json").data["status"] == "finished"
    assert read_all(whole) == before


def test_typed_again_it_is_the_same_run(detectattn: Any, words: Words, cut_off: Any, whole: Path) -> None:
    folder = cut_off(9)
    assert detectattn(*words, "-o", folder, "--resume", folder, "-q").code == 4
    assert compare_runs(whole, folder).differences == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--conf", "0.5"], "--conf is 0.5 and was 0.35"),
        (["--save", "csv"], "--save is"),
        (["-m", "demo-yolo"], "--model is demo-yolo"),
        (["elsewhere/"], "other sources"),
        (["-o", "elsewhere"], "names the run's folder|names the folder of the run"),
    ],
)
def test_other_options_are_refused(detectattn: Any, cut_off: Any, typed: Words, told: str) -> None:
    folder = cut_off(9)
    before = read_all(folder)
    done = detectattn("predict", "--resume", folder, *typed)
    assert done.code == 2
    assert any(part in done.err for part in told.split("|"))
    assert read_all(folder).items() >= before.items()


def test_another_model_is_refused(detectattn: Any, words: Words, cut_off: Any, tmp_path: Path) -> None:
    folder = cut_off(9)
    model = Path(words[words.index("-m") + 1])
    kept = model.read_bytes()
    try:
        model.write_bytes(kept.replace(b"'car'", b"'van'"))
        done = detectattn("predict", "--resume", folder)
    finally:
        model.write_bytes(kept)
    assert done.code == 1
    assert "another model than the run began with" in done.err


@pytest.mark.parametrize("change", ["gone", "new"])
def test_other_inputs_are_refused_and_nothing_is_lost(
    detectattn: Any, words: Words, cut_off: Any, whole: Path, change: str
) -> None:
    folder, first = cut_off(9), Path(words[1]) / "0" / "0000.jpg"
    before = read_all(folder)
    moved = first.with_name(".0000.jpg")
    try:
        if change == "gone":
            first.rename(moved)
        else:
            shutil.copyfile(first, first.with_name("00.jpg"))
        done = detectattn("predict", "--resume", folder)
    finally:
        if change == "gone":
            moved.rename(first)
        else:
            first.with_name("00.jpg").unlink()
    assert done.code == 1
    assert "the inputs are not those that the run began with" in done.err
    assert before.items() - read_all(folder).items() == {(f"images/{DRAFT}", b"half")}
    assert detectattn("predict", "--resume", folder, "-q").code == 4
    assert compare_runs(whole, folder).differences == []


def test_a_failure_whose_line_is_damaged_is_met_again(detectattn: Any, cut_off: Any, whole: Path) -> None:
    """And all that comes after it, in its place."""
    folder = cut_off(9)
    failures = folder / "failures.jsonl"
    first, *others = failures.read_bytes().splitlines(keepends=True)
    failures.write_bytes(first[:-20] + b"\n" + b"".join(others))
    done = detectattn("predict", "--resume", folder)
    assert done.code == 4, done.err
    assert f"going on with {folder}: 3 images or frames are done" in done.err
    assert compare_runs(whole, folder).differences == []


def test_failures_that_are_missing_are_told_from_other_inputs(detectattn: Any, cut_off: Any) -> None:
    folder = cut_off(9)
    (folder / "failures.jsonl").unlink()
    before = read_all(folder)
    done = detectattn("predict", "--resume", folder)
    assert done.code == 1
    assert re.search(r"neither records nor a failure of 0/broken.jpg.*failures\.jsonl is missing", done.err)
    assert read_all(folder).items() >= before.items() - {(f"images/{DRAFT}", b"half")}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"config": {"sources": None}}, "config.sources is None"),
        ({"config": {"conf": "much"}}, "conf"),
        ({"timing": {"sittings": "two"}}, "timing.sittings is two"),
        ({"models": [None]}, "models"),
        ({"models": [{"weights": None}]}, "models[0].weights"),
        ("", "expecting value"),
        ("[]", "expected an object"),
    ],
)
def test_a_damaged_manifest_is_named(detectattn: Any, cut_off: Any, change: Any, told: str) -> None:
    folder = cut_off(9, "interrupted")
    path = folder / "run.json"
    manifest = json.loads(path.read_text())
    for name, value in change.items() if isinstance(change, dict) else ():
        manifest[name] = {**manifest[name], **value} if isinstance(value, dict) else value
    path.write_text(json.dumps(manifest) if isinstance(change, dict) else change)
    before = read_all(folder)
    done = detectattn("predict", "--resume", folder)
    assert done.code == 1
    [line] = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert str(path) in line
    assert told in line.lower() or told in line
    assert read_all(folder).items() >= before.items()


@pytest.mark.parametrize("name", ["predictions.jsonl", "failures.jsonl"])
def test_a_folder_in_the_place_of_a_file_is_named(detectattn: Any, cut_off: Any, name: str) -> None:
    folder = cut_off(9)
    (folder / name).unlink()
    (folder / name).mkdir()
    done = detectattn("predict", "--resume", folder)
    assert done.code == 1
    assert f"error: {folder / name} cannot be read: Is a directory" in done.err


def test_a_state_of_other_types_says_nothing(detectattn: Any, cut_off: Any, whole: Path) -> None:
    folder = cut_off(9)
    (folder / STATE_FILE).write_text(json.dumps({"whole_bytes": "1", "durable_bytes": [], "boot_id": 3}))
    assert detectattn("predict", "--resume", folder, "-q").code == 4
    assert compare_runs(whole, folder).differences == []


def test_outputs_that_are_named_like_drafts_are_kept(detectattn: Any, words: Words, tmp_path: Path) -> None:
    odd, folder = Path(".detectattn-y.parts"), tmp_path / "out"  # in the working directory, which is empty
    for inputs in (odd, Path("b")):
        shutil.copytree(Path(words[1]) / "3", inputs)
    assert detectattn("predict", odd, "b", *words[2:], "-o", folder, "-q").code == 0
    assert list((folder / "images" / odd).iterdir())
    manifest = folder / "run.json"
    manifest.write_text(manifest.read_text().replace('"finished"', '"interrupted"', 1))
    before = read_all(folder)
    assert detectattn("predict", "--resume", folder, "-q").code == 0
    assert read_all(folder).keys() == before.keys()


def test_sources_are_those_of_the_folder_where_the_run_began(
    detectattn: Any, words: Words, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, elsewhere, folder = tmp_path / "began", tmp_path / "elsewhere", tmp_path / "out"
    shutil.copytree(words[1], began / "in")
    shutil.copytree(began, elsewhere)
    monkeypatch.chdir(began)
    assert detectattn("predict", "in", *words[2:], "-o", folder, "-q").code == 4
    lines = (folder / "predictions.jsonl").read_bytes().splitlines(keepends=True)
    manifest = (folder / "run.json").read_text().replace('"finished"', '"running"', 1)

    def cut(name: str) -> Path:
        shutil.copytree(folder, tmp_path / name)
        (tmp_path / name / "predictions.jsonl").write_bytes(b"".join(lines[:9]))
        (tmp_path / name / "run.json").write_text(manifest)
        return tmp_path / name

    monkeypatch.chdir(elsewhere)
    for typed in ([], ["in"]):
        done = detectattn("predict", *typed, "--resume", cut(f"refused{len(typed)}"))
        assert done.code == 2
        assert f"error: the run began in {began}, and its source in is to be read from there. Go there" in done.err
    shutil.rmtree(began)
    done = detectattn("predict", "--resume", cut("moved"))
    assert done.code == 4
    assert f"warning: in is not in {began} any more" in done.err
    assert compare_runs(folder, tmp_path / "moved").differences == []
    before = json.loads(manifest)
    del before["working_directory"]
    (cut("older") / "run.json").write_text(json.dumps(before))
    assert detectattn("predict", "--resume", tmp_path / "older", "-q").code == 4


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_second_interrupt_leaves_no_gap(
    detectattn: Any, words: Words, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hits the rows of one picture, while those after it are drawn already."""
    folder, write, calls = tmp_path / "twice", CsvSink.write, iter(range(10**6))

    def interrupt(sink: CsvSink, frame: Frame, prediction: Prediction) -> None:
        if next(calls) == 5:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.2)
        write(sink, frame, prediction)

    with monkeypatch.context() as patch:
        patch.setattr(CsvSink, "write", interrupt)
        patch.setattr(RunOptions, "__init__", partialmethod(RunOptions.__init__, write_workers=6))
        done = detectattn(*words, "-o", folder)
    assert done.code == 130
    require_whole_up_to_there(folder, whole, "interrupted")
    assert len((folder / "predictions.jsonl").read_bytes().splitlines()) == 5
    assert detectattn("predict", "--resume", folder, "-q").code == 4
    assert compare_runs(whole, folder).differences == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not say where a folder went")
@pytest.mark.parametrize("picture", [5, None])
def test_a_folder_that_is_moved_meanwhile_ends_the_run_whole(
    detectattn: Any, words: Words, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: int | None
) -> None:
    """In the midst of it, or when all is written but for what is made at the end."""
    folder, moved, write, calls = tmp_path / "run", tmp_path / "tidied up", CsvSink.write, iter(range(10**6))

    def move(sink: CsvSink, frame: Frame, prediction: Prediction) -> None:
        write(sink, frame, prediction)
        if next(calls) == picture:
            folder.rename(moved)

    with monkeypatch.context() as patch:
        patch.setattr(CsvSink, "write", move)
        if picture is None:
            patch.setattr(CsvSink, "close", lambda _: folder.rename(moved))
        done = detectattn(*words, "-o", folder)
    assert done.code == 1
    assert f"error: {folder} was moved to {moved} while the run wrote there" in done.err
    assert done.out == ""
    assert json.loads((moved / "run.json").read_text())["status"] == "failed"
    assert len((moved / "predictions.jsonl").read_bytes().splitlines()) == (40 if picture is None else 5)
    assert detectattn("predict", "--resume", moved, "-q").code == 4
    assert compare_runs(whole, moved).differences == []


@pytest.mark.skipif(os.name == "nt", reason="what is open cannot be removed there")
def test_a_folder_that_is_removed_meanwhile_is_told(
    detectattn: Any, words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, write = tmp_path / "run", CsvSink.write

    def remove(sink: CsvSink, frame: Frame, prediction: Prediction) -> None:
        write(sink, frame, prediction)
        shutil.rmtree(folder, ignore_errors=True)

    monkeypatch.setattr(CsvSink, "write", remove)
    done = detectattn(*words, "-o", folder)
    assert (done.code, done.out) == (1, "")
    assert re.search(r"error: .*run was (moved or )?removed while the run wrote there", done.err)
    assert not (folder / "run.json").exists()


def test_a_run_that_never_began_begins(detectattn: Any, words: Words, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed at once"
    folder.mkdir()
    (folder / ".detectattn-0123.part").write_text("half")
    assert detectattn(*words, "--resume", folder, "-q").code == 4
    assert compare_runs(whole, folder).differences == [".detectattn-0123.part"]
    assert detectattn(*words, "--resume", tmp_path / "not there yet", "-q").code == 4


def test_a_folder_of_something_else_is_left_alone(detectattn: Any, words: Words, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    done = detectattn(*words, "--resume", folder)
    assert done.code == 1
    assert "no run.json" in done.err
    assert read_all(folder) == {"mine.txt": b"mine"}


def test_one_process_at_a_time(detectattn: Any, cut_off: Any) -> None:
    folder = cut_off(9)
    with lock_run_folder(folder):
        done = detectattn("predict", "--resume", folder)
    assert done.code == 1
    assert "being written by another process" in done.err
    assert detectattn("predict", "--resume", folder, "-q").code == 4


def test_trust_is_not_taken_from_a_file(detectattn: Any, cut_off: Any) -> None:
    folder = cut_off(9)
    manifest = json.loads((folder / "run.json").read_text())
    manifest["config"]["trust_weights"] = True
    (folder / "run.json").write_text(json.dumps(manifest))
    done = detectattn("predict", "--resume", folder)
    assert done.code == 2
    assert "never taken from a file" in done.err
    assert detectattn("predict", "--resume", folder, "--trust-weights", "-q").code == 4


def test_no_protection_is_taken_away_by_a_file(detectattn: Any, cut_off: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, asked = cut_off(9), []
    manifest = json.loads((folder / "run.json").read_text())
    manifest["config"]["isolate"] = "none"
    (folder / "run.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(predict_input, "open_isolation", lambda which: asked.append(which) or open_isolation("none"))
    assert detectattn("predict", "--resume", folder, "-q").code == 4
    assert asked == ["auto"]


def test_secrets_are_asked_for_again(detectattn: Any, cut_off: Any) -> None:
    folder = cut_off(9)
    manifest = json.loads((folder / "run.json").read_text())
    manifest["config"]["sources"] = ["https://***@example.com/a.jpg"]
    (folder / "run.json").write_text(json.dumps(manifest))
    done = detectattn("predict", "--resume", folder)
    assert done.code == 2
    assert "secret" in done.err


@pytest.mark.skipif(read_boot_id() is None, reason="this system does not tell its boots apart")
def test_power_loss(detectattn: Any, cut_off: Any, whole: Path) -> None:
    """After another boot no more is trusted than was written out: the rest may be zeros, or missing."""
    folder = cut_off(14)
    lines = (folder / "predictions.jsonl").read_bytes().splitlines(keepends=True)
    durable = b"".join(lines[:6])
    state = {"whole_bytes": 0, "durable_bytes": len(durable), "boot_id": "another"}
    (folder / STATE_FILE).write_text(json.dumps(state))
    lost = [json.loads(line) for line in lines[6:14]]
    for record in lost:
        for path in (folder / "images" / record["source"], folder / "yolo" / "labels" / f"{record['source'][:-4]}.txt"):
            if path.exists():
                path.write_bytes(b"")
    (folder / "predictions.jsonl").write_bytes(durable + b"".join(lines[6:12]) + bytes(500))
    assert detectattn("predict", "--resume", folder, "-q").code == 4
    assert compare_runs(whole, folder).differences == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
def test_full_disk(detectattn: Any, words: Words, whole: Path, tmp_path: Path) -> None:
    """No file may grow beyond a limit, as on a disk that fills up; then there is room again."""
    import resource

    folder, before = tmp_path / "full", resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = (whole / "predictions.jsonl").stat().st_size // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        done = detectattn(*words, "--resume", folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert done.code == 1
    assert "cannot write" in done.err
    assert f"`detectattn predict --resume {folder}` goes on from there" in done.err
    assert detectattn("predict", "--resume", folder, "-q").code == 4
    assert compare_runs(whole, folder).differences == []
