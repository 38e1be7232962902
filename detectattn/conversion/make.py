"""Make a converted model for a run and keep it in the cache, one process at a time."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from detectattn.conversion.convert import Evidence, Job, convert, drop_model, open_original
from detectattn.conversion.engine_cache import (
    CachedEngine,
    draft_engine,
    find_engine,
    lock_engines,
    publish_engine,
)
from detectattn.conversion.gate import GateFigures
from detectattn.conversion.gate_limits import describe_figures
from detectattn.conversion.pictures import (
    MIN_CALIBRATION,
    PictureSample,
    fill_up,
    require_pictures,
    sample_calibration,
    sample_sources,
    split_sample,
)
from detectattn.conversion.record import ConversionRecord
from detectattn.conversion.repay import GATE_PICTURES, estimate, measure_pass
from detectattn.conversion.settings import SHOWN_NAMES, ConversionSettings
from detectattn.conversion.work import Tell, Work
from detectattn.errors import OutputError
from detectattn.types import WeightsFile

if TYPE_CHECKING:
    from detectattn.conversion.convert import Original


@dataclass(frozen=True, slots=True)
class Maker:
    """Converts one model for the work at hand.

    Attributes:
        weights: What is converted.
        name: The model's name.
        settings: What it is converted to, not resolved.
        trust_weights: As in :class:`~detectattn.engines.base.EngineOptions`.
        work: Where pictures come from, and how many wait.
        tell: Who is told of it.
    """

    weights: WeightsFile
    name: str
    settings: ConversionSettings
    trust_weights: bool
    work: Work
    tell: Tell

    def make(self, *, must: bool) -> tuple[CachedEngine | None, str]:
        """Convert, unless another process has done so meanwhile.

        Args:
            must: Convert whether or not the work at hand repays it.

        Returns:
            The conversion and why it was made; or None, and why it was not.

        Raises:
            EngineError, ModelError, ConfigError: It cannot be converted.
            OutputError: What is made cannot be written anywhere.
            SourceError: Of INT8: too few pictures to calibrate on.
        """
        job = self._plan()
        with ExitStack() as stack:
            cache = self._lock(stack)
            found = None if cache is None else find_engine(self.weights.sha256, self.settings)
            if found is not None and found.damage is None:
                return found, "another process has just converted it"
            original = stack.enter_context(open_original(job))
            reason = "asked for"
            if not must:
                outlook = estimate(self.work.pictures or 0, measure_pass(original.engine), original.engine.spec.layout)
                reason = outlook.describe()
                if not outlook.repays:
                    return None, reason
            draft = _make_temporary_folder() if cache is None else stack.enter_context(draft_engine(cache))
            record = self._convert(job, original, draft)
            return (CachedEngine(draft, record) if cache is None else publish_engine(draft, record)), reason

    def _lock(self, stack: ExitStack) -> Path | None:
        """The folder of the cache, held until the stack unwinds; None where it cannot be written."""
        wait = partial(self.tell.say, f"another process is converting {self.name}; waiting for it …")
        try:
            return stack.enter_context(lock_engines(self.weights.sha256, wait))
        except OutputError as error:
            self.tell.warn(f"what is converted will not be kept: {error.problem}")
            return None

    def _convert(self, job: Job, original: Original, draft: Path) -> ConversionRecord:
        shown = f"{SHOWN_NAMES[self.settings.engine]} ({self.settings.precision})"
        self.tell.say(f"converting {self.name} to {shown} for this machine, once …")
        started = time.perf_counter()
        record = convert(job, original, draft)
        took_s = time.perf_counter() - started
        how = "converted" if record.passed else "converted, and refused,"
        self.tell.say(f"{how} in {took_s:.3g} s, {record.gate_s:.2g} s of them to compare it with PyTorch:")
        self.tell.say(describe_figures(GateFigures.from_dict(record.gate)))
        return record if record.passed else drop_model(draft, record)

    def _plan(self) -> Job:
        settings, evidence = self.settings, Evidence(self._sample_source())
        if settings.precision == "int8":
            sources = (self.work.calibrate,) if self.work.calibrate else self.work.sources
            sample = sample_calibration(sources)
            require_pictures(sample, MIN_CALIBRATION, "--calibrate")
            evidence = Evidence(*split_sample(sample))
            settings = replace(settings, calibration=sample.compute_digest())
        return Job(self.weights, self.name, settings, evidence, self.trust_weights, self.tell.step)

    def _sample_source(self) -> PictureSample:
        """Pictures of the work at hand, since the model will see such, and shipped scenes where they are few."""
        return fill_up(sample_sources(self.work.sources, GATE_PICTURES))


def _make_temporary_folder() -> Path:
    """A folder that lasts as long as the process: an engine reads its model from there as it goes."""
    folder = Path(tempfile.mkdtemp(prefix="detectattn-engine-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
