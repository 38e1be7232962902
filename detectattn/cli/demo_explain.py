"""The step of ``demo`` that explains: where both models looked in a few of the pictures."""

from __future__ import annotations

from typing import Any

from detectattn.cli.console import Notices
from detectattn.cli.demo_step import MODELS, Shown, Stage
from detectattn.cli.explain_run import ExplainRun
from detectattn.config import ExplainConfig
from detectattn.report.columns import wrap
from detectattn.report.explanation import Explanation

PICTURES = 3
_TOP = 4


def explain_samples(stage: Stage) -> Shown:
    """Explain a few objects of the first pictures by both models together.

    Raises:
        DetectattnError: A model or the samples cannot be used.
    """
    stage.say(f"explain: {' and '.join(MODELS)} on {PICTURES} of {stage.images.parent.name}/{stage.images.name}/")
    folder = stage.folder / "explain"
    config = ExplainConfig(model=MODELS, limit=PICTURES, top=_TOP, offline=True)
    run = ExplainRun([str(stage.images)], config, folder, Notices(quiet=True), show=False)
    exit_code = run.execute()
    if run.outcome is None:
        return Shown(("explain: no picture could be read",), (), {}, exit_code)
    explanation = run.outcome.explanation
    return Shown(
        lines=tuple(line for sentence in explanation.sentences for line in wrap(sentence)),
        paths=(("looked", folder / "explain.html"), ("sheets", folder / "images")),
        fields=_to_fields(explanation),
        exit_code=exit_code,
    )


def _to_fields(explanation: Explanation) -> dict[str, Any]:
    return {
        "pictures": len(explanation.pictures),
        "sentences": list(explanation.sentences),
        "caveats": list(explanation.caveats),
    }
