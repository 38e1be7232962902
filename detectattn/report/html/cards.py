"""The first screen: the verdict, a card a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from detectattn.report.cells import (
    FAMILY_NAMES,
    base_models,
    count,
    doubt_mark,
    figure,
    peak_mb,
    percent,
    share,
    size_wh,
)
from detectattn.report.content import Conversion, ModelReport, Report, Sentence
from detectattn.report.html.marks import Mark
from detectattn.report.html.parts import Part, find_intervals
from detectattn.report.html.view import Viewer

State = Literal["decided", "open", "doubted"]

_QUESTIONS = {
    "speed": "Speed",
    "accuracy": "Accuracy",
    "classes": "Classes",
    "agreement": "Agreement",
    "budget": "Budget",
    "errors": "Errors",
    "calibration": "Scores",
}
# What a decision is made of; the rest says why.
_LEADING = ("budget", "speed", "accuracy", "agreement")
_MOST_LEADING = 4
# Of a box's side: what the order of additions alone moves.
_ROUNDING = 1e-4
_BREAKS = (": ", ". ")
# A budget may be of memory, which a busy machine does not change: the sentence tells.
_DOUBT = "timings are not to be trusted"
_LABELS: Mapping[State, str] = {"decided": "decided", "open": "not decided", "doubted": "not trusted"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence of the verdict.

    Attributes:
        question: What it answers.
        state: ``decided``, ``open``, ``doubted`` where times are not to be trusted, or None where it is no question of
            more or less.
        head: The answer; a whole sentence.
        rest: Its figures, and what else there is to say.
    """

    question: str
    state: State | None
    head: tuple[Part, ...]
    rest: tuple[Part, ...]

    @property
    def label(self) -> str:
        """The state in words; empty without one."""
        return "" if self.state is None else _LABELS[self.state]


def find_verdict(view: Viewer) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The sentences that a decision is made of, and the others."""
    leading = [s for s in view.report.verdict if s.question in _LEADING][:_MOST_LEADING]
    others = [s for s in view.report.verdict if s not in leading]
    return tuple(_finding(s, view) for s in leading), tuple(_finding(s, view) for s in others)


def _finding(sentence: Sentence, view: Viewer) -> Finding:
    head, rest = split_answer(view.tell(sentence.text, sentence.models), _BREAKS)
    return Finding(
        _QUESTIONS.get(sentence.question, sentence.question),
        _find_state(sentence, view),
        find_intervals(head),
        find_intervals(rest),
    )


def _find_state(sentence: Sentence, view: Viewer) -> State | None:
    if sentence.decided is None:
        return None
    about = (model for model in view.report.models if model.name in sentence.models)
    if sentence.question == "speed" and any(m.speed is not None and not m.speed.noise.trusted for m in about):
        return "doubted"
    if sentence.question == "budget" and _DOUBT in sentence.text:
        return "doubted"
    return "decided" if sentence.decided else "open"


def split_answer(parts: Sequence[Part], breaks: Sequence[str]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The answer, and its figures as a sentence of their own; names of models may hold anything.

    Args:
        parts: Of a sentence.
        breaks: What an answer ends before, two characters each.
    """
    for place, part in enumerate(parts):
        at = min((found for mark in breaks if (found := part.text.find(mark)) >= 0), default=-1)
        if part.kind == "text" and at >= 0:
            head = (*parts[:place], replace(part, text=f"{part.text[:at]}."))
            rest = [replace(part, text=part.text[at + 2 :]), *parts[place + 1 :]]
            first = rest[0].text[:1].upper() + rest[0].text[1:]
            return head, tuple(p for p in (replace(rest[0], text=first), *rest[1:]) if p.text)
    return tuple(parts), ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as a length beside those of the other models; all are shares of the same length, in percent."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of a card.

    Attributes:
        label: What it is.
        value: With its unit.
        beside: Its interval, or what else belongs to it.
        doubt: Why it should not be trusted; empty where another fact of the card says so.
        bar: Its length; None where lengths say nothing.
    """

    label: str
    value: str
    beside: str
    doubt: str | None = None
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A model.

    Attributes:
        anchor: Its identifier on the page.
        name: In this study.
        mark: Before the name.
        kind: Family, engine, device, precision, input size.
        error: Why it failed; None where it did not.
        facts: Its figures, the most important first.
        variants: How many of its variants the frontier shows.
    """

    anchor: str
    name: str
    mark: Mark | None
    kind: str
    error: str | None
    facts: tuple[Fact, ...]
    variants: int


def make_cards(view: Viewer) -> tuple[Card, ...]:
    """A card a model, in the order that they were given."""
    bases = base_models(view.report)
    return tuple(_card(place, model, view) for place, model in enumerate(bases, start=1))


def _card(place: int, model: ModelReport, view: Viewer) -> Card:
    failed = model.status == "failed"
    return Card(
        anchor=f"model-{place}",
        name=model.name,
        mark=view.marks.get(model.name),
        kind=_tell_kind(model),
        error=(model.error or "it broke off") if failed else None,
        facts=() if failed else tuple(_iter_facts(model, view.report)),
        variants=_count_variants(model, view.report),
    )


