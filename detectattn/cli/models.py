"""``detectattn models``: list, pull, verify and locate weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detectattn.cli.help_text import PlainCommand

if TYPE_CHECKING:
    from detectattn.weights.inventory import CachedWeights, Verification
    from detectattn.weights.registry import RegistryModel

EXIT_DIFFERS = 1
_ABSENT = "–"

app = typer.Typer(
    help="List, pull, verify and locate model weights.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Registry names (`models list`), or URLs.")]
SomeNames = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Registry names. [default: all that are cached]")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A registry name, an embedded one, or a URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


@app.command("list", cls=PlainCommand)
def list_models(as_json: AsJson = False) -> None:
    """The models that can be named, with the figures published for them."""
    from detectattn.weights.registry import load_registry

    models = list(load_registry().values())
    if as_json:
        _print_json("models list", [_to_fields(model) for model in models])
    else:
        print("\n".join(_render_list(models)))


@app.command(cls=PlainCommand)
def pull(names: Names) -> None:
    """Download weights into the cache, verified.

    What is there already is only checked.
    """
    from detectattn.cli.download_progress import show_download
    from detectattn.weights.download import download_model, download_url
    from detectattn.weights.registry import require_model

    models = [name if "://" in name else require_model(name) for name in names]
    for model in models:
        with show_download() as on_progress:
            if isinstance(model, str):
                path, _ = download_url(
                    model, offline=False, on_notice=_say, on_progress=on_progress, replace_damaged=True
                )
            else:
                path = model.cached_path
                download_model(model, offline=False, on_notice=_say, on_progress=on_progress, replace_damaged=True)
        print(path)


@app.command(cls=PlainCommand)
def verify(names: SomeNames = None, as_json: AsJson = False) -> None:
    """Read cached weights again and compare their checksums.

    Exit 1 if any differs.
    """
    from detectattn.weights.inventory import iter_cached, verify_weights

    found = [_find_cached(name) for name in names] if names else list(iter_cached())
    if not found:
        _say("There are no weights in the cache; `detectattn models pull NAME` fetches some.")
    checked = [verify_weights(weights) for weights in found]
    if as_json:
        _print_json("models verify", [_to_outcome(verification) for verification in checked])
    elif checked:
        print("\n".join(_render_verdicts(checked)))
    wrong = [verification for verification in checked if verification.verdict == "differs"]
    for verification in wrong:
        _say(f"error: {verification.problem}")
    if wrong:
        raise typer.Exit(EXIT_DIFFERS)


@app.command(cls=PlainCommand)
def path(name: Name) -> None:
    """Print where a model's weights lie.

    Exit 1 if they are not in the cache.
    """
    from detectattn.weights.embedded import embedded_path

    print(embedded_path(name) or _find_cached(name).path)


def _find_cached(name: str) -> CachedWeights:
    from detectattn.errors import UnknownModel
    from detectattn.fetch import redact_url
    from detectattn.weights.download import cached_url_path
    from detectattn.weights.inventory import CachedWeights, describe_cached
    from detectattn.weights.registry import require_model

    shown = redact_url(name)
    if "://" in name:
        weights = CachedWeights(shown, cached_url_path(name), None, shown)
    else:
        weights = describe_cached(require_model(name))
    if not weights.path.is_file():
        raise UnknownModel(
            f"{weights.name} is not in the cache ({weights.path})",
            hint=f"Run `detectattn models pull {weights.name}`, or put the file there",
        )
    return weights


def _render_list(models: Sequence[RegistryModel]) -> list[str]:
    from detectattn.cli.console import WIDTH, format_table
    from detectattn.weights.embedded import embedded_names

    header = ("model", "family", "params", "GFLOPs", "AP", "AP e2e", "T4 ms", "CPU ms", "cached")
    rows = [
        (
            model.name,
            model.family,
            f"{model.params_m:.3g} M",
            f"{model.gflops:.3g}",
            f"{model.ap50_95:.1f}",
            _show(model.ap50_95_end2end, ".1f"),
            _show(model.t4_ms, ".3g"),
            _show(model.cpu_ms, ".3g"),
            "yes" if model.cached_path.is_file() else _ABSENT,
        )
        for model in models
    ]
    lines = format_table(header, rows, numbers=range(2, 8))
    sources = dict.fromkeys(model.source.partition(" (")[0] for model in models)
    notes = (
        "AP: COCO val2017, 0.50:0.95, in percent; AP e2e: of the default head without NMS. T4: TensorRT FP16. CPU: "
        f"ONNX Runtime. GFLOPs at 640×640. All as published: {', '.join(sources)}."
    )
    embedded = embedded_names()
    return [
        *lines,
        "",
        *_wrap(notes, WIDTH),
        *([f"Embedded, no download: {', '.join(embedded)}."] if embedded else []),
        "Next: detectattn models pull rtdetr-l",
    ]


def _wrap(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width)


def _show(value: float | None, form: str) -> str:
    return _ABSENT if value is None else format(value, form)


def _render_verdicts(checked: Sequence[Verification]) -> list[str]:
    from detectattn.cli.console import format_table

    words = {"published": "published checksum", "first download": "first download", "nothing": "nothing before"}
    rows = [(item.weights.name, item.verdict, words[item.basis], (item.sha256 or _ABSENT)[:12]) for item in checked]
    return format_table(("model", "verdict", "compared with", "SHA-256"), rows)


def _to_fields(model: RegistryModel) -> dict[str, Any]:
    from dataclasses import asdict

    from detectattn.fetch import redact_url
    from detectattn.weights.registry import WEIGHTS_LICENSE

    cached = str(model.cached_path) if model.cached_path.is_file() else None
    return {**asdict(model), "license": WEIGHTS_LICENSE, "url": redact_url(model.url), "cached": cached}


def _to_outcome(item: Verification) -> dict[str, Any]:
    return {
        "name": item.weights.name,
        "path": str(item.weights.path),
        "verdict": item.verdict,
        "compared_with": item.basis,
        "sha256": item.sha256,
        "problem": item.problem or None,
    }


def _print_json(command: str, fields: list[dict[str, Any]]) -> None:
    print(json.dumps({"schema": 1, "command": command, "data": fields}, ensure_ascii=False))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
