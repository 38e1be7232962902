"""The run folder of a study: what is measured goes in as it is known, and comes out as :class:`StudyRecords`.

- ``run.json``: options, versions, machine, status
- ``pictures.json``: the pictures that took part, and what could not be read; ``failures.jsonl``: the latter alone
- ``truth.json``: the ground truth as applied
- ``measured/NAME.json``: times, memory, size of a model
- ``predictions/NAME.jsonl``: its detections, one record a picture
- ``cluster/``: on a cluster the list of the pictures, the models' files and the shards, until it is through with them
- ``pictures/``: disputed pictures side by side; ``pictures/plain/``: a small copy of each;
  ``pictures/explained/``: the maps of disputed detections
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from detectattn.compare.frames import PictureInfo
from detectattn.compare.from_json import from_json, open_json
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.compare.measured import Measured, load_measured, measured_to_json
from detectattn.compare.stored_truth import load_stored_truth, truth_to_json
from detectattn.config import CompareConfig, resolve_options
from detectattn.errors import SourceNotFound, UnreadableRecord
from detectattn.evaluation.truth import FrameKey, GroundTruth
from detectattn.pipeline.run_folder import write_manifest
from detectattn.records import failure_line, iter_records, manifest_from_json, read_manifest_bytes, record_line
from detectattn.sinks.files import new_file_path, output_errors, replace_file
from detectattn.sinks.jsonl import mend_records
from detectattn.sinks.lines import LineFile
from detectattn.sources.naming import to_output_name
from detectattn.types import FrameFailure, Prediction, RunManifest

CLUSTER_FOLDER = "cluster"

_SCHEMA = 1
_RUN_ANEW = "Run the study anew"


class StudyFolder:
    """A study on disk.

    Args:
        root: The run folder; it exists.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @staticmethod
    def file_name(name: str) -> str:
        """What files of a model are called, without suffix."""
        return to_output_name(name)

    def write_manifest(self, manifest: RunManifest) -> None:
        """Write ``run.json``, in place of an earlier state."""
        write_manifest(self.root, manifest)

    def read_manifest(self) -> RunManifest:
        """What ``run.json`` says.

        Raises:
            SourceNotFound: This is no run folder of ``compare``.
            UnreadableRecord: ``run.json`` is damaged, or larger than a run leaves it.
        """
        path = self.root / "run.json"
        try:
            text = read_manifest_bytes(path).decode("utf-8", errors="replace")
        except OSError as error:
            raise SourceNotFound(
                f"{self.root} is no run of compare: it has no run.json", hint="Name a folder that compare has written"
            ) from error
        manifest = manifest_from_json(text)
        if not isinstance(manifest.config, Mapping) or manifest.config.get("study") != "compare":
            raise SourceNotFound(
                f"{self.root} is a run of another command than compare", hint="Name a folder that compare has written"
            )
        return manifest

    def write_measured(self, measured: Measured) -> None:
        """Write what is known of a model, in place of an earlier state."""
        replace_file(self.root / "measured" / f"{self.file_name(measured.name)}.json", measured_to_json(measured))

    def read_measured(self, name: str) -> Measured | None:
        """What is known of a model; None where nothing is."""
        path = self.root / "measured" / f"{self.file_name(name)}.json"
        measured = load_measured(path) if path.exists() else None
        if measured is not None and measured.name != name:
            raise UnreadableRecord(f"{path} is of another model, {measured.name}", hint=_RUN_ANEW)
        return measured

    def forget(self, name: str) -> None:
        """Remove what is known of a model: it is to be measured from the start."""
        with output_errors(self.root):
            self.records_path(name).unlink(missing_ok=True)
            (self.root / "measured" / f"{self.file_name(name)}.json").unlink(missing_ok=True)

    def write_pictures(self, pictures: Sequence[PictureInfo], failures: Sequence[FrameFailure]) -> None:
        """Write which pictures took part."""
        record = {
            "schema": _SCHEMA,
            "pictures": [asdict(p) for p in pictures],
            "failures": [asdict(f) for f in failures],
        }
        replace_file(self.root / "pictures.json", json.dumps(record, ensure_ascii=False, indent=0) + "\n")
        if failures:
            replace_file(self.root / "failures.jsonl", "".join(map(failure_line, failures)))

    def read_pictures(self) -> tuple[tuple[PictureInfo, ...], tuple[FrameFailure, ...]]:
        """Which pictures took part, and what could not be read; empty where no model is through yet."""
        path = self.root / "pictures.json"
        if not path.exists():
            return (), ()
        with open_json(path, _RUN_ANEW) as record:
            listed = from_json(_Pictures, record)
            if any(min(picture.size_hw) < 1 for picture in listed.pictures):
                raise ValueError("a picture has no pixels")
            return listed.pictures, listed.failures

    def write_truth(self, truth: GroundTruth, *, named: bool) -> None:
        """Write the ground truth as it was applied."""
        replace_file(self.root / "truth.json", truth_to_json(truth, named=named))

    def read_truth(self) -> tuple[GroundTruth | None, bool]:
        """The ground truth, and whether a person named it."""
        path = self.root / "truth.json"
        return load_stored_truth(path) if path.exists() else (None, False)

    def records_path(self, name: str) -> Path:
        """Where a model's records lie."""
        return self.root / "predictions" / f"{self.file_name(name)}.jsonl"

    def find_done(self, name: str) -> frozenset[FrameKey]:
        """Pictures that a model has a record of."""
        path = self.records_path(name)
        if not path.exists():
            return frozenset()
        return frozenset((p.source, p.index) for p in iter_records(path, skip_torn=True))

    @contextmanager
    def open_records(self, name: str) -> Iterator[LineFile]:
        """A model's records, to be appended to; a torn last line is cut off first."""
        path = self.records_path(name)
        if path.exists():
            mend_records(path)
        lines = LineFile(path, resume=True)
        try:
            yield lines
        except BaseException:
            lines.abort()
            raise
        lines.close()

    def write_records(self, name: str, predictions: Iterable[Prediction]) -> None:
        """All records of predictions made elsewhere, in place of earlier ones."""
        text = "".join(map(record_line, predictions))
        replace_file(self.records_path(name), text)

    def write_record_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """All records of a model as lines, in place of earlier ones."""
        with new_file_path(self.records_path(name), replace=True) as path, path.open("wb") as stream:
            stream.writelines(lines)

    def load(self) -> StudyRecords:
        """Everything there is, in memory.

        Raises:
            SourceNotFound: This is no run folder of ``compare``.
            UnreadableRecord: A file of it is damaged.
        """
        manifest = self.read_manifest()
        study = read_described(manifest)
        truth, named = self.read_truth()
        pictures, failures = self.read_pictures()
        measured = {name: found for name in study.entrants if (found := self.read_measured(name)) is not None}
        return StudyRecords(
            config=read_config(manifest),
            sources=study.sources,
            manifest=manifest,
            created=study.created,
            pictures=pictures,
            failures=failures,
            truth=truth,
            truth_named=named,
            measured=measured,
            predictions={n: self._read_predictions(m) for n, m in measured.items() if m.status == "finished"},
            drawn=self._find_drawn(),
        )

    def _read_predictions(self, measured: Measured) -> tuple[Prediction, ...]:
        """Records with all class names of the model, not only of those that it found."""
        names = measured.class_names
        return tuple(replace(p, class_names=names) for p in iter_records(self.records_path(measured.name)))

    def _find_drawn(self) -> Mapping[FrameKey, str]:
        path = self.root / "pictures" / "index.json"
        if not path.exists():
            return {}
        with open_json(path, _RUN_ANEW, is_list=True) as record:
            listed = from_json(tuple[_Drawn, ...], record)
            if any(PurePosixPath(entry.file).name != entry.file or entry.file == ".." for entry in listed):
                raise ValueError("an entry names a file that is not beside it")
        return {(entry.source, entry.index): f"pictures/{entry.file}" for entry in listed}


