"""The pipeline's contract: order, completeness, one stop, nothing left behind, whatever fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.errors import EngineError, UndecodableImage
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.types import Frame, FrameFailure, Media

pytestmark = pytest.mark.timeout(30)
OPTIONS = RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=2)


def run(media: Any, open_frames: Any, detector: Any, sinks: Any, records: Any, **options: Any) -> RunTally:
    tally = options.pop("tally", None) or RunTally()
    failures: list[FrameFailure] = options.pop("failures", [])
    run_pipeline(media, open_frames, detector, sinks, records, OPTIONS, tally, on_failure=failures.append, **options)
    return tally


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_every_frame_is_recorded_once_in_order(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, batch: int
) -> None:
    pictures, records = memory_sink(parallel=True), memory_sink()
    tally = run(make_media(50), open_grey, make_detector(batch), [pictures], records)
    assert records.written == [(f"{i:04d}.jpg", 0) for i in range(50)]
    assert sorted(pictures.written) == records.written
    assert (tally.status, tally.images, tally.media) == ("finished", 50, 50)
    assert (records.ended, pictures.ended) == (["close"], ["close"])


@pytest.mark.parametrize("batch", [2, 5])
def test_result_is_that_of_the_picture_alone(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, batch: int
) -> None:
    alone, together = memory_sink(), memory_sink()
    run(make_media(23), open_grey, make_detector(1), [], alone)
    run(make_media(23), open_grey, make_detector(batch), [], together)
    scores = [[p.detections.score.tolist() for p in sink.predictions] for sink in (alone, together)]
    assert scores[0] == scores[1]


def test_batches_hold_one_shape_and_are_padded(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any
) -> None:
    detector = make_detector(4)
    run(make_media(30), open_grey, detector, [], memory_sink())
    assert {shape[0] for shape in detector.engine.shapes} == {4}
    assert {shape[2:] for shape in detector.engine.shapes} == {(64, 32), (32, 64)}
    # 10 upright and 20 wide pictures fill 3 + 5 batches.
    assert len(detector.engine.shapes) == 8


@pytest.mark.parametrize("batch", [1, 4])
def test_streams_give_back_the_order(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, batch: int
) -> None:
    """Three inferences at once, of which upright pictures take longer and so are overtaken."""
    at_once: list[int] = []
    running: set[int] = set()

    def linger(tensor: Any) -> None:
        running.add(threading.get_ident())
        at_once.append(len(running))
        time.sleep(0.01 if tensor.shape[2] > tensor.shape[3] else 0.001)
        running.discard(threading.get_ident())

    alone, together = memory_sink(), memory_sink()
    run(make_media(60), open_grey, make_detector(1), [], alone)
    run(make_media(60), open_grey, make_detector(batch, streams=3, before=linger), [], together)
    assert max(at_once) == 3
    assert together.written == alone.written
    scores = [[p.detections.score.tolist() for p in sink.predictions] for sink in (alone, together)]
    assert scores[0] == scores[1]


def test_one_slow_inference_holds_the_others_up(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any
) -> None:
    """Rather than letting finished frames pile up behind it."""
    release = threading.Event()
    opened: list[str] = []
    first = iter([True])

    def wait_once(_: Any) -> None:
        if next(first, False):
            assert release.wait(10)

    def open_counted(media: Media) -> Iterator[Frame]:
        opened.append(media.source)
        yield from open_grey(media)

    def release_when_still() -> None:
        before = -1
        while before != len(opened):
            before = len(opened)
            time.sleep(0.1)
        ahead.append(before)
        release.set()

    ahead: list[int] = []
    records = memory_sink()
    threading.Thread(target=release_when_still, daemon=True).start()
    run(make_media(200), open_counted, make_detector(streams=2, before=wait_once), [], records)
    assert len(records.written) == 200
    assert ahead[0] <= 20


def test_bad_inputs_cost_themselves_only(make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any) -> None:
    def open_some(media: Media) -> Iterator[Frame]:
        number = int(media.source[:4])
        if number % 5 == 0:
            raise UndecodableImage(f"{media.source} is no picture", hint="Look at it")
        if number % 7 == 0:
            raise ZeroDivisionError("a decoder's bug")
        yield from open_grey(media)

    failures: list[FrameFailure] = []
    records = memory_sink()
    tally = run(make_media(36), open_some, make_detector(), [], records, failures=failures)
    bad = [i for i in range(36) if i % 5 == 0 or i % 7 == 0]
    assert [f.source for f in failures] == [f"{i:04d}.jpg" for i in bad]
    assert {f.code for f in failures} == {"undecodable-image", "decoder-error"}
    assert [s for s, _ in records.written] == [f"{i:04d}.jpg" for i in range(36) if i not in bad]
    assert (tally.status, tally.failures) == ("finished", failures)


@pytest.mark.parametrize("batch", [1, 8])
def test_failures_come_in_their_place_among_the_inputs(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, batch: int
) -> None:
    """When one is told, the inputs before it have been through the network, and none after it is counted."""
    tally, records, told = RunTally(), memory_sink(), []

    def open_some(media: Media) -> Iterator[Frame]:
        if int(media.source[:4]) in (5, 20, 21, 33):
            raise UndecodableImage(f"{media.source} is no picture", hint="Look at it")
        yield from open_grey(media)

    run_pipeline(
        make_media(34), open_some, make_detector(batch), [], records, OPTIONS, tally,
        on_failure=lambda failure: told.append((failure.source, tally.tried)),
    )  # fmt: skip
    assert told == [("0005.jpg", 6), ("0020.jpg", 21), ("0021.jpg", 22), ("0033.jpg", 34)]
    assert (tally.tried, len(records.written)) == (34, 30)


def test_failures_among_the_media_are_passed_on(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any
) -> None:
    failure = FrameFailure("gone.jpg", None, "not-found", "gone.jpg is not there. Look again.")
    media = [*make_media(2), failure, *make_media(1)]
    failures: list[FrameFailure] = []
    tally = run(media, open_grey, make_detector(), [], memory_sink(), failures=failures)
    assert failures == [failure]
    assert tally.images == 3


def test_video_frames_come_in_order_and_a_break_is_a_failure(
    make_media: Any, make_detector: Any, memory_sink: Any
) -> None:
    def open_video(media: Media) -> Iterator[Frame]:
        for index in range(0, 20, 2):
            yield Frame(media, index, np.full((32, 64, 3), 90, np.uint8), timestamp_s=index / 10)
        raise UndecodableImage("it breaks off", hint="Look at it")

    failures: list[FrameFailure] = []
    records = memory_sink()
    tally = run(make_media(2, "video"), open_video, make_detector(), [], records, failures=failures)
    assert [index for _, index in records.written] == [*range(0, 20, 2)] * 2
    assert [f.index for f in failures] == [19, 19]
    assert tally.frames == 20


def test_memory_is_bounded_by_the_queues(make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any) -> None:
    """With a slow sink, reading stays only a few pictures ahead of writing."""
    opened: list[str] = []
    ahead: list[int] = []
    records = memory_sink(delay_s=0.002)

    def open_counted(media: Media) -> Iterator[Frame]:
        opened.append(media.source)
        ahead.append(len(opened) - len(records.written))
        yield from open_grey(media)

    run(make_media(300), open_counted, make_detector(), [], records)
    assert max(ahead) <= 24


class Broken:
    """A stage that fails after a few pictures, for each place where one can."""

    @staticmethod
    def media(media: list[Media]) -> Iterator[Media]:
        yield from media[:7]
        raise RuntimeError("the source broke")


@pytest.mark.parametrize("stage", ["source", "engine", "picture sink", "ordered sink", "records", "close"])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_failure_in_any_stage_ends_the_run(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, stage: str, batch: int
) -> None:
    """The original error is raised, every thread ends, sinks are told: within the time limit of this test."""
    media: Any = make_media(200)
    detector = make_detector(batch)
    pictures, video, records = memory_sink(parallel=True), memory_sink(), memory_sink()
    expected: type[Exception] = OSError
    if stage == "source":
        media, expected = Broken.media(media), RuntimeError
    elif stage == "engine":
        seen = iter(range(100))
        detector, expected = make_detector(batch, fail_on=lambda _: next(seen) == 5), EngineError
    elif stage == "close":
        pictures.fail_on_close = True
        media = media[:20]
    else:
        {"picture sink": pictures, "ordered sink": video, "records": records}[stage].fail_at = "0040.jpg"
    tally = RunTally()
    with pytest.raises(expected):
        run(media, open_grey, detector, [pictures, video], records, tally=tally)
    assert tally.status == "failed"
    ending = "close" if stage == "close" else "abort"
    assert pictures.ended == video.ended == records.ended == [ending]
    # What is recorded is a prefix of the input, and all else of it is written.
    assert records.written == [(f"{i:04d}.jpg", 0) for i in range(len(records.written))]
    assert set(records.written) <= set(pictures.written) & set(video.written)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), None])
def test_stopping_from_outside_ends_whole(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, interrupt: BaseException | None
) -> None:
    stop = StopSignal()
    pictures, records = memory_sink(parallel=True, delay_s=0.002), memory_sink()

    def stop_soon() -> None:
        while len(records.written) < 10:
            time.sleep(0.001)
        stop.set(interrupt)

    threading.Thread(target=stop_soon, daemon=True).start()
    tally = RunTally()
    if interrupt is None:
        run(make_media(5000), open_grey, make_detector(), [pictures], records, tally=tally, stop=stop)
        assert tally.status == "stopped"
    else:
        with pytest.raises(KeyboardInterrupt):
            run(make_media(5000), open_grey, make_detector(), [pictures], records, tally=tally, stop=stop)
        assert tally.status == "interrupted"
    assert 10 <= len(records.written) < 5000
    assert sorted(pictures.written) == records.written
    assert (records.ended, pictures.ended) == (["close"], ["close"])


@pytest.mark.parametrize("sink", ["ordered", "records", "parallel"])
def test_nothing_is_written_after_an_interrupt_that_breaks_into_writing(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, sink: str
) -> None:
    """As a second Ctrl-C does: the picture that it hits has no record, and so none after it may have one."""
    sinks = {"ordered": memory_sink(), "parallel": memory_sink(parallel=True)}
    records = memory_sink()
    hit = (sinks | {"records": records})[sink]
    write = hit.write

    def write_or_break(frame: Frame, prediction: Any) -> None:
        if frame.source == "0010.jpg":
            raise KeyboardInterrupt
        write(frame, prediction)

    hit.write = write_or_break
    tally = RunTally()
    with pytest.raises(KeyboardInterrupt):
        run(make_media(40), open_grey, make_detector(4), list(sinks.values()), records, tally=tally)
    assert records.written == [(f"{i:04d}.jpg", 0) for i in range(10)]
    assert tally.status == "interrupted"
    assert records.ended == ["close"]


def test_a_second_interrupt_ends_the_completion_of_what_is_under_way(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any
) -> None:
    stop, records = StopSignal(), memory_sink()
    write = records.write

    def write_or_break(frame: Frame, prediction: Any) -> None:
        if frame.source == "0005.jpg":
            stop.set(KeyboardInterrupt())  # the first
        if frame.source == "0006.jpg":
            raise KeyboardInterrupt
        write(frame, prediction)

    records.write = write_or_break
    tally = RunTally()
    slow = memory_sink(parallel=True, delay_s=0.01)
    with pytest.raises(KeyboardInterrupt):
        run(make_media(40), open_grey, make_detector(), [slow], records, tally=tally, stop=stop)
    assert records.written == [(f"{i:04d}.jpg", 0) for i in range(6)]
    assert (tally.status, records.ended) == ("interrupted", ["close"])


def test_stages_overlap(make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any) -> None:
    """While the writer sleeps on one picture, the next are decoded and detected."""
    detector = make_detector()
    during: list[int] = []

    class Watching(memory_sink):  # type: ignore[misc, valid-type]
        def write(self, frame: Frame, prediction: Any) -> None:
            before = len(detector.engine.shapes)
            time.sleep(0.02)
            during.append(len(detector.engine.shapes) - before)

    run(make_media(10), open_grey, detector, [], Watching())
    assert sum(during[:4]) > 0
