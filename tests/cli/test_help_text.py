"""Help pages as a terminal of 80 columns shows them."""

from __future__ import annotations

import re
from typing import Any

import pytest

COMMANDS = (
    "predict",
    "compare",
    "explain",
    "inspect",
    "export",
    "report",
    "demo",
    "doctor",
    "models list",
    "models pull",
    "models verify",
    "models path",
)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_what_is_typed(detectattn: Any, command: str) -> None:
    """And no type of Python's, nor what the code calls something."""
    outcome = detectattn(*command.split(), "--help")
    assert outcome.code == 0
    assert re.findall(r"<[\w\[\]|]+>|\{|\[\[|COMMAND-", outcome.out) == []
    assert max(len(line) for line in outcome.out.splitlines()) <= 80


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("compare", "[OPTIONS] [SOURCE]..."),
        ("explain", "[OPTIONS] SOURCE..."),
        ("export", "[OPTIONS] [NAME=]MODEL"),
        ("models verify", "[OPTIONS] [NAME]..."),
        ("models path", "[OPTIONS] NAME"),
        ("doctor", "[OPTIONS]"),
    ],
)
def test_brackets_mean_that_it_may_be_left_out(detectattn: Any, command: str, usage: str) -> None:
    first, _, rest = detectattn(*command.split(), "--help").out.partition("\n")
    assert first.endswith(f" {command} {usage}")
    argument = usage.removeprefix("[OPTIONS]").strip()
    assert not argument or re.search(rf"^Arguments:\n  {re.escape(argument)}  ", rest, re.MULTILINE)


@pytest.mark.parametrize("words", [(), ("models",)])
def test_summaries_are_whole(detectattn: Any, words: tuple[str, ...]) -> None:
    listed = detectattn(*words, "--help").out.partition("Commands:\n")[2].splitlines()
    assert len(listed) >= 4
    assert [line for line in listed if not re.fullmatch(r"  \w+ +\S.*[^.]\.", line)] == []


@pytest.mark.parametrize("words", [(), ("models",)])
def test_a_group_alone_shows_its_help_as_it_is(detectattn: Any, words: tuple[str, ...]) -> None:
    alone, asked = detectattn(*words), detectattn(*words, "--help")
    assert (alone.out + alone.err).strip() == asked.out.strip()
