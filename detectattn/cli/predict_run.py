"""One run of ``predict``: put the parts together, run them, say how it went."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from detectattn.cli.arenas import limit_arenas
from detectattn.cli.console import Notices, show_progress
from detectattn.cli.interrupt import stop_on_signal
from detectattn.cli.leaving import close_detector
from detectattn.cli.predict_model import (
    ModelWish,
    choose_thresholds,
    describe_opened,
    fit_batch,
    note_recovered,
    open_fallback,
    open_run_model,
)
from detectattn.cli.predict_resume import Resumed, reopen_outputs
from detectattn.cli.predict_sinks import abort_sinks, open_sinks, open_window
from detectattn.cli.predict_streams import arrange_sinks, choose_options, is_live, open_live, require_live
from detectattn.cli.summary import render_summary
from detectattn.cli.work import choose_hint, count_pictures, count_work
from detectattn.config import PredictConfig, parse_max_failures
from detectattn.engines.base import Hint
from detectattn.engines.detector import Detector
from detectattn.errors import EmptySource, OutputError, TooManyFailures
from detectattn.fetch import redact_url
from detectattn.machine import collect_machine, collect_versions
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.checkpoint import keep_checkpoints
from detectattn.pipeline.heartbeat import keep_heartbeat
from detectattn.pipeline.live import Live
from detectattn.pipeline.recovery import Rescue
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.run_folder import create_run_folder, lock_run_folder, require_new_folder, write_manifest
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.pipeline.timeline import Trace
from detectattn.pipeline.trace_file import open_trace
from detectattn.sinks import READ_PIXELS, require_known
from detectattn.sinks.base import Sink
from detectattn.sinks.failures import FailureLog
from detectattn.sources import iter_frames, open_sources
from detectattn.sources.base import Isolation, ReadCounts, ReadOptions, Source
from detectattn.sources.isolation import open_isolation
from detectattn.sources.stream_options import LiveReadOptions
from detectattn.types import FrameFailure, Media, RunManifest

EXIT_FAILED = 1
EXIT_PARTIAL = 4


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
        self._quiet = quiet
        self._as_json = as_json
        self._notices = Notices(quiet=quiet, verbose=verbose)
        self.tally = RunTally()
        self.folder: Path | None = None
        self._counts = ReadCounts()
        self._stop = StopSignal()
        self._live: Live | None = None

    def execute(self) -> int:
        """Run; the exit code.

        Raises:
            DetectattnError: Nothing could be run, or the run failed as a whole.
            KeyboardInterrupt: Interrupted; the run folder is whole up to there.
        """
        limit_arenas()
        with ExitStack() as stack:
            temp_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="detectattn-")))
            isolation = stack.enter_context(open_isolation(self._config.isolate))
            read = self._read_options(temp_dir, isolation)
            source = open_sources(self._texts, read)
            first, media = self._first_media(source)
            require_live(self._config, first)
            require_new_folder(self._out)
            require_known(self._config.save)
            show = [open_window(self._stop)] if self._config.show else []
            trace = stack.enter_context(open_trace(self._profile)) if self._profile else None
            total, unit = count_work(source, first, read.vid_stride, isolation)
            live_run = is_live(first, self._texts)
            wish = self._wish("latency" if live_run else choose_hint(total, first))
            pictures = count_pictures(source, total, unit, read.vid_stride, isolation)
            model = open_run_model(wish, pictures, self._notices)
            detector = model.detector
            stack.callback(close_detector, detector)
            options = choose_options(choose_thresholds(self._config, detector.info.class_names), live=live_run)
            live = self._live = open_live(self._config, options, detector.batch, self._stop, self._notices)
            read = LiveReadOptions.extend(self._reduce(read, detector), live.options)
            self.tally.batch = fit_batch(detector, wish, first, partial(iter_frames, options=read), self._notices)
            manifest = self._begin(describe_opened(model, wish.hint), stack)
            assert self.folder is not None
            folder = self.folder
            opened, media = self._open_outputs(detector, media, manifest)
            sinks = arrange_sinks(show, opened, live, live=live_run)
            rescue = Rescue(partial(open_fallback, detector, wish.options), self._notices.warn)
            try:
                with (
                    show_progress(self.tally, total, "frames" if live_run else unit, quiet=self._quiet),
                    keep_checkpoints(folder),
                    keep_heartbeat(folder, self.tally, live),
                ):
                    self._run(media, read, detector, options, sinks, folder, trace, rescue)
            except BaseException:
                if self.tally.status == "running":  # it ended before it could begin
                    abort_sinks(sinks)
                # What ended the run is to be told, also where it keeps this from being written as well.
                with suppress(OutputError):
                    write_manifest(folder, self._final(manifest))
                self._tell_end(folder, live)
                raise
            write_manifest(folder, self._final(manifest))
            self._tell_end(folder, live)
        return self._exit_code()

    def _tell_end(self, folder: Path, live: Live) -> None:
        if self.tally.status in ("finished", "stopped", "interrupted"):
            self._report(folder)
        if self.tally.status != "finished" and not live.is_begun:
            self._notices.say(f"`detectattn predict --resume {folder}` goes on from there")

    def _wish(self, hint: Hint) -> ModelWish:
        hint = hint if self._resumed is None else self._resumed.fix_hint(hint)
        # Frames of a stream that wait for each other are late.
        one_by_one = hint == "latency" and not self._config.batch
        config = replace(self._config, batch="1") if one_by_one else self._config
        return ModelWish(config, self._resumed, self._texts, hint, self._quiet)

    def _begin(self, model: dict[str, Any], stack: ExitStack) -> RunManifest:
        """Make the run's folder, or take over that of an earlier sitting; what its ``run.json`` says."""
        manifest = self._manifest(model)
        if self._resumed is None:
            self.folder = create_run_folder(self._out, "predict")
            stack.enter_context(lock_run_folder(self.folder))
        else:
            manifest = self._resumed.continue_manifest(manifest)
            if warning := self._resumed.find_other_versions(manifest):
                self._notices.warn(warning)
            self.folder = self._resumed.folder
        return manifest

    def _open_outputs(
        self, detector: Detector, media: Iterator[Media | FrameFailure], manifest: RunManifest
    ) -> tuple[list[Sink], Iterator[Media | FrameFailure]]:
        """The sinks, and what is left to do for them; ``run.json`` says that the run is going on."""
        assert self.folder is not None
        if self._resumed is None or self._resumed.earlier is None:
            write_manifest(self.folder, manifest)
            return open_sinks(self.folder, self._config, detector.info), media
        opened = reopen_outputs(self.folder, self._config, detector.info, media, self.tally)
        write_manifest(self.folder, manifest)
        self._notices.say(f"going on with {self.folder}: {self.tally.done_before:,} images or frames are done")
        return opened

    def _read_options(self, temp_dir: Path, isolation: Isolation | None) -> ReadOptions:
        config = self._config
        return ReadOptions(
            allow_truncated=config.allow_truncated,
            vid_stride=config.vid_stride,
            offline=config.offline,
            temp_dir=temp_dir,
            isolation=isolation,
        )

    def _reduce(self, read: ReadOptions, detector: Detector) -> ReadOptions:
        """How pictures are decoded for this model. What it is shown does not depend on what is written."""
        config = self._config
        if config.decode == "full":
            return read
        in_full = config.images or config.show or not READ_PIXELS.isdisjoint(config.save)
        return replace(read, at_least_hw=detector.info.net_hw, in_full=in_full)

    def _first_media(self, source: Source) -> tuple[Media | FrameFailure, Iterator[Media | FrameFailure]]:
        """The first of the media, and all of them: before a model is loaded, there must be something for it."""
        media = source.iter_media(self._counts)
        first = next(media, None)
        if first is None:
            skipped = sum(self._counts.skipped.values())
            found = f"only {skipped:,} files of other kinds" if skipped else "no files"
            raise EmptySource(
                f"there is nothing to detect on in {', '.join(self._texts)}: it holds {found}",
                hint="Name images, videos, or a folder that holds some",
            )
        return first, itertools.chain([first], media)

    def _run(
        self,
        media: Iterator[Media | FrameFailure],
        read: ReadOptions,
        detector: Detector,
        options: RunOptions,
        sinks: list[Sink],
        folder: Path,
        trace: Trace | None,
        rescue: Rescue,
    ) -> None:
        with FailureLog(folder / "failures.jsonl") as failures, stop_on_signal(self._stop, self._notices):

            def fail(failure: FrameFailure) -> None:
                failures.write(failure)
                self._notices.detail(f"failed: {failure.message}")
                self._limit_failures(folder)

            run_pipeline(
                media,
                lambda one: self._counts.watch(iter_frames(one, read)),
                detector,
                sinks[:-1],
                sinks[-1],
                options,
                self.tally,
                on_failure=fail,
                stop=self._stop,
                trace=trace,
                rescue=rescue,
            )

    def _limit_failures(self, folder: Path) -> None:
        text, failed = self._config.max_failures, len(self.tally.failures)
        if parse_max_failures(text).is_passed(failed, self.tally.media + failed):
            self._stop.set(
                TooManyFailures(
                    f"{failed:,} inputs failed, more than --max-failures {text} bears",
                    hint=f"{folder / 'failures.jsonl'} says why; mend that, or allow more with another --max-failures",
                )
            )

    def _manifest(self, model: dict[str, Any]) -> RunManifest:
        return RunManifest(
            command=[redact_url(word) for word in sys.argv],
            config={
                "sources": [redact_url(text) for text in self._texts],
                **asdict(replace(self._config, model=redact_url(self._config.model))),
            },
            models=[model],
            versions=collect_versions(),
            machine=collect_machine(),
        )

    def _final(self, manifest: RunManifest) -> RunManifest:
        tally = self.tally
        status = "failed" if tally.status == "running" else tally.status
        counts = {**self._count(), "reduced": self._counts.reduced, "skipped": dict(self._counts.skipped)}
        timing = {**manifest.timing, **tally.timing()}
        models = [note_recovered(manifest.models[0], tally)]
        return replace(manifest, status=status, models=models, counts=counts, timing=timing, failures=tally.failures)

    def _count(self) -> dict[str, Any]:
        return {**self.tally.counts(), **(self._live.counts() if self._live else {})}

    def _report(self, folder: Path) -> None:
        if self._as_json:
            tally = self.tally
            outcome: dict[str, Any] = {"run": str(folder), "status": tally.status, "counts": self._count()}
            outcome["timing"] = tally.timing()
            outcome["failures"] = [asdict(failure) for failure in tally.failures]
            print(json.dumps({"schema": 1, "command": "predict", "data": outcome}, ensure_ascii=False))
        elif not self._quiet:
            print("\n".join(render_summary(self.tally, self._counts, folder, self._config, self._live)))

    def _exit_code(self) -> int:
        if not self.tally.failures:
            return 0
        if self._quiet:
            number = len(self.tally.failures)
            inputs = "1 input" if number == 1 else f"{number:,} inputs"
            self._notices.warn(f"{inputs} failed; {self.folder}/failures.jsonl says why")
        return EXIT_PARTIAL if self.tally.done else EXIT_FAILED
