"""One conversion from weights to a judged model: load, export, quantise if asked for, gate, record."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detectattn.conversion.calibration import iter_inputs
from detectattn.conversion.export import export_model, require_device, require_exporter, require_space
from detectattn.conversion.gate import GateFigures, GateTruth, judge_gate, run_gate
from detectattn.conversion.pictures import PictureSample
from detectattn.conversion.record import ConversionRecord, hash_files
from detectattn.conversion.settings import ConversionSettings, collect_conditions
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.flops import count_gflops
from detectattn.errors import EngineError
from detectattn.sinks.files import output_errors
from detectattn.types import WeightsFile

if TYPE_CHECKING:
    from detectattn.conversion.quantise import QuantiseReport
    from detectattn.engines.pytorch import TorchEngine

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a conversion is made and judged on.

    Attributes:
        pictures: What the gate looks at.
        calibration: What INT8 is calibrated on; not needed otherwise.
        truth: What is in the pictures of the gate, where that is known.
    """

    pictures: PictureSample
    calibration: PictureSample | None = None
    truth: GateTruth | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One conversion.

    Attributes:
        weights: What is converted, a ``.pt`` file or an embedded model.
        name: The model's name.
        settings: What it is converted to, not yet resolved.
        evidence: What it is judged on.
        trust_weights: As in :class:`~detectattn.engines.base.EngineOptions`.
        on_step: Told what is being done.
    """

    weights: WeightsFile
    name: str
    settings: ConversionSettings
    evidence: Evidence
    trust_weights: bool = False
    on_step: OnStep = lambda _: None


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """The model as PyTorch runs it, in FP32 on the CPU: what every conversion begins with and is held against.

    Attributes:
        engine: Holds the model.
        own_hw: The size it was made for.
    """

    engine: TorchEngine
    own_hw: tuple[int, int]


@contextmanager
def open_original(job: Job) -> Iterator[Original]:
    """Load the weights of a job.

    Raises:
        MissingExtra, DeviceNotFound: What converts or would run it is not there.
        ModelError: They cannot be used.
        ConfigError, BadImageSize: They do not allow what the settings ask for.
    """
    require_exporter(job.settings.engine)
    require_device(job.settings)
    from detectattn.engines.pytorch import TorchEngine, find_own_size

    settings = job.settings
    options = EngineOptions(
        device="cpu",
        imgsz_hw=settings.net_hw,
        trust_weights=job.trust_weights,
        decoder_layers=settings.decoder_layers,
        queries=settings.queries,
    )
    with closing(TorchEngine(job.weights, options)) as engine:
        yield Original(engine, find_own_size(engine.model))


def convert(job: Job, original: Original, folder: Path) -> ConversionRecord:
    """Convert into a folder and judge what came of it; a model that does not pass is left there all the same.

    Args:
        job: What to do.
        original: From :func:`open_original`.
        folder: Exists and is empty. ``conversion.json`` is not written: that is last, and the caller's.

    Raises:
        EngineError: The model cannot be converted, or what was made cannot run here.
        OutputError: The folder cannot be written.
    """
    settings = job.settings.resolve(original.engine.spec.layout, original.own_hw)
    gate = _Gate(job, original, settings)
    started = time.perf_counter()
    report = None
    with output_errors(folder):
        require_space(folder, job.weights.path.stat().st_size)
        if settings.precision == "int8":
            report = _quantise(job, original, settings, folder, gate)
            model_file = report.xml.name
        else:
            model_file = _export(job, original, settings, folder).name
    convert_s = time.perf_counter() - started - gate.seconds
    made = _describe(job, original, settings, folder, model_file)
    # What quantises ends in the very gate that would be run here.
    figures = gate.run(made.to_weights(folder)) if report is None else report.figures
    return replace(
        made,
        convert_s=round(convert_s, 2),
        gate_s=round(gate.seconds, 2),
        gate=figures.to_dict(),
        refused=judge_gate(figures, settings.precision),
        calibration=None if report is None else _describe_calibration(job, report),
    )


def _export(job: Job, original: Original, settings: ConversionSettings, folder: Path) -> Path:
    job.on_step(f"exporting {job.name}")
    return export_model(original.engine, settings, folder, job.name, job.weights.sha256)


def _quantise(job: Job, original: Original, settings: ConversionSettings, folder: Path, gate: _Gate) -> QuantiseReport:
    from detectattn.conversion.quantise import quantise_openvino

    sample = _require_calibration(job)
    with tempfile.TemporaryDirectory(prefix="detectattn-") as temp_dir:
        xml = _export(job, original, settings, Path(temp_dir))
        job.on_step(f"calibrating {job.name} on {sample.said}")
        return quantise_openvino(
            xml,
            folder,
            iter_inputs(original.engine.spec, sample.iter_pictures(), rectangles=bool(settings.dynamic)),
            family=original.engine.spec.family,
            on_step=job.on_step,
            gate=lambda path: gate.run(WeightsFile(path, "", "openvino", "converted")),
        )


def _require_calibration(job: Job) -> PictureSample:
    if job.evidence.calibration is None:
        raise EngineError("INT8 needs pictures to calibrate on", hint="Name a folder with --calibrate")
    return job.evidence.calibration


def _describe_calibration(job: Job, report: QuantiseReport) -> dict[str, Any]:
    sample = _require_calibration(job)
    told_elsewhere = ("figures", "violations", "xml")
    fields = {key: value for key, value in report.to_dict().items() if key not in told_elsewhere}
    return {"pictures": sample.said, "digest": sample.compute_digest(), **fields}


def _describe(
    job: Job, original: Original, settings: ConversionSettings, folder: Path, model_file: str
) -> ConversionRecord:
    files, size_bytes = hash_files(folder)
    model = original.engine.model
    return ConversionRecord(
        name=job.name,
        weights_sha256=job.weights.sha256,
        settings=settings,
        own_hw=original.own_hw,
        conditions=collect_conditions(settings),
        model_file=model_file,
        files=files,
        size_bytes=size_bytes,
        convert_s=0.0,
        gate_s=0.0,
        gate={},
        pictures=job.evidence.pictures.said,
        params_m=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        gflops=count_gflops(model, settings.net_hw or original.own_hw),
    )


class _Gate:
    """Runs the gate on models of one job, and adds up the time that takes."""

    def __init__(self, job: Job, original: Original, settings: ConversionSettings) -> None:
        self._job = job
        self._settings = settings
        self._reference = Detector(original.engine, job.name, job.weights, 1)
        self.seconds = 0.0

    def run(self, weights: WeightsFile) -> GateFigures:
        """Figures of a converted model."""
        job, settings = self._job, self._settings
        job.on_step(f"comparing with PyTorch on {job.evidence.pictures.said}")
        started = time.perf_counter()
        options = EngineOptions(device=settings.device, precision=settings.run_precision)
        with closing(open_detector(weights, options, name=job.name, engine=settings.engine)) as candidate:
            pictures = job.evidence.pictures.iter_pictures()
            figures = run_gate(self._reference, candidate, pictures, truth=job.evidence.truth)
        self.seconds += time.perf_counter() - started
        return figures


def drop_model(folder: Path, record: ConversionRecord) -> ConversionRecord:
    """Delete the files of a refused model; its record, which stays, says why it is not tried again."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return replace(record, model_file="", files={}, size_bytes=0)
