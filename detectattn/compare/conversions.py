"""The models of a study as they would be deployed: converted before they are measured, each held against PyTorch.

With ``auto`` they stay with PyTorch, whatever lies in the cache: which models an earlier run happened to convert must
not decide what they are compared on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.sweep_limits import find_impossible
from detectattn.conversion.choose import choose_target, is_convertible, load_export_record
from detectattn.conversion.converted import Converted, Converter, Target
from detectattn.conversion.export import require_device, require_exporter
from detectattn.conversion.work import Tell, Work
from detectattn.errors import ConfigError, DetectattnError, SourceError

Prepare = Callable[[ModelEntrant, tuple[int, int] | None], ModelEntrant]
"""Makes a model ready to be loaded, at an input size, or at its own for None. Errors are those of a conversion."""


def leave_as_is(entrant: ModelEntrant, _: tuple[int, int] | None) -> ModelEntrant:
    """Prepares nothing."""
    return entrant


def find_target(entrant: ModelEntrant, size_hw: tuple[int, int] | None = None) -> Target | None:
    """What a model is converted to; None where it runs as it is.

    Args:
        entrant: The model, or a variant of one.
        size_hw: The input size that it is to run at, where its options leave that open.

    Raises:
        ConfigError: There is no such engine or precision, or the two do not go together.
    """
    if not is_convertible(entrant.weights):
        return None
    options = entrant.options if size_hw is None else replace(entrant.options, imgsz_hw=size_hw)
    target = choose_target(options, entrant.engine)
    return target if target is not None and target.required else None


def require_engines(models: Sequence[ModelEntrant]) -> None:
    """Refuse engines and precisions that no model of a study can have here, before anything is measured.

    Raises:
        ConfigError: They do not go together.
        MissingExtra, DeviceNotFound, EngineError: What converts or would run a model is not there.
    """
    for entrant in models:
        reason = find_impossible(entrant.engine, entrant.options.precision)
        if reason is not None and is_convertible(entrant.weights):
            raise ConfigError(
                f"--precision {entrant.options.precision} does not go with --engine {entrant.engine}: {reason}",
                hint="Leave --engine out, or give --engine openvino",
            )
    for settings in {target.settings for entrant in models if (target := find_target(entrant)) is not None}:
        require_exporter(settings.engine)
        require_device(settings)
        if settings.precision == "int8":
            from detectattn.conversion.quantise_nncf import require_nncf

            require_nncf()


@dataclass(frozen=True, slots=True)
class Conversions:
    """Converts the models of a study, each as it is about to be loaded; it can be called as a :data:`Prepare`.

    Attributes:
        sources: Of the study, as typed: the gate looks at some of their pictures.
        calibrate: A source of pictures that INT8 is calibrated on; empty for a sample of ``sources``.
        tell: Who is told of it.
    """

    sources: tuple[str, ...]
    calibrate: str
    tell: Tell

    def __call__(self, entrant: ModelEntrant, size_hw: tuple[int, int] | None) -> ModelEntrant:
        """The model with what runs in its place, converted now or from the cache; an export with its gate's figures.

        Raises:
            ConfigError: It cannot be converted to that, or there are too few pictures for INT8.
            EngineError: The exporter does not know something in it, or what was made did not pass the gate.
            ModelError, OutputError: As the conversion raises them.
        """
        target = find_target(entrant, size_hw)
        if target is None:
            return entrant if is_convertible(entrant.weights) else _tell_export(entrant)
        work = Work(None, self.sources, self.calibrate)
        try:
            found = Converter(entrant.weights, entrant.options, entrant.name, target, work, self.tell).convert()
        except SourceError as error:  # of the pictures that INT8 is calibrated on, the same for every model
            raise ConfigError(error.problem, hint=error.hint) from error
        assert isinstance(found, Converted), "PyTorch stands in for no target that is required"
        return replace(entrant, runs=found, notes=tuple(self._find_flattery(found)))

    def _find_flattery(self, found: Converted) -> Iterator[str]:
        """What should be known of a conversion that was calibrated on what it is judged by."""
        digest = found.record.settings.calibration
        if digest is None:
            return
        from detectattn.conversion.pictures import sample_calibration

        with suppress(DetectattnError):
            if sample_calibration(self.sources).compute_digest() == digest:
                yield (
                    "INT8 was calibrated on pictures of this study, so accuracy here may flatter it; "
                    "--calibrate names others"
                )


def _tell_export(entrant: ModelEntrant) -> ModelEntrant:
    """An export of our own with what is known of it; any other as it is."""
    record = load_export_record(entrant.weights)
    if record is None:
        return entrant
    made = Converted(entrant.weights, entrant.options, record, "it is an export")
    refused = f"it did not pass its parity gate and was kept with --force: {'; '.join(record.refused)}"
    return replace(entrant, runs=made, notes=() if record.passed else (refused,))