@dataclass(frozen=True, slots=True)
class Described:
    """What ``run.json`` says of a study, besides its options.

    Attributes:
        entrants: Names of what took part, variants included, in their order.
        sources: As given.
        created: When it was measured, ISO 8601 in UTC.
    """

    entrants: tuple[str, ...]
    sources: tuple[str, ...]
    created: str


def read_described(manifest: RunManifest) -> Described:
    """What a study's ``run.json`` says of it.

    Raises:
        UnreadableRecord: It is damaged.
    """
    with _refuse_damage():
        return from_json(Described, manifest.config, "config")


def read_config(manifest: RunManifest) -> CompareConfig:
    """The options of a study, as its ``run.json`` has them.

    Raises:
        ConfigError: An option cannot be used.
        UnreadableRecord: There are none, or one that this version does not know.
    """
    with _refuse_damage():
        options: Mapping[str, Any] = from_json(Mapping[str, Any], manifest.config["options"], "config.options")  # type: ignore[type-abstract]
        return resolve_options(CompareConfig, {}, options)


@contextmanager
def _refuse_damage() -> Iterator[None]:
    try:
        yield
    except (LookupError, ValueError) as error:
        reason = f"{error} is missing or unknown" if isinstance(error, KeyError) else str(error)
        raise UnreadableRecord(f"run.json cannot be read ({reason})", hint=_RUN_ANEW) from error


@dataclass(frozen=True, slots=True)
class _Pictures:
    """What ``pictures.json`` says."""

    pictures: tuple[PictureInfo, ...]
    failures: tuple[FrameFailure, ...]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An entry of ``pictures/index.json``."""

    source: str
    index: int
    file: str
