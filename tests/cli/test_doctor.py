"""``detectattn doctor`` on this machine, and its text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from detectattn.cli.app import run
from detectattn.cli.doctor import WIDTH, render_report
from detectattn.doctor import examine as examining
from detectattn.doctor.ask import Answer
from detectattn.doctor.report import Check, DoctorReport, Group

LONG = "a detail so long that it has to go on in the next line, and in the one after that, since eighty columns are few"


def report(*checks: Check, runnable: tuple[str, ...] = (".pt files",)) -> DoctorReport:
    return DoctorReport((Group("Things", checks),), runnable, ("cpu",))


def test_text_fits_the_terminal_and_says_what_to_do() -> None:
    text = render_report(
        report(
            Check("Fine", "ok", "1.0"), Check("Worse", "warn", LONG, f"Do this: {LONG}"), Check("No", "absent", "no")
        ),
        colour=False,
    )
    assert text == (
        "Things\n"
        " ok   Fine          1.0\n"
        "warn  Worse         a detail so long that it has to go on in the next line, and\n"
        "                    in the one after that, since eighty columns are few\n"
        "                    -> Do this: a detail so long that it has to go on in the\n"
        "                       next line, and in the one after that, since eighty\n"
        "                       columns are few\n"
        " -    No            no\n"
        "\n"
        "predict can run: .pt files; on cpu.\n"
        "Next: detectattn predict IMAGE -m MODEL\n"
    )
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (report(Check("OpenCV", "fail", "broken")), "predict cannot run: see FAIL above: OpenCV."),
        (report(runnable=()), "predict cannot run: no engine is there; install one of those above."),
    ],
)
def test_the_verdict_names_what_fails(found: DoctorReport, verdict: str) -> None:
    assert render_report(found, colour=False).splitlines()[-1] == verdict


def test_colour_changes_nothing_but_colour() -> None:
    from click import unstyle

    found = report(Check("Fine", "ok", "1.0"), Check("Worse", "warn", LONG, "Do this"), Check("Bad", "fail", "x"))
    coloured = render_report(found, colour=True)
    assert "\x1b[" in coloured
    assert unstyle(coloured) == render_report(found, colour=False)


def test_no_engine_is_exit_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    gone = Answer(None, "ImportError: broken")
    monkeypatch.setattr(examining, "ask_all", lambda names: dict.fromkeys(names, gone))
    assert run(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "FAIL" in printed
    assert printed.splitlines()[-1].startswith("predict cannot run: see FAIL above: NumPy, OpenCV")


def test_devices_are_measured_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []
    gone = Answer(None, "ImportError: broken")
    monkeypatch.setattr(examining, "ask_all", lambda names: dict.fromkeys(names, gone))

    def measure(devices: tuple[str, ...]) -> dict[str, Answer]:
        asked.append(devices)
        return dict.fromkeys(devices, gone)

    monkeypatch.setattr(examining, "measure_devices", measure)
    run(["doctor"])
    assert asked == []
    assert "Speed" not in capsys.readouterr().out
    run(["doctor", "--measure"])
    assert asked == [("cpu",)]
    assert "Speed\nwarn  CPU           could not be measured (ImportError: broken)" in capsys.readouterr().out


@pytest.mark.slow
def test_on_this_machine(tmp_path: Path) -> None:
    """The real thing: it says that predict runs here, and leaves no file behind."""
    home, working = tmp_path / "home", tmp_path / "working"
    home.mkdir()
    working.mkdir()
    kept = {k: v for k, v in os.environ.items() if k not in ("DETECTATTN_CACHE", "XDG_CACHE_HOME", "DISPLAY")}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "detectattn", "doctor", "--json"]
    done = subprocess.run(command, cwd=working, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    envelope = json.loads(done.stdout)
    assert (envelope["schema"], envelope["command"], envelope["data"]["ready"]) == (1, "doctor", True)
    assert ".pt files" in envelope["data"]["runnable"]
    assert "cpu" in envelope["data"]["devices"]
    checks = {(g["name"], c["name"]): c for g in envelope["data"]["groups"] for c in g["checks"]}
    assert checks["Videos", "Writes"]["status"] == "ok"
    assert checks["Storage", "Cache"]["detail"].startswith(str(home))
    assert [path for folder in (home, working) for path in folder.rglob("*")] == []
