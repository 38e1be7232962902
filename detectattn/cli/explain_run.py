"""One run of ``explain``: open the models, explain one picture after another, say what that shows."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from detectattn.cli.console import Notices
from detectattn.cli.describe_run import describe_run
from detectattn.cli.download_progress import show_download
from detectattn.cli.exit_codes import EXIT_FAILED, EXIT_PARTIAL
from detectattn.cli.explain_outcome import ExplainOutcome
from detectattn.cli.explain_progress import ExplainProgress, show_explaining
from detectattn.cli.explain_setup import check_maps, engine_options, explain_options, iter_all_frames
from detectattn.cli.interrupt import stop_on_signal
from detectattn.cli.reading import read_options
from detectattn.cli.work import count_work, require_first
from detectattn.config import ExplainConfig
from detectattn.errors import EngineError
from detectattn.explain.choice import require_methods
from detectattn.explain.models import OpenModel, open_models
from detectattn.explain.run import ExplanationRun
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.run_folder import create_run_folder, lock_run_folder, require_new_folder, write_manifest
from detectattn.sinks.failures import FailureLog
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.isolation import open_isolation
from detectattn.sources.temp_folder import open_temp_folder
from detectattn.types import FrameFailure, Media, RunManifest, WeightsFile
from detectattn.weights.locate import locate_weights


class ExplainRun:
    """Everything between the options and the exit code.

    Args:
        sources: As typed.
        config: The options that apply.
        out: Folder of the run, or None for the next free one.
        notices: Where it is told how it goes.
        as_json: Print one JSON object in place of the sentences.
        show: Whether anything is printed on standard output at all.

    Attributes:
        outcome: What came of it, once something was explained.
        folder: The run folder, once there is one.
    """

    def __init__(
        self,
        sources: Sequence[str],
        config: ExplainConfig,
        out: Path | None,
        notices: Notices,
        *,
        as_json: bool = False,
        show: bool = True,
    ) -> None:
        self._texts = list(sources)
        self._config = config
        self._out = out
        self._notices = notices
        self._as_json = as_json
        self._show = show
        self.outcome: ExplainOutcome | None = None
        self.folder: Path | None = None
        self._counts = ReadCounts()
        self._stop = StopSignal()
        self._failures: list[FrameFailure] = []
        self._frames = 0

    def execute(self) -> int:
        """Run; the exit code.

        Raises:
            DetectattnError: Nothing could be explained, or the run failed as a whole.
            KeyboardInterrupt: Interrupted; the run folder is whole up to there.
        """
        config = self._config
        with ExitStack() as stack:
            temp_dir = stack.enter_context(open_temp_folder())
            isolation = stack.enter_context(open_isolation("auto"))
            read = read_options(config, temp_dir, isolation)
            source = open_sources(self._texts, read)
            first, media = require_first(source, self._counts, self._texts, "explain")
            require_new_folder(self._out)
            require_methods(config.maps)
            models = stack.enter_context(
                open_models(config.model, self._locate, engine_options(config), self._notices.say)
            )
            options = [explain_options(config, model) for model in models]
            check_maps(config, models, self._notices)
            total, _ = count_work(source, first, read.vid_stride, isolation)
            if config.limit:
                total = config.limit if total is None else min(total, config.limit)
            folder = self.folder = create_run_folder(self._out, "explain")
            stack.enter_context(lock_run_folder(folder))
            run = ExplanationRun(models, options, config.top, folder, temp_dir, sheets=config.images)
            manifest = self._manifest(models)
            write_manifest(folder, manifest)
            self._execute(run, manifest, media, read, total)
        return self._exit_code()

    def _execute(
        self,
        run: ExplanationRun,
        manifest: RunManifest,
        media: Iterator[Media | FrameFailure],
        read: ReadOptions,
        total: int | None,
    ) -> None:
        assert self.folder is not None
        began_s, status = time.monotonic(), "failed"
        try:
            with stop_on_signal(self._stop, self._notices), show_explaining(total, self._notices) as progress:
                try:
                    self._explain_all(run, media, read, progress)
                    status = "finished"
                except KeyboardInterrupt:
                    status = "interrupted"
                if run.gathered.pictures:
                    judged = run.finish(progress.begin)
                    self.outcome = ExplainOutcome(run, judged, self._config, manifest, status, len(self._failures))
                    self.outcome.write(self.folder)
        finally:
            wall_s = time.monotonic() - began_s
            write_manifest(self.folder, self._final(run, manifest, status, wall_s))
        self._report(status, wall_s)
        if status == "interrupted":
            raise KeyboardInterrupt

    def _explain_all(
        self,
        run: ExplanationRun,
        media: Iterator[Media | FrameFailure],
        read: ReadOptions,
        progress: ExplainProgress,
    ) -> None:
        assert self.folder is not None
        with FailureLog(self.folder / "failures.jsonl") as log:

            def fail(failure: FrameFailure) -> None:
                log.write(failure)
                self._failures.append(failure)
                self._notices.detail(f"failed: {failure.message}")

            def step(model: str, stage: str, done: int, total: int) -> None:
                if self._stop.is_set():
                    raise KeyboardInterrupt
                progress.step(model, stage, done, total)

            frames = iter_all_frames(media, read, fail)
            for frame in itertools.islice(frames, self._config.limit or None):
                progress.begin(frame.source, len(run.gathered.pictures))
                try:
                    run.add(frame, step)
                    self._frames += frame.media.kind != "image"
                except EngineError as error:
                    if not run.gathered.pictures:
                        raise  # it would be the same with every other
                    fail(FrameFailure(frame.source, frame.index, error.code, str(error)))
                if self._stop.is_set():
                    raise KeyboardInterrupt

    def _locate(self, model: str) -> WeightsFile:
        with show_download(quiet=self._notices.quiet) as on_progress:
            return locate_weights(
                model, offline=self._config.offline, on_notice=self._notices.say, on_progress=on_progress
            )

    def _manifest(self, models: Sequence[OpenModel]) -> RunManifest:
        described = [{**asdict(m.detector.info), "weights": asdict(m.detector.weights)} for m in models]
        return describe_run(self._config, self._texts, described)

    def _final(self, run: ExplanationRun, manifest: RunManifest, status: str, wall_s: float) -> RunManifest:
        pictures = run.gathered.pictures
        counts = {
            "images": len(pictures) - self._frames,
            "frames": self._frames,
            "objects": sum(len(picture.objects) for picture in pictures),
            "failures": len(self._failures),
            "skipped": dict(self._counts.skipped),
        }
        timing = {"wall_s": round(wall_s, 3)}
        return replace(manifest, status=status, counts=counts, timing=timing, failures=self._failures)

    def _report(self, status: str, wall_s: float) -> None:
        if self._show and self._as_json:
            explanation = None if self.outcome is None else self.outcome.to_json()
            content = {"run": str(self.folder), "status": status, "explanation": explanation}
            print(json.dumps({"schema": 1, "command": "explain", "data": content}, ensure_ascii=False))
        elif self._show and not self._notices.quiet and self.outcome is not None:
            print("\n".join(self.outcome.render(str(self.folder), wall_s)))

    def _exit_code(self) -> int:
        if not self._failures:
            return 0
        for failure in self._failures[:1] if self.outcome is None else ():
            self._notices.warn(failure.message)
        self._notices.warn_of_failures(len(self._failures), f"{self.folder}/failures.jsonl")
        return EXIT_FAILED if self.outcome is None else EXIT_PARTIAL
