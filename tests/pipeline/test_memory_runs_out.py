"""Out of memory: the run goes on with fewer pictures at once, from the very same ones; nothing is lost or doubled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.engines.runtime_errors import memory_errors, tells_of_memory
from detectattn.errors import OutOfMemory
from detectattn.pipeline.recovery import Rescue
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.types import F32, Frame, FrameFailure, Media

pytestmark = pytest.mark.timeout(20)
OPTIONS = RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=2)


def lack(tensor: F32) -> OutOfMemory:
    return OutOfMemory(f"fake has too little memory for a batch of {len(tensor)}", hint="Take less")


@pytest.fixture
def free(make_detector: Any) -> Callable[..., Any]:
    """A detector of any batch size, which it begins with, and what its engine does before each call."""

    def make(batch: int, before: Callable[[F32], None], streams: int = 1) -> Any:
        detector = make_detector(batch, before=before, streams=streams)
        detector.engine.spec = replace(detector.engine.spec, fixed_batch=None)
        return detector

    return make


def run(media: Any, open_frames: Any, detector: Any, records: Any) -> tuple[RunTally, list[FrameFailure], list[str]]:
    tally, failures, told = RunTally(), [], []
    rescue = Rescue(tell=lambda recovery: told.append(recovery.describe()))
    run_pipeline(media, open_frames, detector, [], records, OPTIONS, tally, on_failure=failures.append, rescue=rescue)
    return tally, failures, told


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize(("fits", "ends_with"), [(5, 4), (1, 1)])
def test_the_batch_halves_until_it_fits(
    make_media: Any,
    open_grey: Any,
    make_detector: Any,
    free: Any,
    memory_sink: Any,
    streams: int,
    fits: int,
    ends_with: int,
) -> None:
    def refuse(tensor: F32) -> None:
        if len(tensor) > fits:
            raise lack(tensor)

    alone, together = memory_sink(), memory_sink()
    run(make_media(40), open_grey, make_detector(1), alone)
    tally, failures, told = run(make_media(40), open_grey, free(8, refuse, streams), together)
    assert together.written == alone.written
    scores = [[p.detections.score.tolist() for p in sink.predictions] for sink in (alone, together)]
    assert scores[0] == scores[1]
    assert (tally.status, tally.last_batch, failures) == ("finished", ends_with, [])
    assert told == [
        f"fake has too little memory for a batch of 8: from here on {ends_with} at a time go through together"
    ]
    [recovery] = tally.recovered
    assert (recovery.what, recovery.was, recovery.now) == ("batch", "8", str(ends_with))


def test_it_halves_again_later(make_media: Any, open_grey: Any, free: Any, memory_sink: Any) -> None:
    """When another program takes memory in the middle of a run."""
    calls: list[int] = []

    def refuse(tensor: F32) -> None:
        calls.append(len(tensor))
        if len(tensor) > (4 if len(calls) < 6 else 2):
            raise lack(tensor)

    records = memory_sink()
    tally, _, told = run(make_media(40), open_grey, free(4, refuse), records)
    assert [name for name, _ in records.written] == [f"{i:04d}.jpg" for i in range(40)]
    assert (tally.last_batch, len(told)) == (2, 1)
    assert tally.recovered[0].after > 0


def test_calls_wait_for_each_other_when_single_pictures_do_not_fit(
    make_media: Any, open_grey: Any, free: Any, memory_sink: Any
) -> None:
    """Two at once are too many: each then runs alone, and none is given up for it."""
    running: set[int] = set()
    lock, seen = threading.Lock(), []

    def refuse(tensor: F32) -> None:
        me = threading.get_ident()
        with lock:
            running.add(me)
        time.sleep(0.005)
        with lock:
            seen.append(len(running))
            is_full = len(running) > 1
            running.discard(me)
        if is_full:
            raise lack(tensor)

    records = memory_sink()
    tally, failures, _ = run(make_media(30), open_grey, free(1, refuse, streams=3), records)
    assert max(seen) > 1
    assert seen[-10:] == [1] * 10
    assert [name for name, _ in records.written] == [f"{i:04d}.jpg" for i in range(30)]
    assert (tally.status, failures) == ("finished", [])


@pytest.mark.parametrize(("batch", "streams"), [(1, 1), (4, 2)])
def test_where_nothing_fits_the_run_ends(
    make_media: Any, open_grey: Any, free: Any, memory_sink: Any, batch: int, streams: int
) -> None:
    def refuse(tensor: F32) -> None:
        raise lack(tensor)

    records = memory_sink()
    detector = free(batch, refuse, streams)
    with pytest.raises(OutOfMemory, match="a batch of 1"):
        run(make_media(30), open_grey, detector, records)
    assert (records.written, records.ended, detector.batch) == ([], ["abort"], 1)


def test_an_export_of_a_fixed_batch_cannot_halve(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any
) -> None:
    def refuse(tensor: F32) -> None:
        raise lack(tensor)

    with pytest.raises(OutOfMemory, match="a batch of 4"):
        run(make_media(30), open_grey, make_detector(4, before=refuse), memory_sink())


def test_a_picture_larger_than_all_that_fitted_costs_itself_alone(make_media: Any, free: Any, memory_sink: Any) -> None:
    """Where each has an input of its own size; of a video the rest is left out, as where it cannot be read further."""
    large = {"0004.jpg", "0009.jpg"}

    def open_some(media: Media) -> Iterator[Frame]:
        for index in range(3 if media.source == "0009.jpg" else 1):
            yield Frame(media, index, np.full((64, 64 if media.source in large else 32, 3), 90, np.uint8))

    def refuse(tensor: F32) -> None:
        if tensor.shape[3] > 32:
            raise lack(tensor)

    records = memory_sink()
    tally, failures, _ = run(make_media(12), open_some, free(2, refuse, streams=2), records)
    assert [name for name, _ in records.written] == [f"{i:04d}.jpg" for i in range(12) if i not in (4, 9)]
    assert [(f.source, f.index, f.code) for f in failures] == [(name, None, "out-of-memory") for name in sorted(large)]
    assert tally.status == "finished"


def test_a_stream_goes_on_after_a_frame_that_is_too_large(make_media: Any, free: Any, memory_sink: Any) -> None:
    def open_stream(media: Media) -> Iterator[Frame]:
        for index in range(4):
            yield Frame(media, index, np.full((64, 64 if index == 1 else 32, 3), 90, np.uint8))

    def refuse(tensor: F32) -> None:
        if tensor.shape[3] > 32:
            raise lack(tensor)

    records = memory_sink()
    _, failures, _ = run(make_media(1, "stream"), open_stream, free(1, refuse), records)
    assert [index for _, index in records.written] == [0, 2, 3]
    assert [(f.index, f.code) for f in failures] == [(1, "out-of-memory")]


def test_memory_that_becomes_scarce_ends_the_run(make_media: Any, open_grey: Any, free: Any, memory_sink: Any) -> None:
    """Rather than a failure for each of the thousands of pictures that would have fitted before."""
    calls: list[int] = []

    def refuse(tensor: F32) -> None:
        calls.append(1)
        if len(calls) > 5:
            raise lack(tensor)

    records = memory_sink()
    with pytest.raises(OutOfMemory):
        run(make_media(30), open_grey, free(1, refuse), records)
    assert records.written == [(f"{i:04d}.jpg", 0) for i in range(len(records.written))]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("Exception from src/inference/src/cpp/infer_request.cpp:223: std::bad_alloc"),
        RuntimeError("[GPU] clEnqueueNDRangeKernel, error code: -5 CL_OUT_OF_RESOURCES"),
        RuntimeError(
            "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of 9"
        ),
        RuntimeError("[ONNXRuntimeError] : 1 : FAIL : bad allocation"),
    ],
)
def test_runtimes_that_lack_memory_are_understood(error: Exception) -> None:
    expected = pytest.raises(OutOfMemory, match="gpu has too little memory for a batch of 3 at 32×64")
    with expected, memory_errors("gpu", np.zeros((3, 3, 32, 64), np.float32)):
        raise error


def test_other_errors_of_runtimes_stay() -> None:
    assert not tells_of_memory(RuntimeError("Non-zero status code returned while running Conv node"))
    with pytest.raises(RuntimeError, match="Conv"), memory_errors("cpu", np.zeros((1, 3, 32, 32), np.float32)):
        raise RuntimeError("Conv")
