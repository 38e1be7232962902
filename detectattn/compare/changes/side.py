"""One of the two studies: what its report says, and its records where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectattn.compare.gate_values import model_entry, number, section, to_list, to_text
from detectattn.compare.judge import StudyRecords
from detectattn.compare.judge.score_floor import ScoreFloor, find_floor
from detectattn.compare.report_file import load_report_json
from detectattn.errors import ConfigError, SourceNotFound
from detectattn.report.changes import ComparedRun
from detectattn.types import Prediction

_REPORT = "report.json"
_HINT = "Name a run folder of compare, or the report.json of a study"


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A study to be set against another.

    Attributes:
        run: As it was named.
        content: The content of its ``report.json``.
        records: None where they are not at hand.
    """

    run: str
    content: Mapping[str, Any]
    records: StudyRecords | None

    @property
    def models(self) -> tuple[str, ...]:
        """Names of what took part, variants included."""
        return tuple(section(self.content, "models"))

    def entry(self, name: str) -> Mapping[str, Any]:
        """What its report says of a model; empty where it says nothing."""
        return model_entry(self.content, name) or {}

    def predictions(self, name: str) -> tuple[Prediction, ...]:
        """The records of a model; empty where there are none."""
        return () if self.records is None else tuple(self.records.predictions.get(name, ()))

    def floor(self, name: str) -> ScoreFloor:
        """From which score on a model's records hold its detections."""
        if self.records is None:
            return ScoreFloor()
        return find_floor(self.records.measured[name], self.predictions(name))

    def describe(self) -> ComparedRun:
        """What the comparison says of this study."""
        images = number(section(self.content, "conditions").get("images"))
        return ComparedRun(
            run=self.run,
            created=to_text(self.content.get("created")),
            status=to_text(self.content.get("status")),
            images=None if images is None else int(images),
            models=self.models,
            records=self.records is not None,
            command=tuple(map(str, to_list(self.content.get("command")))),
        )


def find_run(path: Path) -> Path | None:
    """The run folder that a path names, itself or by its ``report.json``; None where that file is all there is."""
    if path.is_dir():
        alone = (path / _REPORT).is_file() and not (path / "run.json").exists()
        return None if alone else path
    beside = path.name == _REPORT and (path.parent / "run.json").is_file()
    return path.parent if beside else None


def read_side(path: Path) -> Side:
    """A study of which nothing but its ``report.json`` is left, as after a download.

    Args:
        path: That file, or a folder that holds it.

    Raises:
        SourceNotFound: There is no such file.
        ConfigError: It is broken, of a later version, or no study.
    """
    file = path / _REPORT if path.is_dir() else path
    if not file.exists():
        raise SourceNotFound(f"{path} is not there", hint=_HINT)
    if not file.is_file():
        raise ConfigError(f"{path} is no file", hint=_HINT)
    return Side(str(path), load_report_json(file, str(file), _HINT), None)
