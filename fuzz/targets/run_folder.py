"""The run folder of a study from anywhere, as ``detectattn report`` loads and judges it."""

from __future__ import annotations

from pathlib import Path

from detectattn.compare.explained import read_explained
from detectattn.compare.judge import build_report
from detectattn.compare.study_folder import StudyFolder
from detectattn.report.json_file import to_json
from fuzz.contract import read_or_refuse
from fuzz.target import Target, write_parts

FILES = (
    "run.json",
    "pictures.json",
    "measured/a.json",
    "predictions/a.jsonl",
    "truth.json",
    "measured/b.json",
    "predictions/b.jsonl",
    "pictures/index.json",
    "pictures/explained/index.json",
)


def run(content: bytes, folder: Path) -> None:
    """Load every file, and judge what they say together."""
    write_parts(content, folder, FILES)
    study = StudyFolder(folder)
    read_or_refuse(read_explained, folder)
    records = read_or_refuse(study.load)
    if records is not None:
        judged = read_or_refuse(build_report, records)
        if judged is not None:
            to_json(judged[0])


TARGET = Target(
    reads="run folders of compare, as detectattn report loads and judges them",
    modules=("detectattn.compare", "detectattn.records", "detectattn.evaluation"),
    run=run,
    is_json=True,
    max_bytes=16384,
)
