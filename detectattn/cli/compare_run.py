"""One run of ``compare``: check everything that can be checked, measure, judge, say how it went."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from detectattn.cli.compare_cluster import require_cluster, run_study_on_cluster
from detectattn.cli.compare_explain import find_explainer
from detectattn.cli.compare_manifest import describe_models, make_manifest
from detectattn.cli.compare_place import StudyPlace, begin_place, require_new_place
from detectattn.cli.compare_start import Start
from detectattn.cli.console import Notices
from detectattn.cli.download_progress import show_download
from detectattn.cli.exit_codes import EXIT_FAILED, EXIT_PARTIAL
from detectattn.cli.reading import read_options
from detectattn.cli.study_progress import show_study
from detectattn.compare.budget import parse_budget
from detectattn.compare.conversions import Conversions, require_engines
from detectattn.compare.entrants import Entrant, FileEntrant, ModelEntrant, resolve_entrants
from detectattn.compare.finish import finish_study
from detectattn.compare.gate import load_baseline, parse_condition
from detectattn.compare.study import StudyPlan, require_rereadable, run_study
from detectattn.compare.sweep import expand_entrant, parse_sweep
from detectattn.compare.truth_of_study import StudyTruth, read_truth
from detectattn.config import CompareConfig, parse_imgsz
from detectattn.conversion.work import Tell
from detectattn.engines.base import EngineOptions
from detectattn.errors import EmptySource
from detectattn.report.content import Report
from detectattn.report.json_file import to_json
from detectattn.report.terminal import render_terminal
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.isolation import open_isolation
from detectattn.sources.temp_folder import open_temp_folder
from detectattn.types import FrameFailure, Media, WeightsFile
from detectattn.weights.locate import locate_weights


class CompareRun:
    """Everything between the options and the exit code.

    Args:
        start: What the study begins with.
        notices: Where it is told how it goes.
        as_json: Print the report as one JSON object in place of the tables.
        show: Whether anything is printed on standard output at all.

    Attributes:
        report: Once there is one.
        folder: The run folder, once there is one.
    """

    def __init__(self, start: Start, notices: Notices, *, as_json: bool = False, show: bool = True) -> None:
        self._start = start
        self._notices = notices
        self._as_json = as_json
        self._show = show
        self.report: Report | None = None
        self.folder: Path | None = None

    def execute(self) -> int:
        """Run the study; its exit code.

        Raises:
            DetectattnError: Nothing could be compared.
            KeyboardInterrupt: Interrupted; ``--resume`` goes on.
        """
        start, config = self._start, self._start.config
        with ExitStack() as stack:
            temp_dir = stack.enter_context(open_temp_folder())
            read = read_options(config, temp_dir, stack.enter_context(open_isolation("auto")))
            require_new_place(start.out, cluster=bool(config.cluster), offline=config.offline)
            media = list_media(start.sources, read) if start.sources else ()
            require_rereadable(media)
            if config.cluster:
                require_cluster(config, media)
            truth = read_truth(config, start.sources)
            if truth is not None:
                truth.check_names([m for m in media if isinstance(m, Media)])
                self._notices.say(f"ground truth: {truth.file.path} ({truth.file.format})")
            entrants, notes = self._resolve_entrants()
            check_decisions(config, [entrant.name for entrant in entrants])
            require_engines([entrant for entrant in entrants if isinstance(entrant, ModelEntrant)])
            plan = make_plan(config, media, read, entrants, truth, temp_dir)
            for note in notes:
                self._notices.warn(note)
            place = start.resumed or begin_place(start.out, stack, self._notices, offline=config.offline)
            self.folder = place.folder.root
            report = self.report = self._measure(plan, place, entrants)
        return self._end(report, place.shown)

    def _resolve_entrants(self) -> tuple[tuple[Entrant, ...], tuple[str, ...]]:
        """The models and files, each model followed by its variants; and what of a sweep does not apply."""
        config = self._start.config
        options = EngineOptions(
            device=config.device,
            precision=config.precision,
            imgsz_hw=parse_imgsz(config.imgsz),
            batch=1,
            trust_weights=config.trust_weights,
            square=True,
        )
        axes = parse_sweep(config.sweep)
        bases = resolve_entrants(config.model, self._locate, options, config.engine)
        entrants: list[Entrant] = []
        notes: list[str] = []
        for base in bases:
            entrants.append(base)
            if axes and isinstance(base, ModelEntrant):
                variants, skipped = expand_entrant(base, axes, product=config.sweep_product)
                entrants += variants
                notes += skipped
        return tuple(entrants), tuple(notes)

    def _locate(self, model: str) -> WeightsFile:
        with show_download(quiet=self._notices.quiet) as on_progress:
            return locate_weights(
                model, offline=self._start.config.offline, on_notice=self._notices.say, on_progress=on_progress
            )

    def _measure(self, plan: StudyPlan, place: StudyPlace, entrants: Sequence[Entrant]) -> Report:
        folder = place.folder
        manifest = make_manifest(self._start, entrants, folder)
        folder.write_manifest(manifest)
        status = "failed"
        try:
            with show_study(len(plan.models), self._notices) as events:
                tell = Tell(events.say, events.warn, events.step)
                prepare = Conversions(self._start.sources, self._start.config.calibrate, tell)
                plan = replace(plan, prepare=prepare)
                if self._start.config.cluster:
                    run_study_on_cluster(plan, place, self._start.config, events, self._notices)
                else:
                    run_study(plan, folder, events)
            events.say("judging …")
            explain = find_explainer(plan, folder, self._notices) if self._start.config.explain else None
            report = finish_study(folder, plan.media, plan.read, explain)
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
            self._notices.warn(f"interrupted; `detectattn compare --resume {place.shown}` goes on")
            raise
        finally:
            _, failures = folder.read_pictures()
            models = describe_models(entrants, folder)
            folder.write_manifest(replace(manifest, status=status, failures=failures, models=models))
        return report

    def _end(self, report: Report, place: str) -> int:
        if self._show and self._as_json:
            content = {"run": place, "report": to_json(report)}
            print(json.dumps({"schema": 1, "command": "compare", "data": content}, ensure_ascii=False))
        elif self._show and not self._notices.quiet:
            print("\n".join(render_terminal(report, place)))
        failed = [gate for gate in report.gates if gate.failed]
        if self._as_json or self._notices.quiet:
            for gate in failed:
                print(f"failed: {gate.condition}: {gate.text}", file=sys.stderr)
        finished = [model for model in report.models if model.status == "finished"]
        if failed or not finished:
            return EXIT_FAILED
        return EXIT_PARTIAL if len(finished) < len(report.models) or report.conditions.image_failures else 0


def list_media(sources: Sequence[str], read: ReadOptions) -> tuple[Media | FrameFailure, ...]:
    """Everything that the sources name; none may turn out to be a stream, of which each model would see another part.

    Raises:
        SourceError: A source is not to be found, or all of them hold nothing.
    """
    counts = ReadCounts()
    media = tuple(open_sources(sources, read).iter_media(counts))
    if not any(isinstance(item, Media) for item in media):
        raise EmptySource(
            f"there is nothing to compare on in {', '.join(sources)}", hint="Name images, videos, or a folder of them"
        )
    return tuple(replace(item, may_stream=False) if isinstance(item, Media) else item for item in media)


def check_decisions(config: CompareConfig, names: Sequence[str]) -> None:
    """Refuse what could only be refused after the study otherwise.

    Raises:
        ConfigError: A budget, condition or baseline cannot be used.
    """
    for text in config.budget:
        parse_budget(text)
    for text in config.fail_if:
        parse_condition(text, tuple(names))
    if config.baseline:
        load_baseline(config.baseline)


def make_plan(
    config: CompareConfig,
    media: Sequence[Media | FrameFailure],
    read: ReadOptions,
    entrants: Sequence[Entrant],
    truth: StudyTruth | None,
    temp_dir: Path,
) -> StudyPlan:
    """What the study is to do."""
    return StudyPlan(
        media=media,
        read=read,
        limit=config.limit or None,
        models=[e for e in entrants if isinstance(e, ModelEntrant)],
        files=[e for e in entrants if isinstance(e, FileEntrant)],
        truth=truth,
        rounds=config.rounds,
        match_size=not config.imgsz and not config.own_size,
        temp_dir=temp_dir,
        thumbnails=config.images,
    )
