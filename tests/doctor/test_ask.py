"""A probe may crash, hang, complain or chatter; the one who asks survives it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from detectattn.doctor import ask as asking
from detectattn.doctor.probes import PROBES


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is run in place of the probes."""
    script = tmp_path / "stand_in.py"
    monkeypatch.setattr(asking, "_PROBES", script)
    return script


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("raise RuntimeError('operator torchvision::nms does not exist')", "RuntimeError: operator torchvision::nms"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed with signal 11"),
        ("import sys; sys.exit(7)", "ended with status 7"),
        ("print('hello')", "cannot be read"),
        ("pass", "cannot be read"),
    ],
)
def test_trouble_becomes_a_problem(code: str, problem: str, stand_in: Path) -> None:
    stand_in.write_text(code)
    answer = asking.ask("torch")
    assert not answer
    assert problem in answer.problem
    assert answer.get("version", "none") == "none"


def test_a_probe_that_hangs_is_ended(stand_in: Path) -> None:
    stand_in.write_text("import time; time.sleep(60)")
    answer = asking.ask("torch", time_limit_s=0.3)
    assert answer.problem == "gave no answer within 0.3 s"


def test_what_a_package_prints_on_import_does_no_harm(stand_in: Path) -> None:
    stand_in.write_text("print('Welcome!'); print('{\"version\": \"1.0\"}')")
    assert asking.ask("torch").get("version") == "1.0"


def test_a_file_in_the_working_folder_is_not_what_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise RuntimeError('not NumPy')")
    monkeypatch.chdir(tmp_path)
    assert asking.ask("numpy").get("total") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["numpy.py"]


def test_all_are_asked(stand_in: Path) -> None:
    stand_in.write_text("import sys, json; print(json.dumps({'asked': sys.argv[1]}))")
    answers = asking.ask_all(PROBES)
    assert {name: answer.get("asked") for name, answer in answers.items()} == {name: name for name in PROBES}


def test_probes_import_nothing_of_the_project() -> None:
    code = Path(sys.modules[PROBES["torch"].__module__].__file__ or "").read_text()
    assert "import detectattn" not in code
    assert "from detectattn" not in code
