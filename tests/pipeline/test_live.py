"""Runs on live streams: never far behind, and their heartbeat."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.pipeline import heartbeat as heartbeat_module
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.heartbeat import HEARTBEAT_FILE, Heartbeat, keep_heartbeat
from detectattn.pipeline.live import Live
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.sinks.prompt import PromptSink, WrittenBefore
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.stream import StreamSource, iter_stream_frames
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_options import LiveReadOptions
from detectattn.types import FrameFailure
from tests.motion_jpeg import jpeg_part, send_parts

pytestmark = pytest.mark.timeout(30)

GONE = StreamLimits(open_s=1.0, read_s=1.0, first_frame_s=1.0, reconnects=0)


def make_live(most: int = 2, limits: StreamLimits = GONE, stop: StopSignal | None = None) -> Live:
    return Live(limits, most, (stop or StopSignal()).is_set, lambda _: None, lambda _: None)


@pytest.fixture
def fast_camera(http_server: Any) -> str:
    """150 pictures, one every three milliseconds."""
    parts = [jpeg_part(90, (64, 64))] * 150

    def answer(handler: Any) -> None:
        send_parts(handler, parts, lambda _: http_server.stopping.wait(0.003))

    http_server.routes["/cam"] = answer
    return f"{http_server.url}/cam"


def test_a_model_slower_than_its_camera_works_on_new_frames_and_the_rest_is_counted(
    fast_camera: str, make_detector: Any, memory_sink: Any
) -> None:
    live, stop, tally = make_live(), StopSignal(), RunTally()
    under_way: list[int] = []
    behind: list[int] = []

    def linger(_: Any) -> None:
        under_way.append(live.watch.count_under_way())
        time.sleep(0.03)

    class Record(memory_sink):  # type: ignore[misc]
        def write(self, frame: Any, prediction: Any) -> None:
            super().write(frame, prediction)
            behind.append(live.watch.read().received - frame.index)

    read = LiveReadOptions.extend(ReadOptions(), live.options)
    records = Record()
    failures: list[FrameFailure] = []
    run_pipeline(
        StreamSource(fast_camera).iter_media(ReadCounts()),
        lambda media: iter_stream_frames(media, read),
        make_detector(1, before=linger),
        [PromptSink([], records, [live.sink])],
        WrittenBefore(),
        RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=1),
        tally,
        on_failure=failures.append,
        stop=stop,
    )
    state = live.watch.read()
    assert [failure.code for failure in failures] == ["stream-lost"]  # it hung up, and reconnects=0
    assert max(under_way) <= 2
    assert len(records.written) < 100
    # Every frame that arrived was done or is counted as dropped, but for those that were under way at the end.
    assert state.received - len(records.written) - state.dropped in (0, 1)
    assert live.counts()["dropped"] == state.dropped > 0
    # A frame that is done was among the newest when it was taken: the queues held none for longer.
    assert np.median(behind) < 60


def test_a_run_that_is_stopped_before_the_first_frame_has_no_failure(make_detector: Any, memory_sink: Any) -> None:
    stop, tally = StopSignal(), RunTally()
    live = make_live(limits=replace(GONE, open_s=3.0), stop=stop)
    read = LiveReadOptions.extend(ReadOptions(), live.options)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Timer(0.2, stop.set, [KeyboardInterrupt()]).start()
        with pytest.raises(KeyboardInterrupt):
            run_pipeline(
                StreamSource(f"tcp://127.0.0.1:{silent.getsockname()[1]}").iter_media(ReadCounts()),
                lambda media: iter_stream_frames(media, read),
                make_detector(1),
                [live.sink],
                memory_sink(),
                RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=2),
                tally,
                on_failure=lambda _: None,
                stop=stop,
            )
    assert (tally.status, tally.failures) == ("interrupted", [])


def test_frames_that_failed_do_not_hold_up_those_after_them() -> None:
    watch = make_live().watch
    for timestamp_s in (0.0, 0.1, 0.2):
        watch.note_taken(100 + timestamp_s, timestamp_s)
    assert watch.count_under_way() == 3
    watch.note_done(0.2)  # the two before were not
    assert watch.count_under_way() == 0


def test_waiting_for_a_turn_ends_when_the_run_stops() -> None:
    stop = StopSignal()
    live = make_live(most=1, stop=stop)
    live.watch.note_taken(0.0, 0.0)
    waiting = threading.Thread(target=live.options.await_turn)
    waiting.start()
    assert waiting.is_alive()
    stop.set()
    waiting.join(5)
    assert not waiting.is_alive()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(heartbeat_module.time, "monotonic", lambda: now[0])
    return now


def test_the_rate_is_that_of_the_last_minute(clock: list[float]) -> None:
    tally = RunTally()
    beat = Heartbeat(tally, make_live())
    rates = []
    for frames in [10] * 60 + [2] * 60:  # in ten seconds each
        clock[0] += 10
        tally.frames += frames
        rates.append(beat.describe()["fps"])
    assert rates[0] == rates[59] == 1.0
    assert rates[-1] == 0.2
    assert len(beat._done) < 10


def test_the_heartbeat_says_how_the_run_stands() -> None:
    tally, live = RunTally(frames=7), make_live()
    beat = Heartbeat(tally, live)
    assert beat.describe()["state"] == "waiting"
    live.watch.note_opening()
    assert beat.describe()["state"] == "connecting"
    live.watch.note_frame(dropped=False)
    live.watch.note_frame(dropped=True)
    live.watch.note_taken(time.monotonic() - 0.25, 0.0)
    live.watch.note_done(0.0)
    running = beat.describe()
    assert (running["state"], running["frames"], running["dropped"]) == ("running", 7, 1)
    assert running["lag_ms"]["median"] >= 250
    assert datetime.fromisoformat(running["last_frame"]) <= datetime.now(UTC)
    live.watch.note_lost("stream", "no answer in time")
    live.watch.note_lost("stream", "no answer in time")
    away = beat.describe()
    assert (away["state"], away["attempts"], away["reason"]) == ("reconnecting", 1, "no answer in time")
    assert away["away_since"]
    live.watch.note_back("stream")
    assert (beat.describe()["state"], beat.describe()["reconnects"]) == ("running", 1)
    assert beat.describe(ended=True)["state"] == "ended"
    assert json.loads(json.dumps(away)) == away


def test_it_is_written_again_and_again_and_last_of_all_at_the_end(tmp_path: Path) -> None:
    tally, live = RunTally(), make_live()
    path = tmp_path / HEARTBEAT_FILE

    def beats() -> Iterator[int]:
        while True:
            yield json.loads(path.read_text())["frames"] if path.exists() else -1
            time.sleep(0.005)

    with keep_heartbeat(tmp_path, tally, live, interval_s=0.02):
        assert next(beats()) == -1  # no stream yet
        live.watch.note_opening()
        for frames in (1, 2, 3):
            tally.frames = frames
            assert frames in beats()
        tally.frames, tally.status = 9, "interrupted"
    last = json.loads(path.read_text())
    assert (last["frames"], last["state"], last["status"]) == (9, "ended", "interrupted")
    assert [p.name for p in tmp_path.iterdir()] == [HEARTBEAT_FILE]


def test_a_run_without_streams_has_none_and_a_full_disk_does_not_end_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with keep_heartbeat(tmp_path, RunTally(), make_live(), interval_s=0.01):
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
    live = make_live()
    live.watch.note_opening()
    asked = threading.Event()

    def refuse(path: Path, content: str) -> None:
        asked.set()
        raise heartbeat_module.OutputError("no space", hint="none")

    monkeypatch.setattr(heartbeat_module, "replace_file", refuse)
    with keep_heartbeat(tmp_path, RunTally(), live, interval_s=0.01):
        assert asked.wait(5)
        asked.clear()
        assert asked.wait(5)  # it goes on
