"""An engine that never answers: another takes over, once, or the run ends with an error that says what to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.errors import CorruptWeights, EngineError
from detectattn.pipeline import choose_batch as choosing
from detectattn.pipeline import in_time, stages
from detectattn.pipeline.recovery import Rescue
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally

pytestmark = pytest.mark.timeout(30)
OPTIONS = RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=2, first_answer_s=0.4)
STALL = r"fake did not answer .* fake on cpu, hangs\. Run it again"


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An event that lets hanging engines go when the test is over, so that their threads end."""
    monkeypatch.setattr(stages, "_JOIN_S", 0.2)
    event = threading.Event()
    yield event
    event.set()


def hang_after(answers: int, released: threading.Event) -> Callable[[Any], None]:
    seen = iter(range(1000))

    def hang(_: Any) -> None:
        if next(seen) >= answers:
            released.wait(20)

    return hang


@pytest.mark.parametrize("answers", [0, 5])
@pytest.mark.parametrize("streams", [1, 2])
def test_a_hanging_engine_ends_the_run_where_there_is_no_other(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, released: Any, answers: int, streams: int
) -> None:
    detector = make_detector(streams=streams, before=hang_after(answers, released))
    records, tally = memory_sink(), RunTally()
    with pytest.raises(EngineError, match=STALL):
        run_pipeline(make_media(30), open_grey, detector, [], records, OPTIONS, tally, on_failure=pytest.fail)
    assert tally.status == "failed"
    assert records.ended == ["abort"]
    assert len(records.written) <= answers
    # What the engine holds is still in use by the call that hangs.
    detector.close()
    assert (detector.stalled, detector.engine.closed) == (True, False)


@pytest.mark.parametrize("answers", [0, 5])
@pytest.mark.parametrize(("streams", "batch"), [(1, 1), (3, 1), (2, 4)])
def test_another_engine_takes_over(
    make_media: Any,
    open_grey: Any,
    make_detector: Any,
    memory_sink: Any,
    released: Any,
    answers: int,
    streams: int,
    batch: int,
) -> None:
    """Every picture is recorded once and in order; what the hung calls answer in the end is not looked at."""
    pictures = make_media(40)
    detector = make_detector(batch, streams=streams, before=hang_after(answers, released))
    fallback, told = make_detector(batch), []
    # It takes long enough to be seen at work after the hung calls have answered.
    fallback.engine._before = lambda tensor: (released.set(), time.sleep(0.005))
    alone, records, tally = memory_sink(), memory_sink(), RunTally()
    run_pipeline(pictures, open_grey, make_detector(1), [], alone, OPTIONS, RunTally(), on_failure=pytest.fail)
    rescue = Rescue(lambda: fallback, told.append)
    run_pipeline(pictures, open_grey, detector, [], records, OPTIONS, tally, on_failure=pytest.fail, rescue=rescue)
    assert records.written == alone.written
    scores = [[p.detections.score.tolist() for p in sink.predictions] for sink in (alone, records)]
    assert scores[0] == scores[1]
    assert (tally.status, records.ended, len(fallback.engine.shapes) > 0) == ("finished", ["close"], True)
    [recovery] = tally.recovered
    assert (recovery.what, recovery.now, recovery.after) == (
        "engine",
        "fake on cpu, fp32",
        min(answers * batch, recovery.after),
    )
    assert len(told) == 1
    assert "did not answer" in told[0].describe()
    detector.close()
    assert (detector.stalled, detector.engine.closed, fallback.engine.closed) == (True, False, True)


def fail_to_open() -> Any:
    raise CorruptWeights("the file is gone", hint="Put it back")


@pytest.mark.parametrize("fallback", ["hangs", "is another model", "cannot be opened", "hangs while it opens"])
def test_a_fallback_that_fails_ends_the_run(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, released: Any, fallback: str
) -> None:
    detector, other, opened = make_detector(before=hang_after(5, released)), make_detector(), []
    other.engine._before = hang_after(3, released)
    if fallback == "is another model":
        other.engine.spec = replace(other.engine.spec, class_names={0: "something else"})

    def open_other() -> Any:
        opened.append(1)
        if fallback == "hangs while it opens":
            released.wait(20)
        return fail_to_open() if fallback == "cannot be opened" else other

    records, tally = memory_sink(), RunTally()
    with pytest.raises(EngineError, match=STALL):
        run_pipeline(
            make_media(30),
            open_grey,
            detector,
            [],
            records,
            OPTIONS,
            tally,
            on_failure=pytest.fail,
            rescue=Rescue(open_other),
        )
    assert opened == [1]
    assert records.written == [(f"{i:04d}.jpg", 0) for i in range(len(records.written))]
    assert len(records.written) <= 8
    assert (tally.status, records.ended) == ("failed", ["abort"])


def test_a_slow_engine_is_left_alone(make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any) -> None:
    """Its first answer takes half of the limit, later ones a tenth of that."""
    times = iter([0.2])
    detector, records = make_detector(before=lambda _: time.sleep(next(times, 0.02))), memory_sink()
    rescue = Rescue(fail_to_open)
    run_pipeline(
        make_media(20), open_grey, detector, [], records, OPTIONS, RunTally(), on_failure=pytest.fail, rescue=rescue
    )
    assert len(records.written) == 20
    detector.close()
    assert (detector.stalled, detector.engine.closed) == (False, True)


def test_a_hanging_engine_ends_the_choice_of_a_batch(
    make_detector: Any, released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_time, "ANSWER_S", 0.1)
    detector = make_detector(before=lambda _: released.wait(20))
    detector.engine.spec = replace(detector.engine.spec, fixed_batch=None)
    with pytest.raises(EngineError, match="hangs"):
        choosing.choose_batch(detector)
    assert detector.stalled
