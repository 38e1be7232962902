"""What came of ``explain``: its files, and what a person reads of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from detectattn.cli.console import format_duration
from detectattn.config import ExplainConfig
from detectattn.explain.caveats import list_caveats
from detectattn.explain.figures import PAGE_PICTURES
from detectattn.explain.files import ARRAYS, SHEETS
from detectattn.explain.run import ExplanationRun
from detectattn.explain.sentences import tell
from detectattn.report.explanation import Explanation, ModelExplained
from detectattn.report.explanation_json import render_json, to_json
from detectattn.report.explanation_terminal import render_terminal
from detectattn.report.html.explanation import render_explanation
from detectattn.sinks.files import replace_file
from detectattn.types import RunManifest

PAGE, FIGURES = "explain.html", "explain.json"
_PASSES_A_MAP = 20


class ExplainOutcome:
    """What was explained, as its renderers want it.

    Args:
        run: What was gathered.
        models: What its maps are worth.
        config: The options that applied.
        manifest: Of the run, for the command and the machine.
        status: How the run ended.
        failures: Inputs that could not be read.

    Attributes:
        explanation: All of it.
    """

    def __init__(
        self,
        run: ExplanationRun,
        models: Sequence[ModelExplained],
        config: ExplainConfig,
        manifest: RunManifest,
        status: str,
        failures: int,
    ) -> None:
        self._config = config
        pictures = run.gathered.pictures
        self.explanation = Explanation(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            sentences=tell(models, pictures),
            caveats=list_caveats(
                models,
                pictures,
                conf=config.conf,
                scored=config.score,
                page_pictures=PAGE_PICTURES,
                status=status,
                failures=failures,
            ),
            models=tuple(models),
            pictures=tuple(pictures),
            conf=config.conf,
            top=config.top,
            scored=config.score,
            image_failures=failures,
            command=tuple(manifest.command),
            versions=manifest.versions,
            machine=manifest.machine,
        )

    def write(self, folder: Path) -> None:
        """Write ``explain.json`` and the page.

        Raises:
            OutputError: They cannot be written.
        """
        replace_file(folder / FIGURES, render_json(self.explanation))
        shown = replace(self.explanation, pictures=self.explanation.pictures[:PAGE_PICTURES])
        replace_file(folder / PAGE, render_explanation(shown))

    def to_json(self) -> dict[str, Any]:
        """The content of ``explain.json``."""
        return to_json(self.explanation)

    def render(self, folder: str, wall_s: float) -> list[str]:
        """Lines for standard output."""
        lines = render_terminal(self.explanation, folder, self._list_outputs(folder), self._next_step())
        return [self._headline(wall_s), "", *lines]

    def _headline(self, wall_s: float) -> str:
        pictures = self.explanation.pictures
        objects = [found for picture in pictures for found in picture.objects]
        detections = sum(d is not None for found in objects for d in found.found)
        parts = f"{_count(detections, 'detection')} of {_count(len(objects), 'object')}"
        return f"explained {parts} in {_count(len(pictures), 'picture')} in {format_duration(wall_s)}"

    def _list_outputs(self, folder: str) -> list[tuple[str, str]]:
        named = (
            ("page", PAGE),
            ("sheets", SHEETS),
            ("figures", FIGURES),
            ("arrays", ARRAYS),
            ("failures", "failures.jsonl"),
        )
        return [
            (label, f"{name}/" if "." not in name else name) for label, name in named if (Path(folder) / name).exists()
        ]

    def _next_step(self) -> str:
        if self._config.score:
            return "add --maps NAME, --layer 0 or --head 0 to see one map, layer or head"
        maps = sum(
            len(d.scores) for p in self.explanation.pictures for o in p.objects for d in o.found if d is not None
        )
        return f"add --score to learn which maps are true ({maps:,} maps, {_PASSES_A_MAP} passes each)"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
