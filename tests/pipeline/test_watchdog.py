"""An engine that never answers ends the run with an error that says what to do; one that is merely slow does not."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.errors import EngineError
from detectattn.pipeline import choose_batch as choosing
from detectattn.pipeline import stages
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally

pytestmark = pytest.mark.timeout(30)
OPTIONS = RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=2, first_answer_s=0.4)


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An event that lets hanging engines go when the test is over, so that their threads end."""
    monkeypatch.setattr(stages, "_JOIN_S", 0.2)
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("answers", [0, 5])
@pytest.mark.parametrize("streams", [1, 2])
def test_a_hanging_engine_ends_the_run(
    make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any, released: Any, answers: int, streams: int
) -> None:
    seen = iter(range(1000))

    def hang(_: Any) -> None:
        if next(seen) >= answers:
            released.wait(20)

    detector, records, tally = make_detector(streams=streams, before=hang), memory_sink(), RunTally()
    with pytest.raises(EngineError, match=r"fake did not answer .* fake on cpu, hangs\. Run it again"):
        run_pipeline(make_media(30), open_grey, detector, [], records, OPTIONS, tally, on_failure=pytest.fail)
    assert tally.status == "failed"
    assert records.ended == ["abort"]
    assert len(records.written) <= answers
    # What the engine holds is still in use by the call that hangs.
    detector.close()
    assert (detector.stalled, detector.engine.closed) == (True, False)


def test_a_slow_engine_is_left_alone(make_media: Any, open_grey: Any, make_detector: Any, memory_sink: Any) -> None:
    """Its first answer takes half of the limit, later ones a tenth of that."""
    times = iter([0.2])
    detector, records = make_detector(before=lambda _: time.sleep(next(times, 0.02))), memory_sink()
    run_pipeline(make_media(20), open_grey, detector, [], records, OPTIONS, RunTally(), on_failure=pytest.fail)
    assert len(records.written) == 20
    detector.close()
    assert (detector.stalled, detector.engine.closed) == (False, True)


def test_a_hanging_engine_ends_the_choice_of_a_batch(
    make_detector: Any, released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "_FIRST_ANSWER_S", 0.1)
    detector = make_detector(before=lambda _: released.wait(20))
    detector.engine.spec = replace(detector.engine.spec, fixed_batch=None)
    with pytest.raises(EngineError, match="hangs"):
        choosing.choose_batch(detector)
    assert detector.stalled
