"""``detectattn doctor``: what this machine can run, and what to install for what is missing."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from detectattn.cli import options as opt

if TYPE_CHECKING:
    from detectattn.doctor.report import Check, DoctorReport

WIDTH = 80
_NAME_WIDTH = 13
_INDENT = " " * (6 + _NAME_WIDTH + 1)
_MARKS = {"ok": " ok  ", "absent": " -   ", "warn": "warn ", "fail": "FAIL "}
_COLOURS = {"ok": "green", "absent": "bright_black", "warn": "yellow", "fail": "red"}


MeasureOption = Annotated[
    bool, typer.Option("--measure", help="Measure how fast each device computes and moves memory, too.")
]


def doctor(measure: MeasureOption = False, as_json: opt.JsonOption = False) -> None:
    """Say what this machine can run, and what is missing.

    Devices, engines, versions, codecs, cache. Exit 0 only if predict can run.
    """
    import json
    import os
    import sys

    from detectattn.doctor.examine import examine

    report = examine(measure=measure)
    if as_json:
        typer.echo(json.dumps({"schema": 1, "command": "doctor", "data": report.to_dict()}, ensure_ascii=False))
    else:
        typer.echo(render_report(report, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR")), nl=False)
    raise typer.Exit(0 if report.ready else 1)


def render_report(report: DoctorReport, *, colour: bool) -> str:
    """The report as text of at most 80 columns, the verdict last."""
    lines: list[str] = []
    for group in report.groups:
        lines.append(_style(group.name, colour, bold=True))
        for check in group.checks:
            lines.extend(_render_check(check, colour))
        lines.append("")
    return "\n".join([*lines, *_render_verdict(report, colour)]) + "\n"


def _render_check(check: Check, colour: bool) -> list[str]:
    name = check.name.ljust(_NAME_WIDTH)
    wrapped = _wrap(check.detail, first=" " * len(_INDENT))
    mark = _style(_MARKS[check.status], colour, fg=_COLOURS[check.status])
    lines = [f"{mark} {name} {wrapped[0].strip()}", *wrapped[1:]]
    return [*lines, *_wrap(check.hint, first=f"{_INDENT}-> ")] if check.hint else lines


def _wrap(text: str, first: str) -> list[str]:
    lines = textwrap.wrap(
        text,
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first]


def _render_verdict(report: DoctorReport, colour: bool) -> list[str]:
    if report.ready:
        verdict = f"predict can run: {', '.join(report.runnable)}; on {', '.join(report.devices)}."
        return [
            *(_style(line, colour, fg="green", bold=True) for line in _wrap(verdict, first="")),
            "Next: detectattn predict IMAGE -m MODEL",
        ]
    failed = [check.name for check in report.checks if check.status == "fail"]
    reason = f"see FAIL above: {', '.join(failed)}" if failed else "no engine is there; install one of those above"
    return [_style(line, colour, fg="red", bold=True) for line in _wrap(f"predict cannot run: {reason}.", first="")]


def _style(text: str, colour: bool, *, fg: str | None = None, bold: bool = False) -> str:
    return typer.style(text, fg=fg, bold=bold or None) if colour else text
