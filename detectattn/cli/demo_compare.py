"""The step of ``demo`` that compares: a small study of both models on the pictures."""

from __future__ import annotations

import textwrap
from typing import Any

from detectattn.cli.compare_run import CompareRun
from detectattn.cli.compare_start import Start
from detectattn.cli.console import WIDTH, Notices
from detectattn.cli.demo_step import MODELS, Shown, Stage
from detectattn.config import CompareConfig
from detectattn.report.content import Report, Sentence

_TOLD = ("speed", "accuracy", "classes")


def compare_samples(stage: Stage) -> Shown:
    """Set both models against each other, with ground truth.

    Raises:
        DetectattnError: The study could not be run.
    """
    stage.say(f"compare: {' and '.join(MODELS)} on {stage.images.parent.name}/{stage.images.name}/")
    folder = stage.folder / "compare"
    start = Start((str(stage.images),), CompareConfig(model=MODELS, offline=True), str(folder))
    run = CompareRun(start, Notices(quiet=True), show=False)
    exit_code = run.execute()
    assert run.report is not None, "a study that was executed has a report"
    told = [sentence for sentence in run.report.verdict if sentence.question in _TOLD]
    return Shown(
        lines=tuple(line for sentence in told for line in _wrap(sentence)),
        paths=(("report", folder / "report.html"), ("disputed", folder / "pictures")),
        fields=_to_fields(run.report),
        exit_code=exit_code,
    )


def _wrap(sentence: Sentence) -> list[str]:
    return textwrap.wrap(sentence.text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _to_fields(report: Report) -> dict[str, Any]:
    return {
        "verdict": [sentence.text for sentence in report.verdict],
        "caveats": [caveat.text for caveat in report.caveats],
    }