def _count_variants(model: ModelReport, report: Report) -> int:
    points = () if report.frontier is None else report.frontier.points
    return sum(point.base == model.name and point.name != model.name for point in points)


def _tell_kind(model: ModelReport) -> str:
    if model.kind == "predictions":
        return "predictions made elsewhere"
    size = size_wh(model.net_hw) if model.net_hw else None
    known = (FAMILY_NAMES.get(model.family or ""), model.engine, model.device, model.precision, size)
    return " · ".join(part for part in known if part)


def _iter_facts(model: ModelReport, report: Report) -> Iterator[Fact]:
    yield from _times(model, report)
    if memory := peak_mb(model):
        where = "of its device" if _has_device(model) else "of its process"
        # A device and a process do not hold the same: their lengths would compare what cannot be compared.
        alike = len({_has_device(m) for m in base_models(report) if m.memory is not None}) == 1
        bar = _bar(memory, None, None, _known(peak_mb, report)) if alike else None
        yield Fact("Peak memory", f"{figure(memory)} MB", where, bar=bar)
    yield from _accuracy(model, report)
    yield from _size(model)
    if model.conversion is not None:
        yield _tell_conversion(model.conversion)
    if model.energy is not None:
        energy = model.energy
        yield Fact("Energy", f"{figure(energy.joules_per_image)} J", f"an image ({energy.meter})")
    yield Fact("Operating point", f"score {share(model.conf)}", f"{count(model.detections)} found; {model.conf_reason}")


def _has_device(model: ModelReport) -> bool:
    return model.memory is not None and bool(model.memory.peak_device_mb)


def _times(model: ModelReport, report: Report) -> Iterator[Fact]:
    speed = model.speed
    if speed is None:
        return
    doubt = None if speed.noise.trusted else "; ".join(speed.noise.reasons) or "its rounds differ too much"
    value, low, high = speed.figures.p50_ms, speed.p50_low_ms, speed.p50_high_ms
    known = low is not None and high is not None
    bar = _bar(value, low, high, _known(_slowest, report))
    interval = f"({figure(low)}–{figure(high)})" if known else ""
    yield Fact("Time an image", f"{figure(value)} ms{doubt_mark(speed)}", interval, doubt, bar)
    rate = f"{figure(speed.figures.images_per_s)} images/s{doubt_mark(speed)}"
    best = speed.figures
    more = f"{figure(best.best_images_per_s)} at batch {best.best_batch}" if best.best_batch > 1 else ""
    yield Fact("Throughput", rate, more, None if doubt is None else "")


def _accuracy(model: ModelReport, report: Report) -> Iterator[Fact]:
    judged = model.judgement
    if judged is None or judged.accuracy.ap50_95 is None:
        return
    value, low, high = judged.accuracy.ap50_95, judged.ap50_95_low, judged.ap50_95_high
    known = low is not None and high is not None
    bar = _bar(value, low, high, _known(_most_accurate, report))
    yield Fact("AP", share(value), f"({share(low)}–{share(high)})" if known else "", bar=bar)


def _size(model: ModelReport) -> Iterator[Fact]:
    size = model.size
    if size is None:
        return
    parameters = None if size.params_m is None else f"{figure(size.params_m)} M parameters"
    if size.gflops is not None:
        yield Fact("Size", f"{figure(size.gflops)} GFLOPs", parameters or "")
    elif parameters:
        yield Fact("Size", parameters, "")
    else:
        yield Fact("Size", f"{figure(size.weights_mb)} MB", "of weights")


def _tell_conversion(made: Conversion) -> Fact:
    """How far what ran is from the model in PyTorch."""
    label = "Beside PyTorch"
    if made.box_share_p50 is None:
        return Fact(label, f"{percent(made.raw_box_error)} off", "of raw boxes: too few detections to compare")
    median, most = (
        percent(share) if share is None or share > _ROUNDING else f"under {percent(_ROUNDING)}"
        for share in (made.box_share_p50, made.box_share_p99)
    )
    drifts = f"boxes moved by {median} of a side, 99 of 100 by {most}"
    return Fact(label, f"{percent(made.matched_share)} found by both", drifts)


def _slowest(model: ModelReport) -> float | None:
    return None if model.speed is None else model.speed.p50_high_ms or model.speed.figures.p50_ms


def _most_accurate(model: ModelReport) -> float | None:
    return None if model.judgement is None else model.judgement.ap50_95_high or model.judgement.accuracy.ap50_95


def _known(of: Callable[[ModelReport], float | None], report: Report) -> Sequence[float]:
    return [value for model in base_models(report) if (value := of(model)) is not None]


def _bar(value: float, low: float | None, high: float | None, known: Iterable[float]) -> Bar | None:
    """Lengths beside the longest; None for a single model, which has nothing to be longer than."""
    lengths = list(known)
    longest = max([*lengths, value, high or 0.0])
    if len(lengths) < 2 or not 0 < longest < float("inf"):
        return None
    ends = (None if end is None else round(100 * max(0.0, end) / longest, 2) for end in (low, high))
    return Bar(round(100 * value / longest, 2), *ends)
