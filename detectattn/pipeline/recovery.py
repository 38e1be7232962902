"""What a run may do about an engine that fails it, and what it got over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

from detectattn.engines.detector import Detector
from detectattn.errors import DetectattnError, EngineError, OutOfMemory
from detectattn.pipeline.reading import ReadyFrame

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Recovery:
    """Something that a run got over, as ``run.json`` keeps it.

    Attributes:
        what: ``batch``: fewer pictures go through together. ``engine``: another engine took over.
        was: The batch or the engine before.
        now: The batch or the engine since then; of an engine with device and precision.
        after: Pictures that had gone through until then, in this sitting.
        reason: Why, in a clause.
    """

    what: Literal["batch", "engine"]
    was: str
    now: str
    after: int
    reason: str

    def describe(self) -> str:
        """One line for a person."""
        if self.what == "batch":
            return f"{self.reason}: from here on {self.now} at a time go through together"
        return f"{self.reason}. {self.now}, goes on in its place; last digits may differ from here on"


def _ignore(_: Recovery) -> None:
    return


@dataclass(frozen=True, slots=True)
class Rescue:
    """What a run may do about an engine that fails it.

    Attributes:
        open_fallback: Opens another engine for the same model, which takes the place of one that hangs; called once at
            most, from a thread of the run. None where there is no other.
        tell: Told of what the run got over, from a thread of the run.
        release: Given the engine that took over, once the run has ended; by default it is freed.
    """

    open_fallback: Callable[[], Detector] | None = None
    tell: Callable[[Recovery], None] = _ignore
    release: Callable[[Detector], None] = Detector.close


class KeptModel:
    """A model that one run after another uses: where its engine hangs, the one that took over is kept, once.

    Args:
        detector: The model.
        open_fallback: Opens another engine for it.
        tell: Told of what a run got over, from a thread of the run.

    Attributes:
        detector: The model on the engine that runs it from here on.
    """

    def __init__(
        self, detector: Detector, open_fallback: Callable[[Detector], Detector], tell: Callable[[Recovery], None]
    ) -> None:
        self.detector = detector
        self._open_fallback = open_fallback
        self._tell = tell
        self._replaced: list[Detector] = []

    def to_rescue(self) -> Rescue:
        """What the next run may do about the engine."""
        open_fallback = None if self._replaced else partial(self._open_fallback, self.detector)
        return Rescue(open_fallback, self._tell, self._keep)

    def close(self) -> None:
        """Free what the model holds."""
        for detector in (self.detector, *self._replaced):
            detector.close()

    def _keep(self, fallback: Detector) -> None:
        # Two runs at once may each have brought one: the earlier of them may still be at work.
        self._replaced.append(self.detector)
        self.detector = fallback


def describe_engine(detector: Detector) -> str:
    """``torch on cpu, fp32``."""
    info = detector.info
    return f"{info.engine} on {info.device}, {info.precision}"


def require_alike(fallback: Detector, detector: Detector) -> None:
    """Refuse a fallback that is not the same model, or would be shown something else.

    Raises:
        EngineError: Other classes, or another size or kind of input.
    """
    one, other = fallback.engine.spec, detector.engine.spec
    stretches = [spec.fit == "stretch" for spec in (one, other)]
    if (one.class_names, one.net_hw) != (other.class_names, other.net_hw) or stretches[0] != stretches[1]:
        raise EngineError(
            f"{describe_engine(fallback)} holds another model than {describe_engine(detector)}",
            hint="Give the run the model itself rather than an export",
        )


def name_sources(group: Sequence[ReadyFrame]) -> str:
    """The inputs of a group, for a message."""
    names = list(dict.fromkeys(ready.frame.source for ready in group))
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"


@contextmanager
def engine_errors(detector: Detector, group: Sequence[ReadyFrame]) -> Iterator[None]:
    """Turn whatever an engine raises within the block into an error that names the inputs.

    Raises:
        OutOfMemory: Memory ran out.
        EngineError: Anything else.
    """
    try:
        yield
    except DetectattnError:
        raise
    except MemoryError as error:
        raise OutOfMemory(
            f"there is too little memory for {name_sources(group)}", hint="Use a smaller --batch or --imgsz"
        ) from error
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__
        raise EngineError(
            f"{detector.info.name} broke on {name_sources(group)}: {reason} ({describe_engine(detector)})",
            hint="Try another --engine, or --batch 1",
        ) from error
