from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.peer.environment import VARIABLE, find_peer, read_versions
from benchmarks.peer.model_time import benchmark_words, read_an_image_s
from benchmarks.peer.process import plain_environment, run_timed
from benchmarks.peer.sides import Ours, Peer, choose_threshold, count_ours, count_peers

WHOLE = {
    "ultralytics": "8.4.190",
    "torch": "2.12.1",
    "torchvision": "0.27.1",
    "openvino": "2026.4.1",
    "opencv-python": "5.0",
    "numpy": "2.4",
}


@pytest.fixture
def tell(tmp_path: Path) -> Path:
    """A program that answers what ``versions.json`` beside it says."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/versions.json\n")
    program.chmod(0o755)
    return program


def test_a_missing_peer_is_named_with_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(RuntimeError, match=r"nowhere is no program\. .*\.venv-peer.*--peer"):
        find_peer(None)


def test_the_option_wins_over_the_variable(tell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere")
    assert find_peer(str(tell)) == tell


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ultralytics": "8.4.1"}, r"has ultralytics 8\.4\.1, and the targets are about 8\.4\.190"),
        ({"broken": "operator does not exist"}, r"cannot import torchvision \(operator does not exist\)"),
        ({"openvino": None}, "lacks openvino"),
    ],
)
def test_a_peer_that_is_another_is_refused(tell: Path, change: dict[str, str | None], message: str) -> None:
    found = {name: version for name, version in {**WHOLE, **change}.items() if version}
    tell.with_name("versions.json").write_text(json.dumps(found))
    with pytest.raises(RuntimeError, match=message):
        read_versions(tell)


def test_a_whole_peer_tells_its_versions(tell: Path) -> None:
    tell.with_name("versions.json").write_text(json.dumps(WHOLE))
    assert read_versions(tell) == WHOLE


def test_both_sides_get_the_same_size_and_threshold(tmp_path: Path) -> None:
    ours = Ours(("-m", "a.pt"), 0.31).command()
    peer = Peer(Path("python"), Path("a.pt"), 0.31, 90, tmp_path).command()
    assert ours[ours.index("--conf") + 1] == "0.31"
    assert ours[ours.index("--imgsz") + 1] == "640"
    assert {"conf=0.31", "imgsz=640", "device=cpu"} <= set(peer)


def test_settings_of_threads_do_not_reach_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    environment = plain_environment({"EXTRA": "yes"})
    assert "OMP_NUM_THREADS" not in environment
    assert environment["EXTRA"] == "yes"


def test_a_program_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"failed with 3:\nno such model"):
        run_timed(["sh", "-c", "echo no such model; exit 3"], plain_environment({}), tmp_path / "log")


def test_a_program_that_hangs_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"sleep 60 is not done after 0 s"):
        run_timed(["sleep", "60"], plain_environment({}), tmp_path / "log", limit_s=0.2)


def test_detections_are_counted_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .1 .1\n3 .5 .5 .1 .1\n")
    (tmp_path / "labels" / "b.txt").write_text("1 .5 .5 .1 .1\n")
    (tmp_path / "predictions.jsonl").write_text('{"detections": [{}, {}]}\n{"detections": []}\n')
    assert count_peers(tmp_path) == 3
    assert count_ours(tmp_path) == 2


def test_the_threshold_leaves_so_many_a_picture() -> None:
    scores = [[0.9, 0.8, 0.1], [0.7, 0.6], []]
    conf = choose_threshold(scores, 1)
    assert sum(score > conf for picture in scores for score in picture) == 3
    assert choose_threshold(scores, 10) == 0.001


def test_the_throughput_of_benchmark_app_is_read(tmp_path: Path) -> None:
    assert read_an_image_s("[ INFO ]    Max: 9 ms\n[ INFO ] Throughput:   25.00 FPS\n") == pytest.approx(0.04)
    with pytest.raises(RuntimeError, match="printed no throughput"):
        read_an_image_s("[ ERROR ] no model")
    (tmp_path / "a.xml").touch()
    words = " ".join(benchmark_words(tmp_path, 8))
    assert "-hint throughput" in words
    assert "-infer_precision f32 -shape [1,3,640,640] -t 8" in words
