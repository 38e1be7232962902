"""One run of ``export``: convert, compare, keep what passed."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.cli.console import Notices
from detectattn.cli.download_progress import show_download
from detectattn.cli.export_pictures import GatePictures, GateSources, bring_truth, sample_pictures
from detectattn.cli.export_table import render_export
from detectattn.cli.step_progress import show_steps
from detectattn.config import parse_imgsz, split_model_name
from detectattn.conversion.choose import is_convertible, refuse
from detectattn.conversion.device import resolve_device
from detectattn.conversion.record import ConversionRecord, write_record
from detectattn.conversion.settings import ConversionSettings, EngineName, Precision
from detectattn.engines import model_name
from detectattn.errors import ConfigError, EngineError
from detectattn.pipeline.run_folder import create_run_folder, require_new_folder
from detectattn.sinks.files import output_errors
from detectattn.sources.temp_folder import open_temp_folder
from detectattn.types import WeightsFile
from detectattn.weights.locate import locate_weights

SCHEMA = 1
_RUNS = Path("runs")
_ENGINES: tuple[EngineName, ...] = ("openvino", "onnx", "tensorrt")
_PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What was asked for.

    Attributes:
        model: Registry name, file or URL, optionally ``NAME=…``.
        engine: ``openvino``, ``onnx`` or ``tensorrt``.
        precision: ``fp32``, ``fp16`` or ``int8``.
        imgsz: ``640`` or ``480x640`` (height × width); empty for the model's own.
        batch: Pictures that always go through together; 0 for any number.
        decoder_layers: As in :class:`~detectattn.engines.base.EngineOptions`.
        queries: As in :class:`~detectattn.engines.base.EngineOptions`.
        calibrate: Source of pictures for INT8, a path or an address of object storage; empty for none.
        pictures: Likewise, of pictures to compare on; empty for the default.
        limit: How many of them at most.
        truth: Their ground truth, a path or an address of object storage; empty for none.
        out: A folder to write, or None for the next free one.
        force: Keep a model that did not pass.
        offline: Refuse every download.
        trust_weights: Load a checkpoint that asks for more than the allow-list.
    """

    model: str
    engine: str = "openvino"
    precision: str = "fp32"
    imgsz: str = ""
    batch: int = 0
    decoder_layers: int | None = None
    queries: int | None = None
    calibrate: str = ""
    pictures: str = ""
    limit: int = 32
    truth: str = ""
    out: Path | None = None
    force: bool = False
    offline: bool = False
    trust_weights: bool = False


def run_export(request: ExportRequest, notices: Notices, *, as_json: bool) -> None:
    """Convert and compare; what came of it is printed, and kept if it passed.

    Raises:
        EngineError: It did not pass, and ``force`` was not given; the figures are printed all the same.
        DetectattnError: It could not be converted.
    """
    settings = choose_settings(request)
    require_new_folder(request.out)
    name, weights = _locate(request, notices)
    with open_temp_folder() as temp_dir:
        sources = GateSources(request.calibrate, request.pictures, request.limit, request.offline)
        pictures = sample_pictures(sources, temp_dir)
        record, folder = _convert(request, settings, name, weights, pictures, notices)
    _report(record, folder, notices, as_json=as_json)
    if folder is None:
        raise refuse(record, name)


def choose_settings(request: ExportRequest) -> ConversionSettings:
    """What the request converts to.

    Raises:
        ConfigError: There is no such engine or precision, or the two do not go together.
    """
    engine = next((known for known in _ENGINES if known == request.engine), None)
    precision = next((known for known in _PRECISIONS if known == request.precision), None)
    if engine is None:
        raise ConfigError(f"--engine is {request.engine!r}", hint=f"Give {' or '.join(_ENGINES)}")
    if precision is None:
        raise ConfigError(f"--precision is {request.precision!r}", hint="Give fp32, fp16 or int8")
    if precision == "int8" and not request.calibrate:
        raise ConfigError(
            "INT8 is calibrated on images of the kind that it will see",
            hint="Name some, a few dozen, with --calibrate",
        )
    if request.calibrate and precision != "int8":
        raise ConfigError("--calibrate is for INT8", hint="Add --precision int8, or give --pictures instead")
    if request.batch < 0 or request.limit < 1:
        raise ConfigError(
            f"--batch is {request.batch} and --limit {request.limit}", hint="Give a batch from 0 and a limit from 1"
        )
    return ConversionSettings(
        engine=engine,
        precision=precision,
        net_hw=parse_imgsz(request.imgsz),
        batch=request.batch or None,
        device=resolve_device(engine, "auto" if engine == "tensorrt" else "cpu"),
        decoder_layers=request.decoder_layers,
        queries=request.queries,
    )


def _convert(
    request: ExportRequest,
    settings: ConversionSettings,
    name: str,
    weights: WeightsFile,
    pictures: GatePictures,
    notices: Notices,
) -> tuple[ConversionRecord, Path | None]:
    """What came of it, and the folder that holds it where it is kept."""
    # What converts imports PyTorch, and what can be refused without it is refused by now.
    from detectattn.conversion.convert import Evidence, Job, convert, open_original
    from detectattn.conversion.gate_truth import read_gate_truth

    named = bring_truth(request.truth, offline=request.offline)
    truth = None if named is None else read_gate_truth(named, pictures.gate, pictures.roots)
    stem = f"{name}-{settings.engine}-{settings.precision}"
    evidence = Evidence(pictures.gate, pictures.calibration, truth)
    with show_steps(quiet=notices.quiet) as on_step, _draft(request.out) as draft:
        job = Job(weights, stem, settings, evidence, request.trust_weights, on_step)
        with open_original(job) as original:
            record = replace(convert(job, original, draft), name=name)
        kept = record.passed or request.force
        return record, _keep(draft, record, request.out) if kept else None


def _locate(request: ExportRequest, notices: Notices) -> tuple[str, WeightsFile]:
    name, model = split_model_name(request.model)
    with show_download(quiet=notices.quiet) as on_progress:
        weights = locate_weights(model, offline=request.offline, on_notice=notices.say, on_progress=on_progress)
    if not is_convertible(weights):
        raise EngineError(
            f"{weights.path} is an export already ({weights.format})", hint="Name the .pt file that it was made from"
        )
    return name or model_name(weights.path), weights


@contextmanager
def _draft(out: Path | None) -> Iterator[Path]:
    """A hidden folder where the model will be, gone when the block ends; a folder made for it goes if it is empty."""
    base = _RUNS if out is None else out.parent
    made = not base.exists()
    draft = base / f".detectattn-{uuid.uuid4().hex}"
    with output_errors(draft):
        draft.mkdir(parents=True)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if made:
            with suppress(OSError):
                base.rmdir()


def _keep(draft: Path, record: ConversionRecord, out: Path | None) -> Path:
    folder = create_run_folder(out, "export", _RUNS)
    with output_errors(folder):
        for path in sorted(draft.iterdir()):
            path.rename(folder / path.name)
        write_record(folder, record)
    return folder


def _report(record: ConversionRecord, folder: Path | None, notices: Notices, *, as_json: bool) -> None:
    if as_json:
        content = {"folder": None if folder is None else str(folder), "conversion": record.to_dict()}
        print(json.dumps({"schema": SCHEMA, "command": "export", "data": content}, ensure_ascii=False))
    elif not notices.quiet:
        print("\n".join(render_export(record, folder)))
