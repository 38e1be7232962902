"""Where an unfinished run goes on, from its records, its failures and its inputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from detectattn.errors import SourceError, UnreadableRecord
from detectattn.pipeline.checkpoint import RunState, keep_checkpoints, read_boot_id, read_state, write_state
from detectattn.pipeline.settled import Settled, cut_back, settle
from detectattn.pipeline.written import find_last_input
from detectattn.records import failure_line, record_line
from detectattn.types import Detections, Frame, FrameFailure, Media, MediaKind, Prediction


def image(source: str, kind: MediaKind = "image") -> Media:
    return Media(source, kind, Path(source), PurePosixPath(source))


def failed(source: str, index: int | None = None) -> FrameFailure:
    return FrameFailure(source, index, "undecodable-image", f"{source} is none")


def line(source: str, index: int = 0, timestamp_s: float | None = None) -> str:
    return record_line(Prediction(source, index, (8, 8), Detections.empty(), "m", {}, timestamp_s=timestamp_s))


class Run:
    """A run folder, and what was recalled of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recalled: list[tuple[str, int, str]] = []

    def write(self, lines: Sequence[str], failures: Sequence[FrameFailure] = (), torn: str = "") -> None:
        (self.folder / "predictions.jsonl").write_text("".join(lines) + torn)
        (self.folder / "failures.jsonl").write_text("".join(map(failure_line, failures)))

    def settle(self, media: Sequence[Media | FrameFailure], state: RunState | None = None) -> Settled:
        self.recalled.clear()
        return settle(media, self.folder, self._recall, state or read_state(self.folder))

    def _recall(self, frame: Frame, prediction: Prediction) -> None:
        assert (frame.source, frame.index) == (prediction.source, prediction.index)
        assert np.array_equal(frame.bgr, np.zeros((1, 1, 3)))
        self.recalled.append((frame.source, frame.index, frame.media.kind))

    @property
    def sources(self) -> list[str]:
        return [source for source, _, _ in self.recalled]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


ABCD = [image(name) for name in "abcd"]


def left(settled: Settled) -> list[str]:
    return [item.source for item in settled.media]


def test_nothing_was_written(run: Run) -> None:
    assert left(run.settle(ABCD)) == list("abcd")
    assert run.recalled == []


@pytest.mark.parametrize("torn", ["", line("c")[:-20], line("c")[:-1], "\0" * 40])
def test_the_last_input_is_done_again(run: Run, torn: str) -> None:
    run.write([line("a"), line("b")], torn=torn)
    settled = run.settle(ABCD)
    assert (run.sources, left(settled)) == (["a"], ["b", "c", "d"])
    cut_back(run.folder, settled, RunState())
    assert (run.folder / "predictions.jsonl").read_text() == line("a")


def test_sittings_that_get_nowhere_lose_nothing(run: Run) -> None:
    run.write([line("a"), line("b"), line("c")])
    for _ in range(3):
        settled = run.settle(ABCD)
        cut_back(run.folder, settled, read_state(run.folder))
        assert (run.sources, left(settled)) == (["a", "b"], ["c", "d"])


def test_a_video_in_the_middle_begins_again(run: Run) -> None:
    frames = [line("v", i, i / 25) for i in range(5)]
    inputs = [image("a"), image("v", "video"), image("b")]
    run.write([line("a"), *frames])
    assert left(run.settle(inputs)) == ["v", "b"]
    run.write([line("a"), *frames, line("b")])
    assert left(run.settle(inputs)) == ["b"]
    assert run.recalled == [("a", 0, "image"), *(("v", i, "video") for i in range(5))]


def test_what_was_behind_an_address_is_known_from_its_records(run: Run) -> None:
    inputs = [image("https://h/a", "url"), image("https://h/v", "url"), image("b")]
    run.write([line("https://h/a"), line("https://h/v", 0, 0.0), line("b")])
    run.settle(inputs)
    assert [kind for _, _, kind in run.recalled] == ["image", "video"]


def test_a_stream_cannot_be_read_again(run: Run) -> None:
    inputs = [image("a"), image("b"), image("rtsp://h/live", "stream")]
    run.write([line("a"), line("rtsp://h/live", 0, 0.0)], [failed("b")])
    with pytest.raises(SourceError, match="is a stream"):
        run.settle(inputs)
    assert (run.folder / "predictions.jsonl").read_text().count("\n") == 2


def test_inputs_of_one_name_are_told_apart(run: Run) -> None:
    inputs = [image("x"), image("x"), image("x"), image("y")]
    run.write([line("x"), line("x"), line("x")])
    assert left(run.settle(inputs)) == ["x", "y"]
    assert run.sources == ["x", "x"]


