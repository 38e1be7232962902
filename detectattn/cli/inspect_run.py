"""One run of ``inspect``: every model in turn, what was seen as tables, as JSON, as files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detectattn.cli.console import Notices
from detectattn.cli.download_progress import show_download
from detectattn.cli.exit_codes import EXIT_FAILED, EXIT_PARTIAL
from detectattn.config import parse_imgsz, split_model_name
from detectattn.engines import model_name
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError, DetectattnError, EngineError
from detectattn.machine import collect_machine, collect_versions
from detectattn.pipeline.run_folder import create_run_folder, require_new_folder
from detectattn.report.inspection.markdown import render_markdown
from detectattn.report.inspection.terminal import render_terminal
from detectattn.report.plain import render_plain, to_plain
from detectattn.report.plots.base import Plot
from detectattn.report.plots.ledger import plot_ledger
from detectattn.report.plots.roofline import plot_roofline
from detectattn.results.inspection import ModelInspection, SizeInspection
from detectattn.results.roofline import Roof
from detectattn.sinks.files import open_new_file, replace_file
from detectattn.types import WeightsFile
from detectattn.weights.locate import locate_weights
from detectattn.weights.registry import find_model

if TYPE_CHECKING:
    from detectattn.engines.pytorch import TorchEngine

SCHEMA = 1

_TORCH_FORMATS = frozenset({"pt", "safetensors"})


@dataclass(frozen=True, slots=True)
class InspectRequest:
    """What was asked for.

    Attributes:
        models: Registry names, files or URLs, each optionally ``NAME=…``.
        sizes: Comma-separated; empty for those that suit each model.
        device: As for ``predict``.
        precision: As for ``predict``.
        timed: Whether anything is timed.
        out: A folder to write, or None.
        offline: Refuse every download.
        trust_weights: Load checkpoints that ask for more than the allow-list.
    """

    models: tuple[str, ...]
    sizes: str = ""
    device: str = "auto"
    precision: str = "auto"
    timed: bool = True
    out: Path | None = None
    offline: bool = False
    trust_weights: bool = False


def run_inspection(request: InspectRequest, notices: Notices, *, as_json: bool) -> int:
    """Look at every model; one that cannot be looked at does not cost the others. The exit code.

    Raises:
        DetectattnError: The request cannot be used, or its only model cannot be looked at.
    """
    sizes = parse_sizes(request.sizes)
    require_new_folder(request.out)
    found: list[ModelInspection] = []
    roofs: dict[tuple[str, str], Roof | None] = {}
    failed = 0
    for text in request.models:
        try:
            seen = _inspect(text, sizes, request, notices, roofs)
            require_new_name(seen.name, found)
            found.append(seen)
        except DetectattnError as error:
            if len(request.models) == 1:
                raise
            failed += 1
            print(f"error: {error}", file=sys.stderr)
    if found:
        _put_out(found, request, notices, as_json=as_json)
    if not found:
        return EXIT_FAILED
    return EXIT_PARTIAL if failed or any(model.skipped for model in found) else 0


def require_new_name(name: str, found: Sequence[ModelInspection]) -> None:
    """Refuse a second model of one name.

    Raises:
        ConfigError: There is one already.
    """
    if any(model.name == name for model in found):
        raise ConfigError(
            f"two of the models are called {name}", hint="Name them apart, as in old=a/best.pt new=b/best.pt"
        )


def parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Heights and widths from ``320,640`` or ``480x640``; empty from an empty text.

    Raises:
        ConfigError: One of them is no size.
    """
    parts = [part.strip() for part in text.split(",")] if text else []
    if any(not part for part in parts):
        raise ConfigError(f"--imgsz is {text!r}", hint="Give sizes with a comma between them, such as 320,640")
    return tuple(size for part in parts if (size := parse_imgsz(part)) is not None)


def _inspect(
    text: str,
    sizes: Sequence[tuple[int, int]],
    request: InspectRequest,
    notices: Notices,
    roofs: dict[tuple[str, str], Roof | None],
) -> ModelInspection:
    name, model = split_model_name(text)
    with show_download(quiet=notices.quiet) as on_progress:
        weights = locate_weights(model, offline=request.offline, on_notice=notices.say, on_progress=on_progress)
    require_torch(weights)
    name = name or model_name(weights.path)
    # PyTorch takes seconds to import, and what can be refused without it is refused by now.
    from detectattn.attention.inspect_model import InspectOptions, choose_sizes, inspect_model
    from detectattn.attention.roofline import put_under_roof
    from detectattn.engines.pytorch import TorchEngine

    engine = TorchEngine(
        weights,
        EngineOptions(device=request.device, precision=request.precision, batch=1, trust_weights=request.trust_weights),
    )
    try:
        options = InspectOptions(timed=request.timed, published=find_published(weights, len(engine.spec.class_names)))
        seen = inspect_model(
            engine,
            name,
            weights.sha256,
            choose_sizes(engine, sizes),
            options,
            on_size=lambda hw: notices.say(f"{name} at {hw[0]}×{hw[1]} …"),
        )
        roof = find_roof(engine, roofs, notices) if request.timed else None
    finally:
        engine.close()
    seen = seen if roof is None else put_under_roof(seen, roof)
    return replace(seen, sizes=tuple(map(judge_fused, seen.sizes)))


