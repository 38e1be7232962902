"""A whole run: read, detect and write at the same time, in bounded memory, ended by one stop signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from detectattn.engines.detector import Detector
from detectattn.errors import TooManyFailures
from detectattn.pipeline.channel import Stopped, StopSignal, Threads, Workers
from detectattn.pipeline.detected import Detected
from detectattn.pipeline.reading import OpenFrames
from detectattn.pipeline.recovery import Rescue
from detectattn.pipeline.stages import RunOptions, Stages
from detectattn.pipeline.tally import RunTally
from detectattn.pipeline.timeline import StageClock, Trace
from detectattn.pipeline.writing import Writer
from detectattn.sinks.base import Sink
from detectattn.types import FrameFailure, Media

_JOIN_S = 5.0


def run_pipeline(
    media: Iterable[Media | FrameFailure],
    open_frames: OpenFrames,
    detector: Detector,
    sinks: Sequence[Sink],
    records: Sink,
    options: RunOptions,
    tally: RunTally,
    *,
    on_failure: Callable[[FrameFailure], None],
    stop: StopSignal | None = None,
    trace: Trace | None = None,
    rescue: Rescue | None = None,
) -> None:
    """Run every media through the detector into the sinks, and close these.

    Args:
        media: What to read, lazily.
        open_frames: Opens one media.
        detector: The model.
        sinks: Where annotated output goes.
        records: Takes a frame's record last, when all else of it is written.
        options: Thresholds and threads.
        tally: Counts; its ``status`` tells how the run ended.
        on_failure: Told of every input that failed, in its place among the others, once it is counted in ``tally``.
        stop: Set from outside, it ends the run after the frames whose writing is under way. ``tally.status`` is then
            ``stopped``, or ``interrupted`` if it was set with a KeyboardInterrupt. So it does when set with
            TooManyFailures, which is raised.
        trace: Told of every slice of work, from the threads of the run.
        rescue: What may be done about an engine that hangs, and who is told of what was got over; ``tally.recovered``
            holds it in the end.

    Raises:
        KeyboardInterrupt: Interrupted; what was finished is written and whole. One that breaks into writing leaves the
            frame that was being written for a resume, and all after it.
        DetectattnError: The engine or a sink failed, which ends the run.
    """
    clock = StageClock(trace)
    stages = Stages(detector, options, stop or StopSignal(), clock, rescue)
    # A signal of its own: pictures that are being written when the run stops are still completed.
    write_stop = StopSignal()
    write_threads = Threads(write_stop)
    workers = Workers(options.write_workers, "write", write_threads, write_stop)
    writer = Writer(sinks, records, workers, write_stop, tally.add, options.write_workers, clock)
    tally.start()
    error = _write_all(stages, writer, partial(stages.start, media, open_frames), tally, on_failure)
    error = _join(stages, error)
    error = _end_writing(writer, error)
    write_stop.set()
    write_threads.join(_JOIN_S)
    tally.end(error, stopped=not stages.complete)
    tally.recovered, tally.last_batch = stages.recovered, stages.batch
    tally.busy = clock.compute_busy(tally.wall_s)
    if error is not None:
        raise error


def _write_all(
    stages: Stages,
    writer: Writer,
    start: Callable[[], None],
    tally: RunTally,
    on_failure: Callable[[FrameFailure], None],
) -> BaseException | None:
    """Write all that is detected, and tell of all that fails; what ended it early, if it was an error."""
    try:
        start()
        for outcome in stages.iter_outcomes():
            tally.begin(outcome.media)
            if isinstance(outcome, Detected):
                writer.write(outcome.frame, outcome.prediction)
            else:
                tally.failures.append(outcome.failure)
                on_failure(outcome.failure)
                if stages.stop.is_set():  # perhaps by this failure: others that came with it are none of this run's
                    raise Stopped
            del outcome  # or its pixels would stay until the next one comes
        writer.drain()
    except Stopped:
        return stages.stop.error
    except BaseException as error:  # noqa: BLE001 - the run raises it, once threads and files are in order
        return error
    return None


def _join(stages: Stages, error: BaseException | None) -> BaseException | None:
    """End the threads of the stages; the error that the run ends with so far, if any."""
    try:
        stages.join()
    except KeyboardInterrupt as interrupt:  # a second one: what still runs is left behind
        return error or interrupt
    return error


def _end_writing(writer: Writer, error: BaseException | None) -> BaseException | None:
    """Complete the files, or after an error discard what is incomplete; the error that the run ends with, if any."""
    if _is_whole(error):
        try:
            writer.drain()
        except BaseException as broken:  # noqa: BLE001 - the run raises it
            error = broken
    try:
        if _is_whole(error):
            writer.close()
        else:
            writer.abort()
    except BaseException as closing:  # noqa: BLE001 - the run raises it
        # A sink whose writing was broken into may be in no state to be closed, which is no news then.
        return closing if _is_whole(error) and not writer.is_broken else error
    return error


def _is_whole(error: BaseException | None) -> bool:
    return error is None or isinstance(error, KeyboardInterrupt | TooManyFailures)
