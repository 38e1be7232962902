"""How busy each stage was, and the trace of it: what adds up, and what a viewer can open."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.errors import OutputExists
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.pipeline.timeline import Busy, Stage, StageClock
from detectattn.pipeline.trace_file import open_trace


def spend(clock: StageClock, thread: str, *slices: tuple[Stage, float]) -> None:
    """Work of a thread of that name, one slice after the other."""

    def work() -> None:
        start_s = 0.0
        for stage, seconds in slices:
            clock.add(stage, start_s, start_s + seconds, "x.jpg")
            start_s += seconds

    worker = threading.Thread(target=work, name=thread)
    worker.start()
    worker.join()


def test_shares_are_of_the_threads_that_do_it() -> None:
    clock = StageClock()
    spend(clock, "read-0", ("decode", 4), ("preprocess", 1))
    spend(clock, "read-1", ("decode", 2), ("preprocess", 1))
    spend(clock, "infer-0", ("infer", 6), ("postprocess", 1.5), ("infer", 1))
    busy = clock.compute_busy(10)
    assert busy.stages == pytest.approx({"decode": 0.3, "preprocess": 0.1, "infer": 0.7, "postprocess": 0.15})
    # Inference is most of what the busiest threads do, and those are busy with postprocessing, too.
    assert (busy.slowest, busy.share) == ("infer", pytest.approx(0.85))


def test_many_workers_share_the_load() -> None:
    clock = StageClock()
    for number in range(4):
        spend(clock, f"write-{number}", ("write", 5))
    spend(clock, "infer-0", ("infer", 6))
    busy = clock.compute_busy(10)
    assert busy.stages == pytest.approx({"infer": 0.6, "write": 0.5})
    assert busy.slowest == "infer"


def test_nothing_was_done() -> None:
    assert StageClock().compute_busy(1) == Busy()


def read_slices(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Slices by the name of their thread."""
    events = json.loads(path.read_text())["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    slices = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            slices[names[event["tid"]]].append(event)
    return dict(slices)


@pytest.mark.parametrize("batch", [1, 3])
def test_trace_of_a_run(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, tmp_path: Path, batch: int
) -> None:
    options, tally = RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=2), RunTally()
    detector, pictures, records = make_detector(batch, streams=2), memory_sink(parallel=True), memory_sink()
    with open_trace(tmp_path / "trace.json") as trace:
        run_pipeline(
            make_media(20), open_grey, detector, [pictures], records, options, tally,
            on_failure=pytest.fail, trace=trace,
        )  # fmt: skip
    threads = read_slices(tmp_path / "trace.json")
    assert {name.rstrip("0123456789") for name in threads} == {"read-", "infer-", "write-", "MainThread"}
    for slices in threads.values():
        ends_us = 0.0
        for event in slices:
            assert event["ts"] >= ends_us - 0.2  # written to a tenth of a microsecond
            ends_us = event["ts"] + event["dur"]
    counts = Counter(event["name"] for slices in threads.values() for event in slices)
    assert counts["decode"] == 20
    assert counts["write"] == 40  # the picture, then the record
    assert counts["infer"] == counts["postprocess"] == len(detector.engine.shapes)
    inferred = [event["args"]["of"] for slices in threads.values() for event in slices if event["name"] == "infer"]
    assert sorted(name for names in inferred for name in names.split(", ")) == [f"{i:04d}.jpg" for i in range(20)]
    # The same slices make up the shares of the run.
    assert set(tally.busy.stages) == set(counts)
    assert 0 < tally.busy.share <= 1


def test_trace_of_a_failed_run_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    begun = []

    def fail_halfway() -> None:
        with open_trace(path) as trace:
            begun.append(trace)
            trace.write("read-0", "decode", 0, 1, 'a "quoted" \n näme.jpg')
            raise RuntimeError("it broke")

    with pytest.raises(RuntimeError, match="broke"):
        fail_halfway()
    [event] = read_slices(path)["read-0"]
    assert (event["dur"], event["args"]["of"]) == (1e6, 'a "quoted" \n näme.jpg')
    # A thread that was left behind comes too late.
    begun[0].write("read-0", "decode", 1, 2, "late.jpg")


def test_no_trace_of_what_never_began(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with pytest.raises(RuntimeError), open_trace(path):
        raise RuntimeError("no model")
    assert list(tmp_path.iterdir()) == []
    path.write_text("mine")
    with pytest.raises(OutputExists), open_trace(path):
        pass
    assert path.read_text() == "mine"
