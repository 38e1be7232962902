"""The steps of ``demo``, one after the other, and the closing summary."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from detectattn.cli.console import Notices, format_duration
from detectattn.cli.demo_compare import compare_samples
from detectattn.cli.demo_explain import explain_samples
from detectattn.cli.demo_predict import predict_samples
from detectattn.cli.demo_step import MODELS, Shown, Stage, Step
from detectattn.errors import UnknownModel
from detectattn.pipeline.run_folder import create_run_folder
from detectattn.shipped import shipped_dir
from detectattn.sources.naming import to_one_line
from detectattn.weights.embedded import embedded_path

STEPS: Mapping[str, Step] = {"predict": predict_samples, "compare": compare_samples, "explain": explain_samples}
LIMIT = (
    "These models know drawn scenes, not photographs. For photographs use the",
    "official weights: detectattn models pull rtdetr-l",
)
NEXT = ("detectattn predict YOUR-PICTURES/ -m rtdetr-l",)


def run_demo(out: Path | None, *, quiet: bool, as_json: bool) -> int:
    """Run every step into one folder and say what there is to see; the exit code.

    Args:
        out: The folder, or None for the next free ``runs/demo-001``.
        quiet: Print errors only.
        as_json: Print one JSON object in place of the summary.

    Raises:
        DetectattnError: The installation lacks what the demo needs, or a step could not be run.
    """
    started_s = time.monotonic()
    samples = shipped_dir("samples")
    if missing := [model for model in MODELS if embedded_path(model) is None]:
        hint = "Install the package again, or run it from a clone of the project"
        raise UnknownModel(f"this installation lacks the embedded {' and '.join(missing)}", hint=hint)
    folder = create_run_folder(out, "demo")
    stage = Stage(folder, samples / "street" / "images", samples / "street.mp4", Notices(quiet=quiet).say)
    shown = {name: step(stage) for name, step in STEPS.items()}
    taken_s = time.monotonic() - started_s
    if as_json:
        print(_render_json(folder, shown, taken_s))
    elif not quiet:
        print("\n".join(_render_summary(samples, shown, taken_s)))
    return max(step.exit_code for step in shown.values())


def _render_summary(samples: Path, shown: Mapping[str, Shown], taken_s: float) -> Iterator[str]:
    for step in shown.values():
        yield from (*step.lines, "")
    last = ""
    for label, path in (*(pair for step in shown.values() for pair in step.paths), ("samples", samples)):
        yield f"{'' if label == last else label:<9} {to_one_line(str(path))}{os.sep if path.is_dir() else ''}"
        last = label
    yield ""
    yield from LIMIT
    yield ""
    yield f"done in {format_duration(taken_s)}"
    yield from (f"next      {command}" for command in NEXT)


def _render_json(folder: Path, shown: Mapping[str, Shown], taken_s: float) -> str:
    outcome = {
        "run": str(folder),
        "wall_s": round(taken_s, 3),
        "steps": {name: step.fields for name, step in shown.items()},
        "limit": " ".join(LIMIT),
    }
    return json.dumps({"schema": 1, "command": "demo", "data": outcome}, ensure_ascii=False)
