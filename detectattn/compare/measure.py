"""Measure a group of models that are held in memory together: load, time in turns, detect on every picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from detectattn.compare import messages as msg
from detectattn.compare.child import Child
from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.frames import Chunk, PictureInfo
from detectattn.compare.measured import Measured, Timed
from detectattn.compare.noise import MachineState, read_machine_state
from detectattn.compare.rules import ACCURACY_CONF, ACCURACY_IOU, ACCURACY_MAX_DET
from detectattn.compare.speed import SpeedSamples, compute_joules_per_image, measure_speed, plan_rounds
from detectattn.compare.study_folder import StudyFolder
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError, DetectattnError
from detectattn.records import record_line
from detectattn.sinks.lines import LineFile
from detectattn.types import ModelInfo, Prediction, StageTiming
from detectattn.weights.registry import find_model

_AT_ONCE = 8


class StudyEvents(Protocol):
    """Told how a study goes."""

    def say(self, text: str) -> None:
        """Something worth knowing."""
        ...

    def warn(self, text: str) -> None:
        """Something that may not be what the user wants."""
        ...

    def advance(self, stage: str, name: str, done: int, total: int | None) -> None:
        """How far a model is at a stage: ``load``, ``time`` or ``detect``."""
        ...


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """How a study measures.

    Attributes:
        rounds: Rounds of timing, 0 for none; None for ten, or more until 50 pictures are timed.
        match_size: Whether models run at the size of the first, where they can.
        check_classes: Raises where a model has no class in common with the ground truth.
    """

    rounds: int | None
    match_size: bool
    check_classes: Callable[[ModelInfo], None]


@dataclass(slots=True)
class _Running:
    """A model at work."""

    entrant: ModelEntrant
    child: Child
    measured: Measured
    done: frozenset[tuple[str, int]] = frozenset()


class GroupRun:
    """One group of models, from loading to their last record.

    Args:
        entrants: The models; those that finished earlier are passed over.
        folder: Where what is measured goes.
        options: How.
        events: Told how it goes.
        target_hw: Input size of the study's first model, once it is known.
    """

    def __init__(
        self,
        entrants: Sequence[ModelEntrant],
        folder: StudyFolder,
        options: MeasureOptions,
        events: StudyEvents,
        target_hw: tuple[int, int] | None = None,
    ) -> None:
        self._entrants = entrants
        self._folder = folder
        self._options = options
        self._events = events
        self._running: list[_Running] = []
        self.target_hw = target_hw
        self.pictures: list[PictureInfo] = []

    def run(self, chunks: Iterator[Chunk], total: int | None) -> None:
        """Measure; what a model measured is on disk as soon as it is known.

        Args:
            chunks: The pictures.
            total: How many there are, where that is known.

        Raises:
            ConfigError: A variant cannot be run: its value is impossible.
            TruthMismatch: A model has no class in common with the ground truth.
            OutputError: The run folder cannot be written to.
        """
        first = next(chunks, None)
        if first is None:
            return
        with ExitStack() as stack:
            for entrant in self._entrants:
                self._load(entrant, first, stack)
            if self._options.rounds != 0:
                self._time(first)
            files = {name: stack.enter_context(self._folder.open_records(name)) for name in self._names()}
            for chunk in chain([first], chunks):
                self.pictures += chunk.infos
                for running in list(self._running):
                    self._detect(running, chunk, files[running.entrant.name], total)
        for running in self._running:
            self._folder.write_measured(replace(running.measured, status="finished"))

    def _names(self) -> list[str]:
        return [running.entrant.name for running in self._running]

    def _load(self, entrant: ModelEntrant, first: Chunk, stack: ExitStack) -> None:
        name = entrant.name
        self._events.advance("load", name, 0, 1)
        earlier = self._folder.read_measured(name)
        try:
            child, notes = self._open(entrant, first.pixels.path)
        except DetectattnError as error:
            if entrant.variant:
                raise _refuse(entrant, error) from error
            self._fail(_begin(entrant), error)
            return
        stack.callback(child.close)
        self._options.check_classes(child.loaded.info)
        known = earlier is not None and earlier.timed is not None
        measured = earlier if earlier is not None and known else _describe(entrant, child, notes)
        self._running.append(_Running(entrant, child, measured, self._folder.find_done(name)))

    def _open(self, entrant: ModelEntrant, pixels: Path) -> tuple[Child, tuple[str, ...]]:
        """The model at the size of the study, or at its own where it can run at no other."""
        child = Child(_to_spec(entrant, entrant.options, pixels))
        own_hw = child.loaded.info.net_hw
        if not self._options.match_size or "imgsz" in entrant.variant:
            return child, ()
        if self.target_hw is None:
            self.target_hw = own_hw
        if own_hw == self.target_hw:
            return child, ()
        child.close()
        wanted, own = _text(self.target_hw), _text(own_hw)
        try:
            matched = Child(_to_spec(entrant, replace(entrant.options, imgsz_hw=self.target_hw), pixels))
        except DetectattnError as error:
            again = Child(_to_spec(entrant, entrant.options, pixels))
            return again, (f"it cannot run at {wanted} ({error.problem}), so it runs at its own {own}",)
        return matched, (f"it runs at {wanted}, as the first model does; its own size is {own}",)

    def _time(self, first: Chunk) -> None:
        """Time those that were not timed yet, in interleaved rounds."""
        todo = {r.entrant.name: r for r in self._running if r.measured.timed is None}
        if not todo:
            return
        plan = plan_rounds(len(first.infos), rounds=self._options.rounds)
        before = read_machine_state()
        samples, failed = measure_speed(
            [running.child for running in todo.values()],
            plan,
            lambda name, done, turns: self._events.advance("time", name, done, turns),
        )
        after = read_machine_state()
        for name, error in failed.items():
            self._fail(todo[name].measured, error)
        for name, taken in samples.items():
            decode_ms = tuple(first.infos[index].decode_ms for index in plan.pictures)
            timed = _to_timed(tuple(samples), taken, decode_ms, before, after)
            todo[name].measured = replace(todo[name].measured, timed=timed)
            self._folder.write_measured(todo[name].measured)

    def _detect(self, running: _Running, chunk: Chunk, records: LineFile, total: int | None) -> None:
        """Detect on the pictures of a chunk that the model has no record of."""
        name = running.entrant.name
        todo = [i for i, info in enumerate(chunk.infos) if (info.source, info.index) not in running.done]
        before = len(self.pictures) - len(chunk.infos)
        for start in range(0, len(todo), _AT_ONCE):
            indices = tuple(todo[start : start + _AT_ONCE])
            request = msg.Detect(indices, ACCURACY_CONF, ACCURACY_IOU, ACCURACY_MAX_DET, chunk.pixels.path)
            try:
                reply = running.child.ask(request, msg.Detected)
            except DetectattnError as error:
                self._fail(running.measured, error)
                return
            infos = [chunk.infos[index] for index in indices]
            predictions = _to_predictions(infos, reply, running.measured)
            records.append("".join(map(record_line, predictions)))
            self._events.advance("detect", name, before + indices[-1] + 1, total)

    def _fail(self, measured: Measured, error: DetectattnError) -> None:
        """Note that a model failed; the others go on."""
        self._running = [r for r in self._running if r.entrant.name != measured.name]
        self._folder.write_measured(replace(measured, status="failed", error=str(error)))
        self._events.warn(f"{measured.name} failed, the others go on: {error}")


def _to_spec(entrant: ModelEntrant, options: EngineOptions, pixels: Path) -> msg.WorkerSpec:
    return msg.WorkerSpec(entrant.name, entrant.weights, options, entrant.engine, pixels)


def _refuse(entrant: ModelEntrant, error: DetectattnError) -> ConfigError:
    values = " ".join(f"{axis}={value}" for axis, value in entrant.variant.items())
    return ConfigError(f"--sweep {values} is impossible for {entrant.base}: {error.problem}", hint=error.hint)


def _begin(entrant: ModelEntrant) -> Measured:
    return Measured(
        name=entrant.name,
        kind="model",
        base=entrant.base,
        variant=entrant.variant,
        status="timed",
        file=str(entrant.weights.path),
        sha256=entrant.weights.sha256,
    )


def _describe(entrant: ModelEntrant, child: Child, notes: tuple[str, ...]) -> Measured:
    loaded = child.loaded
    published = find_model(entrant.weights.path.stem)
    known = published is not None and entrant.weights.origin not in ("local", "embedded")
    return replace(
        _begin(entrant),
        class_names=loaded.info.class_names,
        info=loaded.info,
        load_s=loaded.load_s,
        params_m=loaded.params_m,
        gflops=loaded.gflops,
        weights_mb=loaded.weights_mb,
        net_pixels=sum(loaded.net_pixels) / len(loaded.net_pixels),
        published=published.name if published is not None and known else None,
        max_det=loaded.max_det,
        notes=notes,
    )


def _to_timed(
    together: tuple[str, ...],
    samples: SpeedSamples,
    decode_ms: tuple[float, ...],
    before: MachineState,
    after: MachineState,
) -> Timed:
    return Timed(
        together=together,
        warm_up=samples.warm_up,
        decode_ms=decode_ms,
        rounds=samples.rounds,
        sittings=samples.sittings,
        images_per_s=samples.images_per_s,
        memory=samples.memory,
        energy_j=compute_joules_per_image(samples.rounds),
        meter=samples.meter,
        before=before,
        after=after,
    )


def _to_predictions(infos: Sequence[PictureInfo], reply: msg.Detected, measured: Measured) -> list[Prediction]:
    times = zip(reply.times.preprocess_ms, reply.times.forward_ms, reply.times.postprocess_ms, strict=True)
    return [
        Prediction(
            source=info.source,
            index=info.index,
            size_hw=info.size_hw,
            detections=found,
            model=measured.name,
            class_names=measured.class_names,
            timing=StageTiming(info.decode_ms, *stages),
            timestamp_s=info.timestamp_s,
            warnings=info.warnings,
        )
        for info, found, stages in zip(infos, reply.detections, times, strict=True)
    ]


def _text(size_hw: tuple[int, int]) -> str:
    return f"{size_hw[0]}×{size_hw[1]}"
