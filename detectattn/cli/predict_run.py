"""One run of ``predict``: put the parts together, run them, say how it went."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from detectattn.classes import resolve_class_ids
from detectattn.cli.console import Notices, show_progress
from detectattn.cli.download_progress import show_download
from detectattn.cli.interrupt import stop_on_signal
from detectattn.cli.summary import render_summary
from detectattn.config import PredictConfig, parse_imgsz, split_model_name
from detectattn.drawing import draw_detections, missing_glyphs
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import DetectattnError, EmptySource
from detectattn.fetch import redact_url
from detectattn.machine import collect_machine, collect_versions
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.run_folder import create_run_folder, require_new_folder, write_manifest
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.sinks import open_sink, require_known
from detectattn.sinks.annotated_image import AnnotatedImageSink
from detectattn.sinks.annotated_video import AnnotatedVideoSink
from detectattn.sinks.base import Sink
from detectattn.sinks.failures import FailureLog
from detectattn.sinks.show import ShowSink
from detectattn.sources import iter_frames, open_sources
from detectattn.sources.base import ReadCounts, ReadOptions, Source
from detectattn.sources.video import probe_video
from detectattn.types import U8, Frame, FrameFailure, Media, Prediction, RunManifest
from detectattn.weights.locate import locate_weights

EXIT_FAILED = 1
EXIT_PARTIAL = 4


def draw_prediction(frame: Frame, prediction: Prediction) -> U8:
    """The frame with its detections drawn on it."""
    return draw_detections(frame.bgr, prediction.detections, prediction.class_names)


def count_work(source: Source, first: Media | FrameFailure, vid_stride: int) -> tuple[int | None, str]:
    """What a progress bar counts, and how much of it there is: frames of a single video, else inputs."""
    total = source.count()
    if isinstance(first, FrameFailure) or first.kind == "image" or total not in (1, None):
        return total, "images"
    if first.kind != "video" or not isinstance(first.location, Path):
        return None, "images" if first.kind == "url" else "frames"
    try:
        frames = probe_video(first.location).frames
    except DetectattnError:
        return None, "frames"  # the run itself will say what is wrong with it
    return (-(-frames // vid_stride) if frames else None), "frames"


class PredictRun:
    """Everything between the options and the exit code.

    Args:
        sources: As typed.
        config: The options that apply.
        out: Folder of the run, or None for the next free one.
        quiet: Print errors only.
        verbose: Print every failure as it happens.
        as_json: Print one JSON object in place of the closing tables.

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
        quiet: bool,
        verbose: bool,
        as_json: bool,
    ) -> None:
        self._texts = list(sources)
        self._config = config
        self._out = out
        self._quiet = quiet
        self._as_json = as_json
        self._notices = Notices(quiet=quiet, verbose=verbose)
        self.tally = RunTally()
        self.folder: Path | None = None
        self._counts = ReadCounts()
        self._stop = StopSignal()

    def execute(self) -> int:
        """Run; the exit code.

        Raises:
            DetectattnError: Nothing could be run, or the run failed as a whole.
            KeyboardInterrupt: Interrupted; the run folder is whole up to there.
        """
        with ExitStack() as stack:
            temp_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="detectattn-")))
            read = self._read_options(temp_dir)
            source = open_sources(self._texts, read)
            first, media = self._first_media(source)
            require_new_folder(self._out)
            require_known(self._config.save)
            show = [ShowSink(draw_prediction, on_quit=self._stop.set)] if self._config.show else []
            detector = self._open_detector()
            stack.callback(detector.close)
            thresholds = self._thresholds(detector)
            folder = self.folder = create_run_folder(self._out, "predict")
            sinks = [*show, *self._open_sinks(folder, detector)]
            manifest = self._manifest(detector)
            write_manifest(folder, manifest)
            total, unit = count_work(source, first, read.vid_stride)
            try:
                with show_progress(self.tally, total, unit, quiet=self._quiet):
                    self._run(media, read, detector, thresholds, sinks, folder)
            finally:
                write_manifest(folder, self._final(manifest))
                if self.tally.status in ("finished", "stopped", "interrupted"):
                    self._report(folder)
        return self._exit_code()

    def _read_options(self, temp_dir: Path) -> ReadOptions:
        config = self._config
        return ReadOptions(
            allow_truncated=config.allow_truncated,
            vid_stride=config.vid_stride,
            offline=config.offline,
            temp_dir=temp_dir,
        )

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

    def _open_detector(self) -> Detector:
        config = self._config
        name, model = split_model_name(config.model)
        with show_download(quiet=self._quiet) as on_progress:
            weights = locate_weights(
                model, offline=config.offline, on_notice=self._notices.say, on_progress=on_progress
            )
        options = EngineOptions(
            device=config.device,
            precision=config.precision,
            imgsz_hw=parse_imgsz(config.imgsz),
            batch=config.batch,
            trust_weights=config.trust_weights,
        )
        detector = open_detector(weights, options, name=name, engine=config.engine)
        info = detector.info
        classes = f"{len(info.class_names):,} class{'' if len(info.class_names) == 1 else 'es'}"
        size = f"{info.net_hw[0]}×{info.net_hw[1]}"
        self._notices.say(
            f"{info.name} ({info.family}): {info.engine} on {info.device}, {info.precision}, {size}, {classes}"
        )
        if missing := missing_glyphs(info.class_names):
            self._notices.warn(missing)
        return detector

    def _thresholds(self, detector: Detector) -> Thresholds:
        config = self._config
        wanted = resolve_class_ids(config.classes, detector.info.class_names) if config.classes else None
        return Thresholds(config.conf, config.iou, config.max_det, None if wanted is None else tuple(wanted))

    def _open_sinks(self, folder: Path, detector: Detector) -> list[Sink]:
        """The sinks, that of the records last; where one cannot be opened, no empty run folder is left."""
        try:
            return [*self._iter_sinks(folder, detector), open_sink("jsonl", folder, detector.info)]
        except DetectattnError:
            shutil.rmtree(folder)  # holds nothing but what the sinks made in this call
            raise

    def _iter_sinks(self, folder: Path, detector: Detector) -> list[Sink]:
        config = self._config
        sinks: list[Sink] = []
        if config.images:
            sinks += [
                AnnotatedImageSink(folder / "images", draw_prediction),
                AnnotatedVideoSink(folder / "videos", draw_prediction),
            ]
        sinks += [open_sink(name, folder, detector.info) for name in dict.fromkeys(config.save)]
        return sinks

    def _run(
        self,
        media: Iterator[Media | FrameFailure],
        read: ReadOptions,
        detector: Detector,
        thresholds: Thresholds,
        sinks: list[Sink],
        folder: Path,
    ) -> None:
        with FailureLog(folder / "failures.jsonl") as failures, stop_on_signal(self._stop, self._notices):

            def fail(failure: FrameFailure) -> None:
                failures.write(failure)
                self._notices.detail(f"failed: {failure.message}")

            run_pipeline(
                media,
                partial(iter_frames, options=read),
                detector,
                sinks[:-1],
                sinks[-1],
                RunOptions(thresholds),
                self.tally,
                on_failure=fail,
                stop=self._stop,
            )

    def _manifest(self, detector: Detector) -> RunManifest:
        weights = detector.weights
        info = {**asdict(detector.info), "batch": detector.batch, "fit": detector.engine.spec.fit}
        return RunManifest(
            command=[redact_url(word) for word in sys.argv],
            config={
                "sources": [redact_url(text) for text in self._texts],
                **asdict(replace(self._config, model=redact_url(self._config.model))),
            },
            models=[{**info, "weights": asdict(weights)}],
            versions=collect_versions(),
            machine=collect_machine(),
        )

    def _final(self, manifest: RunManifest) -> RunManifest:
        tally = self.tally
        status = "failed" if tally.status == "running" else tally.status
        counts = {**tally.counts(), "skipped": dict(self._counts.skipped)}
        return replace(manifest, status=status, counts=counts, timing=tally.timing(), failures=tally.failures)

    def _report(self, folder: Path) -> None:
        if self._as_json:
            tally = self.tally
            outcome: dict[str, Any] = {"run": str(folder), "status": tally.status, "counts": tally.counts()}
            outcome["timing"] = tally.timing()
            outcome["failures"] = [asdict(failure) for failure in tally.failures]
            print(json.dumps({"schema": 1, "command": "predict", "data": outcome}, ensure_ascii=False))
        elif not self._quiet:
            print("\n".join(render_summary(self.tally, self._counts, folder, self._config)))

    def _exit_code(self) -> int:
        if not self.tally.failures:
            return 0
        if self._quiet:
            number = len(self.tally.failures)
            inputs = "1 input" if number == 1 else f"{number:,} inputs"
            self._notices.warn(f"{inputs} failed; {self.folder}/failures.jsonl says why")
        return EXIT_PARTIAL if self.tally.done else EXIT_FAILED
