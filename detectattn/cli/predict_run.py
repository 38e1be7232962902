"""One run of ``predict``: put the parts together, run them, say how it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from detectattn.cli.arenas import limit_arenas
from detectattn.cli.console import Notices, show_progress
from detectattn.cli.describe_run import describe_run
from detectattn.cli.interrupt import stop_on_signal
from detectattn.cli.leaving import close_detector
from detectattn.cli.predict_input import Amount, Input, open_input
from detectattn.cli.predict_model import ModelWish, choose_thresholds, describe_opened, fit_batch, open_run_model
from detectattn.cli.predict_outcome import PredictOutcome
from detectattn.cli.predict_parts import Parts
from detectattn.cli.predict_resume import Resumed, reopen_outputs
from detectattn.cli.predict_sinks import abort_sinks, open_sinks, open_window
from detectattn.cli.predict_streams import arrange_sinks, choose_options, open_live, require_live
from detectattn.cli.reading import reduce_pictures
from detectattn.config import PredictConfig, parse_max_failures
from detectattn.conversion.choose import OpenedModel
from detectattn.conversion.fallback import open_fallback
from detectattn.engines.base import Hint
from detectattn.engines.detector import Detector
from detectattn.errors import OutputError, TooManyFailures
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.checkpoint import keep_checkpoints
from detectattn.pipeline.folder_watch import FolderWatchSink, watch_folder
from detectattn.pipeline.heartbeat import keep_heartbeat
from detectattn.pipeline.recovery import Recovery, Rescue
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.run_folder import create_run_folder, lock_run_folder, require_new_folder, write_manifest
from detectattn.pipeline.timeline import Trace
from detectattn.pipeline.trace_file import open_trace
from detectattn.sinks import require_known
from detectattn.sinks.base import Sink
from detectattn.sinks.failures import FailureLog
from detectattn.sources import iter_frames
from detectattn.sources.stream_options import LiveReadOptions
from detectattn.types import FrameFailure, Media, RunManifest


class PredictRun:
    """Everything between the options and the exit code.

    Args:
        sources: As typed.
        config: The options that apply.
        out: Folder of the run, or None for the next free one.
        profile: File for a timeline of all stages, or None for none.
        quiet: Print errors only.
        verbose: Print every failure as it happens.
        as_json: Print one JSON object in place of the closing tables.
        resumed: The folder of an earlier sitting, which goes on; None for a new run.

    Attributes:
        tally: What was done so far.
        folder: The run's folder, once there is one.
    """

    def __init__(
        self,
        sources: Sequence[str],
        config: PredictConfig,
        out: Path | None,
        *,
        profile: Path | None = None,
        quiet: bool,
        verbose: bool,
        as_json: bool,
        resumed: Resumed | None = None,
    ) -> None:
        self._texts = list(sources)
        self._config = config
        self._resumed = resumed
        self._out = out
        self._profile = profile
        self._as_json = as_json
        self._notices = Notices(quiet=quiet, verbose=verbose)
        self._outcome = PredictOutcome()
        self.tally = self._outcome.tally
        self.folder: Path | None = None
        self._stop = StopSignal()

    def execute(self) -> int:
        """Run; the exit code.

        Raises:
            DetectattnError: Nothing could be run, or the run failed as a whole.
            KeyboardInterrupt: Interrupted; the run folder is whole up to there.
        """
        limit_arenas()
        with ExitStack() as stack:
            given = open_input(self._texts, self._config, self._outcome.reads, stack)
            require_live(self._config, given.first)
            require_new_folder(self._out)
            require_known(self._config.save)
            show = [open_window(self._stop)] if self._config.show else []
            trace = stack.enter_context(open_trace(self._profile)) if self._profile else None
            amount = given.measure()
            wish = self._wish(amount.hint)
            model = open_run_model(wish, amount.pictures, self._notices)
            stack.callback(close_detector, model.detector)
            parts = self._put_together(given, wish, model, show, stack)
            self._work(parts, amount, trace)
        if self._notices.quiet and self.tally.failures:
            self._notices.warn_of_failures(len(self.tally.failures), f"{self.folder}/failures.jsonl")
        return self._outcome.to_exit_code()

    def _wish(self, hint: Hint) -> ModelWish:
        hint = hint if self._resumed is None else self._resumed.fix_hint(hint)
        # Frames of a stream that wait for each other are late.
        one_by_one = hint == "latency" and not self._config.batch
        config = replace(self._config, batch="1") if one_by_one else self._config
        return ModelWish(config, self._resumed, self._texts, hint, self._notices.quiet)

    def _put_together(
        self, given: Input, wish: ModelWish, model: OpenedModel, show: Sequence[Sink], stack: ExitStack
    ) -> Parts:
        """Everything from the model on; the run folder is there, and its ``run.json`` says that the run is going on."""
        detector, config = model.detector, self._config
        options = choose_options(choose_thresholds(config, detector.info.class_names), live=given.live)
        live = self._outcome.live = open_live(config, options, detector.batch, self._stop, self._notices)
        read = LiveReadOptions.extend(reduce_pictures(given.read, config, detector.info.net_hw), live.options)
        self.tally.batch = fit_batch(detector, wish, given.first, partial(iter_frames, options=read), self._notices)
        folder, manifest = self._begin(describe_opened(model, wish.hint), stack)
        self.folder = folder
        watch = stack.enter_context(watch_folder(folder))
        opened, media = self._open_outputs(folder, detector, given.media, manifest)
        return Parts(
            folder=folder,
            manifest=manifest,
            media=media,
            read=read,
            detector=detector,
            options=options,
            sinks=arrange_sinks(show, [*opened[:-1], FolderWatchSink(watch), opened[-1]], live, live=given.live),
            live=live,
            rescue=Rescue(partial(open_fallback, detector, wish.options), self._warn_of),
            watch=watch,
        )

    def _begin(self, model: dict[str, Any], stack: ExitStack) -> tuple[Path, RunManifest]:
        """Make the run's folder, or take over that of an earlier sitting; and what its ``run.json`` says."""
        manifest = describe_run(self._config, self._texts, [model])
        if self._resumed is None:
            folder = create_run_folder(self._out, "predict")
            stack.enter_context(lock_run_folder(folder))
            return folder, manifest
        manifest = self._resumed.continue_manifest(manifest)
        for warning in (self._resumed.moved, self._resumed.find_other_versions(manifest)):
            if warning is not None:
                self._notices.warn(warning)
        return self._resumed.folder, manifest

    def _open_outputs(
        self, folder: Path, detector: Detector, media: Iterator[Media | FrameFailure], manifest: RunManifest
    ) -> tuple[list[Sink], Iterator[Media | FrameFailure]]:
        """The sinks, and what is left to do for them; ``run.json`` says that the run is going on."""
        if self._resumed is None or self._resumed.earlier is None:
            write_manifest(folder, manifest)
            return open_sinks(folder, self._config, detector.info), media
        opened = reopen_outputs(folder, self._config, detector.info, media, self.tally)
        write_manifest(folder, manifest)
        self._notices.say(f"going on with {folder}: {self.tally.done_before:,} images or frames are done")
        return opened

    def _work(self, parts: Parts, amount: Amount, trace: Trace | None) -> None:
        """Run to the end, whichever it is: ``run.json`` says how it came, and the user is told."""
        try:
            with (
                show_progress(self.tally, amount.total, amount.unit, quiet=self._notices.quiet),
                keep_checkpoints(parts.folder),
                keep_heartbeat(parts.folder, self.tally, parts.live),
            ):
                self._run(parts, trace)
            parts.watch.require_there()
        except BaseException:
            if self.tally.status == "running":  # it ended before it could begin
                abort_sinks(parts.sinks)
            self._end_early(parts)
            raise
        write_manifest(parts.folder, self._outcome.complete(parts.manifest))
        self._tell(parts.folder)

    def _end_early(self, parts: Parts) -> None:
        """Say how the run came to its end, in its folder, wherever that is now.

        Raises:
            WriteFailed: The folder is not where it was, which is what is to be told then.
        """
        folder = self.folder = parts.watch.find()
        is_moved = folder != parts.folder
        if is_moved:
            self.tally.status = "failed"
        if folder is not None:
            # What ended the run is to be told, also where it keeps this from being written as well.
            with suppress(OutputError):
                write_manifest(folder, self._outcome.complete(parts.manifest))
            self._tell(folder)
        if is_moved:
            raise parts.watch.to_error()

    def _tell(self, folder: Path) -> None:
        self._outcome.tell(folder, self._config, self._notices, as_json=self._as_json)

    def _run(self, parts: Parts, trace: Trace | None) -> None:
        with FailureLog(parts.folder / "failures.jsonl") as failures, stop_on_signal(self._stop, self._notices):

            def fail(failure: FrameFailure) -> None:
                failures.write(failure)
                self._notices.detail(f"failed: {failure.message}")
                self._limit_failures(parts.folder)

            run_pipeline(
                parts.media,
                lambda one: self._outcome.reads.watch(iter_frames(one, parts.read)),
                parts.detector,
                parts.sinks[:-1],
                parts.sinks[-1],
                parts.options,
                self.tally,
                on_failure=fail,
                stop=self._stop,
                trace=trace,
                rescue=parts.rescue,
            )

    def _warn_of(self, recovery: Recovery) -> None:
        self._notices.warn(recovery.describe())

    def _limit_failures(self, folder: Path) -> None:
        text, failed = self._config.max_failures, len(self.tally.failures)
        if parse_max_failures(text).is_passed(failed, self.tally.tried):
            self._stop.set(
                TooManyFailures(
                    f"{failed:,} inputs failed, more than --max-failures {text} bears",
                    hint=f"{folder / 'failures.jsonl'} says why; mend that, or allow more with another --max-failures",
                )
            )
