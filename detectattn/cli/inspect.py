"""``detectattn inspect``: what models are made of, and what their attention costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detectattn.cli import options as opt

Models = Annotated[
    list[str],
    typer.Argument(metavar="MODEL", help="Registry name (`detectattn models list`), .pt, or URL.", show_default=False),
]
SizesOption = Annotated[
    str | None,
    typer.Option(
        "--imgsz",
        metavar="SIZES",
        help="Image sizes, comma-separated: 320,640 or 480x640. [default: half to two times the model's own]",
    ),
]
OutOption = Annotated[Path | None, opt.out_folder("Write inspect.md, inspect.json and plots; must not exist.")]
TimeOption = Annotated[
    bool, typer.Option("--time/--no-time", help="Time passes, fused attention and the device, or only count.")
]


def inspect(
    models: Models,
    imgsz: SizesOption = None,
    device: opt.TorchDeviceOption = None,
    precision: opt.PrecisionOption = None,
    time: TimeOption = True,
    out: OutOption = None,
    offline: opt.OfflineOption = None,
    trust_weights: opt.TrustOption = None,
    quiet: opt.QuietOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Show what models are made of, and what attention costs.

    By image size; and how near they come to the roofline.
    """
    from detectattn.cli.console import Notices
    from detectattn.cli.inspect_run import InspectRequest, run_inspection

    request = InspectRequest(
        models=tuple(models),
        sizes=imgsz or "",
        device=device or "auto",
        precision=precision or "auto",
        timed=time,
        out=out,
        offline=bool(offline),
        trust_weights=bool(trust_weights),
    )
    code = run_inspection(request, Notices(quiet=quiet), as_json=as_json)
    if code:
        raise typer.Exit(code)
