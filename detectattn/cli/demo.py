"""``detectattn demo``: what the commands do, on the shipped samples with the embedded models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detectattn.cli import options as opt

OutOption = Annotated[Path | None, opt.out_folder("Folder of the run; must not exist. [default: runs/demo-NNN]")]


def demo(out: OutOption = None, quiet: opt.QuietOption = False, as_json: opt.JsonOption = False) -> None:
    """Try it: both embedded models on the shipped street scenes.

    No network, no download, about a minute.
    """
    from detectattn.cli.demo_run import run_demo

    code = run_demo(out, quiet=quiet, as_json=as_json)
    if code:
        raise typer.Exit(code)
