"""From a run folder to its report: judged, drawn, gated and written, as often as wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from detectattn.compare.draw import draw_pictures
from detectattn.compare.explained import lay_over, read_explained, tell_left_out, tell_originals
from detectattn.compare.gallery import build_gallery
from detectattn.compare.gate import judge_baseline, judge_conditions, load_baseline, parse_condition
from detectattn.compare.judge import StudyRecords, build_report
from detectattn.compare.judge.single_label import keep_best_label
from detectattn.compare.pair_baseline import pair_with_baseline
from detectattn.compare.panels import build_lone_panels, build_panels
from detectattn.compare.study_folder import StudyFolder
from detectattn.compare.thumbnails import find_thumbnails, inline_thumbnails
from detectattn.drawing.side_by_side import Panel
from detectattn.evaluation.agreement import Agreement
from detectattn.evaluation.disputes import select_disputed, write_disputes
from detectattn.evaluation.truth import FrameKey
from detectattn.report.content import Gate, ModelReport, Report
from detectattn.report.gallery import Gallery
from detectattn.report.html import render_html
from detectattn.report.json_file import render_json, to_json
from detectattn.report.markdown import render_markdown
from detectattn.sinks.files import replace_file
from detectattn.sources.base import ReadOptions
from detectattn.types import FrameFailure, Media

_MOST_DRAWN = 12


def finish_study(
    folder: StudyFolder,
    media: Sequence[Media | FrameFailure] = (),
    read: ReadOptions | None = None,
    explain: Callable[[Agreement], object] | None = None,
) -> Report:
    """Judge what was recorded and write the report.

    Args:
        folder: The run folder.
        media: Where the pictures are, to draw the disputed ones; none to leave drawings as they are.
        read: How they are read.
        explain: Writes the maps of disputed detections into the run folder; None for those that are there.

    Raises:
        TruthMismatch: A model has no class in common with the ground truth.
        UnreadableRecord: A file of the run folder is damaged.
        OutputError: The run folder cannot be written to.
    """
    records = folder.load()
    report, agreement = build_report(records)
    if media and read is not None and records.config.images and not records.drawn:
        draw_pictures(_choose_panels(records, report, agreement), media, read, folder.root / "pictures")
        records = folder.load()
        report, agreement = build_report(records)
    if explain is not None and agreement is not None:
        explain(agreement)
    explained = read_explained(folder.root)
    converted = [model.name for model in report.models if model.conversion is not None]
    report = replace(report, caveats=report.caveats + tell_left_out(explained) + tell_originals(explained, converted))
    report = replace(report, gates=judge_gates(records, report))
    if agreement is not None and not (folder.root / "disputed").exists():
        write_disputes(folder.root / "disputed", agreement)
    replace_file(folder.root / "report.json", render_json(report))
    replace_file(folder.root / "report.md", render_markdown(report))
    replace_file(folder.root / "report.html", render_html(report, collect_gallery(folder, records, report, agreement)))
    return report


def collect_gallery(folder: StudyFolder, records: StudyRecords, report: Report, agreement: Agreement | None) -> Gallery:
    """The pictures of a study with what its models find in them, from its records and the pictures beside them."""
    thumbnails = find_thumbnails(folder.root, records.pictures)
    gallery = build_gallery(records, {model.name: model.conf for model in report.models}, agreement, thumbnails)
    gallery = lay_over(gallery, read_explained(folder.root), folder.root)
    return inline_thumbnails(gallery, folder.root)


def judge_gates(records: StudyRecords, report: Report) -> tuple[Gate, ...]:
    """What ``--fail-if`` and ``--baseline`` say of a study.

    Raises:
        ConfigError: A condition or the baseline cannot be used.
    """
    config = records.config
    content = to_json(report)
    conditions = [parse_condition(text, tuple(records.measured)) for text in config.fail_if]
    gates = judge_conditions(conditions, content)
    if config.baseline:
        baseline = load_baseline(config.baseline)
        gates += judge_baseline(baseline, content, pair_with_baseline(config.baseline, records))
    return gates


def _choose_panels(
    records: StudyRecords, report: Report, agreement: Agreement | None
) -> Mapping[FrameKey, Callable[[], Sequence[Panel]]]:
    """Which pictures are drawn: the most disputed; for a single model, the first."""
    models = {model.name: model for model in report.models}
    if agreement is None:
        return _choose_lone_panels(records, models)
    families = {name: models[name].family for name in agreement.models}
    return {
        (image.source, image.index): partial(build_panels, image, agreement, records.truth, families)
        for image in select_disputed(agreement, _MOST_DRAWN)
    }


def _choose_lone_panels(
    records: StudyRecords, models: Mapping[str, ModelReport]
) -> Mapping[FrameKey, Callable[[], Sequence[Panel]]]:
    return {
        (p.source, p.index): partial(
            build_lone_panels, keep_best_label(p), models[name].conf, records.truth, models[name].family
        )
        for name in records.finished_bases[:1]
        for p in records.predictions[name][:_MOST_DRAWN]
    }
