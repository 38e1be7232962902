"""Run folders and reports from elsewhere: `detectattn report` reads them, and neither believes nor follows them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.app import run
from detectattn.compare.from_json import from_json
from detectattn.compare.measured import Measured, Timed
from detectattn.compare.study_folder import StudyFolder
from detectattn.errors import DetectattnError, UnreadableRecord
from fuzz.replay import CORPUS
from fuzz.target import write_parts
from fuzz.targets.run_folder import FILES

pytestmark = pytest.mark.usefixtures("limited")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A run folder of a study of two models on two pictures."""
    folder = tmp_path / "run"
    folder.mkdir()
    write_parts((CORPUS / "run_folder" / "two_models.txt").read_bytes(), folder, FILES)
    return folder


def _change(path: Path, *keys: str | int, value: Any) -> None:
    content = json.loads(path.read_text())
    holder = content
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = value
    path.write_text(json.dumps(content))


def test_it_is_whole(study: Path) -> None:
    assert list(StudyFolder(study).load().measured) == ["a", "b"]


@pytest.mark.parametrize(
    ("file", "keys", "value", "says"),
    [
        ("run.json", ("config", "entrants"), "ab", "config.entrants|entrants must be a list"),
        ("run.json", ("config", "entrants"), [["a"]], r"entrants\[0\] must be a text, got a list"),
        ("run.json", ("config", "options"), [], r"config\.options must be an object"),
        ("run.json", ("config", "options", "seed"), -1, "--seed is -1"),
        ("run.json", ("config", "options", "conf"), 10**400, "--conf is 1000"),
        ("run.json", ("command",), 1.5, "command is '1.5'"),
        ("run.json", ("failures",), [1], "run.json"),
        ("pictures.json", ("pictures", 0, "size_hw"), [0, 10], "a picture has no pixels"),
        ("pictures.json", ("pictures", 0, "size_hw"), [10], r"pictures\[0\]\.size_hw must hold 2 values, got 1"),
        ("pictures.json", ("pictures", 0, "decode_ms"), 1e300, r"decode_ms must be a number, got 1e\+300"),
        ("measured/a.json", ("status",), "done", "status is none of timed, finished, failed"),
        ("measured/a.json", ("name",), "../b", "is of another model"),
        ("measured/a.json", ("class_names",), {"-1": "a"}, "has the key '-1', which is no number"),
        ("measured/a.json", ("timed", "rounds", 0, "forward_ms"), [1], r"rounds\[0\] is not of 4 pictures"),
        ("measured/a.json", ("timed", "rounds", 0, "forward_ms"), [-99, 1, 1, 1], "a time that is not above 0"),
        ("measured/a.json", ("timed", "sittings"), [1], "do not add up to the 2 rounds"),
        ("measured/a.json", ("timed", "memory", "rss_mb"), float("nan"), "rss_mb must be a number, got nan"),
        ("truth.json", ("images", 0, "class_index", 0), 7, "an object of a class that is not listed"),
        ("truth.json", ("images", 0, "xyxy", 0, 0), 1e300, "a size or a box that none can have"),
        ("truth.json", ("aliases",), {"car": 9}, "aliases name a class that is not listed"),
        ("truth.json", ("images",), 3, "truth.json cannot be read"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_told_by_its_place(
    study: Path, file: str, keys: tuple[str | int, ...], value: Any, says: str
) -> None:
    _change(study / file, *keys, value=value)
    with pytest.raises(DetectattnError, match=says) as caught:
        StudyFolder(study).load()
    assert str(caught.value).isprintable()


def test_the_command_tells_it_in_one_line(
    study: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(study.parent)
    _change(study / "measured" / "a.json", "error", value=["\x1b[31m"])
    assert run(["report", str(study)]) == 1
    [line] = capfd.readouterr().err.splitlines()
    assert line.endswith("measured/a.json cannot be read (error must be a text, got a list). Measure that model anew.")


@pytest.mark.parametrize("name", ["../../outside", "/etc/passwd", "a/../../b", "\x00", "..", "\ud800"])
def test_a_name_of_a_model_never_leads_out_of_the_folder(study: Path, name: str) -> None:
    """Files that a study reads and writes for a model lie below it, whatever the model is called."""
    folder = StudyFolder(study)
    assert folder.records_path(name).parent == study / "predictions"
    _change(study / "run.json", "config", "entrants", value=[name])
    assert not folder.load().measured


@pytest.mark.parametrize("file", ["../../secret.png", "/etc/passwd", "a/b.jpg", ".."])
def test_a_drawing_is_beside_the_list_of_drawings(study: Path, file: str) -> None:
    (study / "pictures").mkdir()
    (study / "pictures" / "index.json").write_text(json.dumps([{"source": "00.png", "index": 0, "file": file}]))
    with pytest.raises(UnreadableRecord, match="names a file that is not beside it"):
        StudyFolder(study).load()


def test_a_report_json_of_odd_values_is_compared_all_the_same(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("detectattn.report.html.frame.bundle_javascript", lambda *_: "")
    odd = {"sha256": [], "accuracy": {"ap50_95": 10**400}, "speed": {"p50_ms": "<script>", "noise": {"reasons": 3}}}
    content = {"schema": 1, "models": {"\x1b[31m<b>": odd, "\ud800": {}}, "pairs": [{"metric": []}], "machine": 7}
    (tmp_path / "old.json").write_text(json.dumps(content))
    shutil.copyfile(tmp_path / "old.json", tmp_path / "new.json")
    assert run(["report", "old.json", "new.json"]) == 0
    told = capfd.readouterr()
    assert "\x1b" not in told.out + told.err
    page = (tmp_path / "runs" / "report-001" / "changes.html").read_text()
    assert "<b>" not in page.replace("<b></b>", "")


def test_unknown_fields_are_passed_over_and_missing_ones_named() -> None:
    plain: dict[str, Any] = {"name": "a", "kind": "model", "base": "a", "variant": {}, "status": "failed", "file": "f"}
    assert from_json(Measured, {**plain, "sha256": "0", "later": 1}).notes == ()
    with pytest.raises(ValueError, match=r"^sha256 is missing"):
        from_json(Measured, plain)
    with pytest.raises(ValueError, match="timed must be an object, got 3"):
        from_json(Measured, {**plain, "sha256": "0", "timed": 3})
    with pytest.raises(ValueError, match=r"variant\.queries must be a whole number, got 1\.5"):
        from_json(Measured, {**plain, "sha256": "0", "variant": {"queries": 1.5}})
    with pytest.raises(ValueError, match="together is missing"):
        from_json(Timed, {})
