"""Frames of a stream are written as they come, in order, and their record is the last of it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.pipeline.channel import StopSignal, Threads, Workers
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.writing import Writer
from detectattn.sinks.prompt import PromptSink, WrittenBefore


class Noting:
    """Notes what it is asked, under its name, in a list that several share."""

    parallel = False

    def __init__(self, name: str, noted: list[Any], fail_on: str = "") -> None:
        self.name = name
        self.noted = noted
        self.fail_on = fail_on

    def write(self, frame: Any, prediction: Any) -> None:
        self.note("write", frame.index)

    def recall(self, frame: Any, prediction: Any) -> None:
        self.note("recall", frame.index)

    def close(self) -> None:
        self.note("close")

    def abort(self) -> None:
        self.note("abort")

    def note(self, action: str, *what: Any) -> None:
        self.noted.append((self.name, action, *what))
        if action == self.fail_on:
            raise OSError(28, "No space left on device")


def test_the_last_frame_is_written_though_no_other_comes(make_frame: Any, make_prediction: Any) -> None:
    noted: list[Any] = []
    done = threading.Event()

    class Last(Noting):
        def write(self, frame: Any, prediction: Any) -> None:
            super().write(frame, prediction)
            if frame.index == 2:
                done.set()

    prompt = PromptSink([Noting("video", noted)], Noting("records", noted), [Last("after", noted)])
    stop = StopSignal()
    threads = Threads(stop)
    options = RunOptions(Thresholds(), write_workers=1)
    workers = Workers(options.write_workers, "write", threads, stop)
    writer = Writer([prompt], WrittenBefore(), workers, stop, lambda *_: None, options.write_workers)
    for index in range(3):
        frame = make_frame("cam", "stream", index)
        writer.write(frame, make_prediction(frame))
    assert done.wait(5)
    assert noted == [(name, "write", index) for index in range(3) for name in ("video", "records", "after")]
    stop.set()
    threads.join(5)


def test_the_record_tells_what_writing_took(make_frame: Any, make_prediction: Any) -> None:
    seen: list[Any] = []

    class Record(Noting):
        def write(self, frame: Any, prediction: Any) -> None:
            seen.append(prediction.timing)

    frame = make_frame("cam", "stream")
    prediction = make_prediction(frame)
    PromptSink([], Record("records", [])).write(frame, prediction)
    assert seen[0].infer_ms == prediction.timing.infer_ms
    assert 0 <= seen[0].write_ms != prediction.timing.write_ms


@pytest.mark.parametrize("action", ["close", "abort"])
def test_all_are_ended_whichever_of_them_fails(action: str) -> None:
    noted: list[Any] = []
    names = ("video", "csv", "records")
    prompt = PromptSink(
        [Noting("video", noted, fail_on=action), Noting("csv", noted)], Noting("records", noted, fail_on=action)
    )
    with pytest.raises(OSError, match="No space left"):
        getattr(prompt, action)()
    assert noted == [(name, action) for name in names]


def test_a_record_is_not_written_where_its_picture_could_not_be(make_frame: Any, make_prediction: Any) -> None:
    noted: list[Any] = []
    prompt = PromptSink([Noting("video", noted, fail_on="write")], Noting("records", noted))
    frame = make_frame("cam", "stream")
    with pytest.raises(OSError, match="No space left"):
        prompt.write(frame, make_prediction(frame))
    assert noted == [("video", "write", 0)]
