"""A converted model for the work at hand: from the cache or made now, and only if it passed its gate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec

from detectattn.conversion.device import resolve_device
from detectattn.conversion.engine_cache import CachedEngine, find_engine
from detectattn.conversion.failures import find_note
from detectattn.conversion.record import ConversionRecord
from detectattn.conversion.repay import can_repay
from detectattn.conversion.settings import SHOWN_NAMES, ConversionSettings
from detectattn.conversion.work import Tell, Work
from detectattn.engines.base import EngineOptions
from detectattn.errors import DetectattnError, EngineError, OutputError
from detectattn.types import WeightsFile

_CACHED = "a conversion that passed its gate was in the cache"


@dataclass(frozen=True, slots=True)
class Target:
    """An engine that may run a model.

    Attributes:
        settings: What the model would be converted to.
        required: Whether the user named the engine or a precision that only it has: PyTorch does not step in then.
    """

    settings: ConversionSettings
    required: bool


@dataclass(frozen=True, slots=True)
class Converted:
    """A conversion that passed its gate, and how it is run.

    Attributes:
        weights: As its engine opens it.
        options: How.
        record: What is known of it, the gate's figures among that.
        reason: Why it is used, a clause.
    """

    weights: WeightsFile
    options: EngineOptions
    record: ConversionRecord
    reason: str


@dataclass(frozen=True, slots=True)
class NotConverted:
    """That PyTorch is to run the model, and why: a clause."""

    reason: str


@dataclass(frozen=True, slots=True)
class Converter:
    """One model on its way to an engine.

    Attributes:
        weights: What is converted.
        options: How the model is to be run.
        name: Its name.
        target: What it is converted to.
        work: What it is opened for.
        tell: Who is told of what is done.
    """

    weights: WeightsFile
    options: EngineOptions
    name: str
    target: Target
    work: Work
    tell: Tell

    def convert(self) -> Converted | NotConverted:
        """Find or make the conversion.

        Raises:
            EngineError: Of a target that is required: it cannot be made, or did not pass the parity gate.
            ModelError, ConfigError, OutputError, SourceError: As the conversion raises them.
        """
        settings = self._settle()
        cached = find_engine(self.weights.sha256, settings)
        if cached is not None and cached.damage is not None:
            self.tell.warn(f"the converted {self.name} in the cache is damaged ({cached.damage}); it is made again")
        elif cached is not None:
            self._tell_calibration(cached.record)
            return self._judge(cached, _CACHED)
        elif not self.target.required and not self._may_be_worth_it():
            return NotConverted("too few pictures, or too uncertain a number, to repay a conversion")
        if not self.target.required and (failure := find_note(self.weights.sha256, settings).read()):
            engine = settings.engine
            self.tell.say(f"PyTorch runs {self.name}: {failure.rstrip('.')}; `--engine {engine}` tries that again")
            return NotConverted("an earlier run could not convert it")
        return self._make(settings, must=self.target.required or cached is not None)

    def find(self) -> Converted | None:
        """The conversion, if it is in the cache, whole, and passed its gate; nothing is made and nothing said."""
        cached = find_engine(self.weights.sha256, self._settle())
        if cached is None or cached.damage is not None or not cached.record.passed:
            return None
        return self._to_converted(cached, _CACHED)

    def _settle(self) -> ConversionSettings:
        """What is looked for or made, with nothing left open that decides whether the gate's word holds."""
        settings = self.target.settings
        settings = replace(settings, device=resolve_device(settings.engine, settings.device))
        if settings.precision != "int8" or not self.work.calibrate:
            return settings
        from detectattn.conversion.pictures import sample_calibration

        return replace(settings, calibration=sample_calibration((self.work.calibrate,)).compute_digest())

    def _tell_calibration(self, record: ConversionRecord) -> None:
        """An earlier run may have calibrated it, on other pictures than those of this one."""
        if record.passed and record.calibration is not None and not self.work.calibrate:
            pictures = record.calibration["pictures"]
            self.tell.say(f"{self.name} was calibrated on {pictures}, in an earlier run; --calibrate names others")

    def _may_be_worth_it(self) -> bool:
        complete = self.target.settings.engine == "openvino" or find_spec("onnx") is not None
        return complete and can_repay(self.work.pictures)

    def _make(self, settings: ConversionSettings, *, must: bool) -> Converted | NotConverted:
        # What converts imports PyTorch.
        from detectattn.conversion.make import Maker

        maker = Maker(self.weights, self.name, settings, self.options.trust_weights, self.work, self.tell)
        note = find_note(self.weights.sha256, settings)
        try:
            made, reason = maker.make(must=must)
        except (EngineError, OutputError) as error:
            note.write(error)
            if self.target.required:
                raise
            return self._give_up(error)
        except DetectattnError:
            raise
        except Exception as error:
            if self.target.required:
                raise
            # Whatever an exporter or an engine raises must not cost a run that PyTorch can do.
            unknown = EngineError(_describe_unknown(error, self.name), hint="Use --engine torch")
            note.write(unknown)
            return self._give_up(unknown)
        if made is None:
            return NotConverted(reason)
        note.remove()
        return self._judge(made, reason)

    def _give_up(self, error: DetectattnError) -> NotConverted:
        self.tell.warn(f"PyTorch runs {self.name}: {error.problem}")
        return NotConverted("it could not be converted")

    def _judge(self, cached: CachedEngine, reason: str) -> Converted | NotConverted:
        record = cached.record
        shown = SHOWN_NAMES[record.settings.engine]
        if not record.passed:
            if self.target.required:
                raise refuse(record, self.name)
            refusal = "; ".join(record.refused)
            self.tell.say(f"PyTorch runs {self.name}: converted to {shown} it is not the same ({refusal})")
            return NotConverted(f"the conversion to {shown} did not pass its gate")
        return self._to_converted(cached, reason)

    def _to_converted(self, cached: CachedEngine, reason: str) -> Converted:
        record = cached.record
        options = replace(
            self.options,
            device=record.settings.device,
            precision=record.settings.run_precision,
            decoder_layers=None,
            queries=None,
        )
        return Converted(record.to_weights(cached.folder), options, record, reason)


def _describe_unknown(error: Exception, name: str) -> str:
    text = " ".join(str(error).split())[:200]
    return f"converting {name} failed with {type(error).__name__}{': ' if text else ''}{text}".rstrip(".")


def refuse(record: ConversionRecord, name: str) -> EngineError:
    """The error for a conversion that did not pass its gate."""
    settings = record.settings
    int8 = settings.precision == "int8"
    other = "other pictures with --calibrate, or --precision fp32" if int8 else "--engine torch"
    return EngineError(
        f"{name} converted to {SHOWN_NAMES[settings.engine]} at {settings.precision} is not the same model, and is "
        f"not used: {'; '.join(record.refused)}",
        hint=f"Use {other}; `detectattn export --force` keeps such a model all the same",
    )