def test_failures_before_the_point_are_kept_and_later_ones_tried_again(run: Run) -> None:
    inputs = [failed("unreadable/"), *ABCD, image("e"), image("f")]
    failures = [failed("unreadable/"), failed("b"), failed("e")]
    run.write([line("a"), line("c"), line("d")], failures)
    settled = run.settle(inputs)
    assert left(settled) == ["d", "e", "f"]
    assert [failure.source for failure in settled.failures] == ["unreadable/", "b"]
    cut_back(run.folder, settled, RunState())
    assert (run.folder / "failures.jsonl").read_text() == "".join(map(failure_line, failures[:2]))


def test_what_follows_a_failure_whose_line_is_damaged_is_done_again(run: Run) -> None:
    inputs = [*ABCD, image("e"), image("f")]
    run.write([line("a"), line("c"), line("e"), line("f")], [failed("b"), failed("d")])
    path = run.folder / "failures.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0] + '{"schema":1,"sour\n')
    settled = run.settle(inputs)
    assert (run.sources, left(settled)) == (["a", "c"], ["d", "e", "f"])
    cut_back(run.folder, settled, RunState())
    assert (run.folder / "predictions.jsonl").read_text() == line("a") + line("c")
    assert path.read_text() == failure_line(failed("b"))


def test_a_damaged_line_is_no_leave_for_other_inputs(run: Run) -> None:
    """One may be missing for it, and the others must be those of the run."""
    run.write([line("a"), line("c"), line("d")])
    (run.folder / "failures.jsonl").write_text("torn")
    for inputs in ([image("a"), image("new"), image("new too"), *ABCD[2:]], [image("a"), image("b"), image("d")]):
        with pytest.raises(SourceError, match=r"began with|no longer among its inputs"):
            run.settle(inputs)
    assert left(run.settle(ABCD)) == ["b", "c", "d"]


def test_without_failures_there_is_no_file(run: Run) -> None:
    run.write([line("a")], [failed("b")])
    cut_back(run.folder, run.settle(ABCD), RunState())
    assert not (run.folder / "failures.jsonl").exists()


def test_a_video_that_broke_off_keeps_its_failure(run: Run) -> None:
    run.write([line("v", 0, 0.0), line("v", 1, 0.04), line("b")], [failed("v", 2)])
    settled = run.settle([image("v", "video"), image("b")])
    assert [failure.index for failure in settled.failures] == [2]


@pytest.mark.parametrize(
    "inputs", [[*"bcd"], ["a", "new", *"bcd"], ["a"], ["a", "b"], [*"abd"]], ids=["first", "new", "most", "last", "c"]
)
def test_other_inputs_are_refused(run: Run, inputs: Sequence[str]) -> None:
    run.write([line("a"), line("b"), line("c")])
    with pytest.raises(SourceError, match=r"began with|no longer among its inputs"):
        run.settle([image(name) for name in inputs])


def test_a_damaged_record_is_not_passed_over(run: Run) -> None:
    run.write([line("a"), "nonsense\n", line("c")])
    with pytest.raises(UnreadableRecord, match="byte"):
        run.settle(ABCD)


def test_after_another_boot_only_what_was_written_out_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectattn.pipeline.checkpoint.read_boot_id", lambda: "now")
    lines = [line(name) for name in "abcd"]
    run.write(lines)
    before = RunState(durable_bytes=len(lines[0] + lines[1]), boot_id="before")
    assert left(run.settle(ABCD, before)) == ["b", "c", "d"]
    same = RunState(durable_bytes=before.durable_bytes, boot_id="now")
    assert left(run.settle(ABCD, same)) == ["d"]
    assert left(run.settle(ABCD, RunState(durable_bytes=0, boot_id=None))) == ["d"]


def test_last_input_of_pages(run: Run) -> None:
    lines = [line("a"), line("p", 0), line("p", 1), line("p", 2)]
    run.write(lines)
    last = find_last_input(run.folder / "predictions.jsonl")
    assert (last.source, last.start) == ("p", len(lines[0]))


@pytest.mark.skipif(read_boot_id() is None, reason="this system does not tell its boots apart")
def test_checkpoints_note_what_is_written_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.sync", lambda: synced.append(1), raising=False)
    run.write([line("a")])
    write_state(run.folder, RunState(durable_bytes=10_000, whole_bytes=3))
    with keep_checkpoints(run.folder, interval_s=0.01):
        assert read_state(run.folder).durable_bytes <= len(line("a"))
        while len(synced) < 2:
            pass
        run.write([line("a"), line("b")])
    state = read_state(run.folder)
    assert (state.durable_bytes, state.whole_bytes) == (len(line("a") + line("b")), 3)
    assert state.boot_id == read_boot_id()


@pytest.mark.parametrize("state", [{"durable_bytes": 1, "later": 2}, {"whole_bytes": "1"}, {"durable_bytes": -1}, []])
def test_state_that_cannot_be_read_says_nothing(run: Run, state: object) -> None:
    (run.folder / ".detectattn-state.json").write_text(json.dumps(state))
    assert read_state(run.folder) == RunState()