def find_roof(engine: TorchEngine, known: dict[tuple[str, str], Roof | None], notices: Notices) -> Roof | None:
    """What the device of an engine allows in its precision, measured once a run; None where memory did not suffice.

    Args:
        engine: Its model is loaded.
        known: By device and precision, what was measured in this run; added to.
        notices: Told before anything is measured.
    """
    from detectattn.attention.roofline import measure_roof

    key = (engine.spec.device, engine.spec.precision)
    if key not in known:
        notices.say(f"what {key[0]} can reach in {key[1]} …")
        known[key] = measure_roof(engine)
    return known[key]


def require_torch(weights: WeightsFile) -> None:
    """Refuse what PyTorch does not run: nobody sees into another engine's graph.

    Raises:
        EngineError: It is an export; the weights that would do are named, where they are known.
    """
    if weights.format in _TORCH_FORMATS:
        return
    name = model_name(weights.path)
    beside = weights.path.with_name(f"{name}.pt")
    if beside.is_file():
        hint = f"Name the weights that it was made from: {beside}"
    elif find_model(name) is not None:
        hint = f"Name the weights that it was made from: {name}"
    else:
        hint = "Name the .pt file that it was exported from"
    raise EngineError(f"{weights.path} cannot be looked into: only PyTorch shows a model's blocks", hint=hint)


def find_published(weights: WeightsFile, classes: int) -> tuple[float, str] | None:
    """GFLOPs published for a model and their source; None for one that is not in the registry, or has other classes."""
    model = find_model(weights.path.stem)
    return None if model is None or classes != _PUBLISHED_CLASSES else (model.gflops, model.source)


_PUBLISHED_CLASSES = 80


def judge_fused(size: SizeInspection) -> SizeInspection:
    """The same with the ratio of explicit to fused attention and its interval, round by round."""
    if size.fused is None:
        return size
    from detectattn.evaluation.intervals import compare_latency

    explicit, fused = ([[time] for time in times] for times in (size.fused.explicit_ms, size.fused.fused_ms))
    return replace(size, fused=replace(size.fused, ratio=compare_latency(explicit, fused, "attention_ms")))


def _put_out(found: Sequence[ModelInspection], request: InspectRequest, notices: Notices, *, as_json: bool) -> None:
    folder = None
    plots: Sequence[Plot] = ()
    if request.out is not None:
        folder = create_run_folder(request.out, "inspect")
        plots = write_files(found, folder)
    if as_json:
        content = {"run": None if folder is None else str(folder), **to_content(found)}
        print(json.dumps({"schema": SCHEMA, "command": "inspect", "data": content}, ensure_ascii=False))
    elif not notices.quiet:
        print("\n".join(render_terminal(found, None if folder is None else str(folder), plots, request.models)))


def write_files(found: Sequence[ModelInspection], folder: Path) -> tuple[Plot, ...]:
    """``inspect.json``, ``inspect.md`` and the plots that there are figures for, which are given back.

    ``attention.png`` where there is attention at several sizes, ``roofline.png`` where the device was measured.
    """
    content = {"schema": SCHEMA, "kind": "inspection", **to_content(found)}
    content |= {"versions": collect_versions(), "machine": collect_machine()}
    replace_file(folder / "inspect.json", render_plain(to_plain(content)))
    plots = tuple(plot for plot in (plot_ledger(found), plot_roofline(found)) if plot is not None)
    for plot in plots:
        _write_plot(folder / f"{plot.name}.png", plot)
    replace_file(folder / "inspect.md", render_markdown(found, plots))
    return plots


def _write_plot(path: Path, plot: Plot) -> None:
    from detectattn.report.plots import render_png

    with open_new_file(path) as stream:
        stream.write(render_png(plot))


def to_content(found: Sequence[ModelInspection]) -> Mapping[str, Any]:
    """The figures as JSON has them, nothing rounded."""
    return {"models": {model.name: to_plain(model) for model in found}}
