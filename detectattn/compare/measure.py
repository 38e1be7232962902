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
from detectattn.compare.conversions import Prepare, leave_as_is
from detectattn.compare.describe import begin, describe, to_predictions, to_spec, to_timed
from detectattn.compare.elsewhere import OpenElsewhere, Seen
from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.frames import Chunk, PictureInfo
from detectattn.compare.measured import Measured
from detectattn.compare.noise import read_machine_state
from detectattn.compare.rules import ACCURACY_CONF, ACCURACY_IOU, ACCURACY_MAX_DET
from detectattn.compare.speed import measure_speed, plan_rounds
from detectattn.compare.study_folder import StudyFolder
from detectattn.errors import (
    BadImageSize,
    ClusterError,
    ConfigError,
    DetectattnError,
    EngineError,
    FetchError,
    OutputError,
)
from detectattn.records import record_line
from detectattn.sinks.lines import LineFile
from detectattn.types import FrameFailure, ModelInfo

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
        prepare: Makes a model ready to be loaded: converts it, where it is to run converted.
        elsewhere: Where detections are made; None for the processes that models are timed in.
    """

    rounds: int | None
    match_size: bool
    check_classes: Callable[[ModelInfo], None]
    prepare: Prepare = leave_as_is
    elsewhere: OpenElsewhere | None = None


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

    Attributes:
        pictures: Those that took part, once it has run.
        failures: What could not be read elsewhere.
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
        self.failures: list[FrameFailure] = []

    def run(self, chunks: Iterator[Chunk], total: int | None) -> None:
        """Measure; what a model measured is on disk as soon as it is known.

        Args:
            chunks: The pictures.
            total: How many there are, where that is known.

        Raises:
            ConfigError: A variant cannot be run: its value is impossible; or no model can be converted.
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
            if self._options.elsewhere is not None:
                self._detect_elsewhere(self._options.elsewhere)
                next(chunks, None)  # a chunk is done with when the next one is asked for
            else:
                self._detect_here(chain([first], chunks), total)
        for running in self._running:
            self._folder.write_measured(replace(running.measured, status="finished"))

    def _load(self, entrant: ModelEntrant, first: Chunk, stack: ExitStack) -> None:
        ready = self._prepare(entrant)
        if ready is None:
            return
        name = ready.name
        self._events.advance("load", name, 0, 1)
        try:
            child, notes = self._open(ready, first.pixels.path)
        except DetectattnError as error:
            if ready.variant:
                raise _refuse(ready, error) from error
            self._fail(begin(ready), error)
            return
        stack.callback(child.close)
        self._options.check_classes(child.loaded.info)
        earlier = self._find_earlier(ready)
        measured = describe(ready, child, notes) if earlier is None else earlier
        self._running.append(_Running(ready, child, measured, self._folder.find_done(name)))

    def _prepare(self, entrant: ModelEntrant) -> ModelEntrant | None:
        """The model as it is to be loaded; None where it could not be made so, which is noted."""
        match = self._options.match_size and "imgsz" not in entrant.variant
        try:
            try:
                return self._options.prepare(entrant, self.target_hw if match else None)
            except BadImageSize:
                if not match or self.target_hw is None:
                    raise
                return self._options.prepare(entrant, None)
        except DetectattnError as error:
            if entrant.variant and isinstance(error, ConfigError | BadImageSize):
                raise _refuse(entrant, error) from error
            if isinstance(error, ConfigError):
                raise
            self._fail(begin(entrant), error)
            return None

    def _find_earlier(self, entrant: ModelEntrant) -> Measured | None:
        """What an earlier sitting measured of this very model; what it has of another conversion goes."""
        earlier = self._folder.read_measured(entrant.name)
        if earlier is None or earlier.timed is None:
            return None
        made = None if entrant.runs is None else entrant.runs.record.files
        if made == (None if earlier.conversion is None else earlier.conversion.files):
            return earlier
        self._events.warn(f"{entrant.name} was converted anew since it was timed, so it is measured anew")
        self._folder.forget(entrant.name)
        return None

    def _open(self, entrant: ModelEntrant, pixels: Path) -> tuple[Child, tuple[str, ...]]:
        """The model at the size of the study, or at its own where it can run at no other."""
        child = Child(to_spec(entrant, entrant.options, pixels))
        found_hw = child.loaded.info.net_hw
        if not self._options.match_size or "imgsz" in entrant.variant:
            return child, ()
        if self.target_hw is None:
            self.target_hw = found_hw
        own_hw = found_hw if entrant.runs is None else entrant.runs.record.own_hw
        wanted, own = _text(self.target_hw), _text(own_hw)
        matched = f"it runs at {wanted}, as the first model does; its own size is {own}"
        if found_hw == self.target_hw:
            return child, () if own_hw == found_hw else (matched,)
        child.close()
        try:
            again = Child(to_spec(entrant, replace(entrant.options, imgsz_hw=self.target_hw), pixels))
        except DetectattnError as error:
            again = Child(to_spec(entrant, entrant.options, pixels))
            return again, (f"it cannot run at {wanted} ({error.problem}), so it runs at its own {own}",)
        return again, (matched,)

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
            timed = to_timed(tuple(samples), taken, decode_ms, before, after)
            todo[name].measured = replace(todo[name].measured, timed=timed)
            self._folder.write_measured(todo[name].measured)

    def _detect_here(self, chunks: Iterator[Chunk], total: int | None) -> None:
        with ExitStack() as stack:
            names = [running.entrant.name for running in self._running]
            files = {name: stack.enter_context(self._folder.open_records(name)) for name in names}
            for chunk in chunks:
                self.pictures += chunk.infos
                for running in list(self._running):
                    self._detect(running, chunk, files[running.entrant.name], total)

    def _detect_elsewhere(self, elsewhere: OpenElsewhere) -> None:
        """Detect with one model after another, none of which is loaded here any more."""
        for running in self._running:
            running.child.close()
        pictures, failures = self._folder.read_pictures()  # of models that an earlier sitting was through with
        self.pictures, self.failures = list(pictures), list(failures)
        with elsewhere() as detect:
            for running in list(self._running):
                try:
                    seen = detect(running.child.spec, running.measured)
                    self._require_same(seen)
                except (ClusterError, FetchError, OutputError):
                    raise  # not for the model's sake
                except DetectattnError as error:
                    self._fail(running.measured, error)
                    continue
                notes = (*(n for n in running.measured.notes if n != seen.note), seen.note)
                running.measured = replace(running.measured, notes=notes)
                self._folder.write_pictures(self.pictures, self.failures)
                self._folder.write_measured(replace(running.measured, status="finished"))

    def _require_same(self, seen: Seen) -> None:
        """Refuse a model that saw other pictures than those before it: one that died of some of them, say."""
        if not self.pictures:
            self.pictures, self.failures = list(seen.pictures), list(seen.failures)
            return
        keys = [(p.source, p.index) for p in self.pictures]
        if keys != [(p.source, p.index) for p in seen.pictures]:
            why = next((f": {f.message}" for f in seen.failures if f not in self.failures), "")
            raise EngineError(
                f"it detected on {len(seen.pictures):,} pictures, and the models before it on {len(keys):,}{why}",
                hint="Leave those pictures out, or give each replica more memory with a larger --replica-cpus",
            )

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
            predictions = to_predictions(infos, reply, running.measured)
            records.append("".join(map(record_line, predictions)))
            self._events.advance("detect", name, before + indices[-1] + 1, total)

    def _fail(self, measured: Measured, error: DetectattnError) -> None:
        """Note that a model failed; the others go on."""
        self._running = [r for r in self._running if r.entrant.name != measured.name]
        self._folder.write_measured(replace(measured, status="failed", error=str(error)))
        self._events.warn(f"{measured.name} failed, the others go on: {error}")


def _refuse(entrant: ModelEntrant, error: DetectattnError) -> ConfigError:
    values = " ".join(f"{axis}={value}" for axis, value in entrant.variant.items())
    return ConfigError(f"--sweep {values} is impossible for {entrant.base}: {error.problem}", hint=error.hint)


def _text(size_hw: tuple[int, int]) -> str:
    return f"{size_hw[0]}×{size_hw[1]}"
