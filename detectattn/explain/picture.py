"""One picture explained by one model: what it finds, where each detection comes from, and how true that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from detectattn.attention.capture import CapturedPicture, capture
from detectattn.attention.faithfulness import Target, compute_curve, prepare_target, score_map
from detectattn.attention.maps import METHODS, build_map
from detectattn.attention.maps.base import Choice, Evidence
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.explain.choice import choose_methods, fit_choice
from detectattn.explain.gradients import find_gradients
from detectattn.results.attention import DetectionMap
from detectattn.results.faithfulness import MapScore
from detectattn.types import U8, Detections

LOWEST_CONF = 0.001
"""Where nothing passes the threshold, the best detections above this are explained instead."""
_FALLBACK = 3

OnStep = Callable[[str, int, int], None]
"""Told how far a picture is: ``maps`` or ``scores``, how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What is explained, and how.

    Attributes:
        thresholds: Which detections count.
        methods: Keys of :data:`~detectattn.attention.maps.METHODS`; those that do not fit a model are left out. Empty
            for all that do not need gradients as far as the picture.
        choice: Head, layer and seed; what a map has no choice of is left to its default.
        score: Whether deletion and insertion are computed, which takes some twenty passes a map.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    methods: tuple[str, ...] = ()
    choice: Choice = field(default_factory=Choice)
    score: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedPicture:
    """A picture and one model.

    Attributes:
        captured: The pass that everything comes from; its detections are those that are explained.
        evidence: What the maps were made from.
        below: Whether no detection passed the threshold, so that these are the best ones below it.
        maps: By method, one map a detection, in their order.
        scores: The same, what each map is worth.
        milliseconds: The same, what it took to make.
        untold: Rows of detections that deletion and insertion can say nothing about: they survive a picture that is
            hidden altogether, or are lost when the picture is brought to the size of the maps.
        shared_s: Seconds that all maps share: the pass and its gradients.
    """

    captured: CapturedPicture
    evidence: Evidence
    below: bool
    maps: Mapping[str, tuple[DetectionMap, ...]]
    scores: Mapping[str, tuple[MapScore, ...]]
    milliseconds: Mapping[str, tuple[float, ...]]
    untold: tuple[int, ...]
    shared_s: float

    @property
    def detections(self) -> Detections:
        """Those that are explained, best first."""
        return self.captured.detections


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a model finds in a picture, with its attention, before anything is explained.

    Attributes:
        captured: The pass.
        below: Whether no detection passed the threshold, so that these are the best ones below it.
        seconds: What the pass took.
    """

    captured: CapturedPicture
    below: bool
    seconds: float


def look_at(detector: Detector, bgr: U8, options: ExplainOptions) -> Look:
    """One pass over a picture; where nothing passes the threshold, the best three below it are kept.

    Args:
        detector: Opened with PyTorch, in single precision.
        bgr: u8[H, W, 3], the upright picture.
        options: Which detections count.

    Raises:
        EngineError: The engine does not show its attention, or the attention does not explain the module's output.
        OutOfMemory: The memory does not suffice; the hint names a size that fits.
    """
    began = time.perf_counter()
    captured = capture(detector, bgr, options.thresholds)
    below = not len(captured.detections)
    if below:
        lower = replace(options.thresholds, conf=min(LOWEST_CONF, options.thresholds.conf))
        found = detector.decode(tuple(raw[None] for raw in captured.outputs), (captured.resize,), lower)[0]
        captured = replace(captured, detections=found).keep_best(_FALLBACK)
    return Look(captured, below, time.perf_counter() - began)


def explain_look(
    detector: Detector,
    bgr: U8,
    look: Look,
    rows: Sequence[int],
    options: ExplainOptions,
    on_step: OnStep = lambda *_: None,
) -> ExplainedPicture:
    """Explain some of what a model found in a picture.

    Args:
        detector: The same.
        bgr: The same.
        look: What it found.
        rows: Which of its detections, by place.
        options: What is explained, and how.
        on_step: Told how it goes.

    Raises:
        ConfigError: A method does not exist.
        OutOfMemory: The memory does not suffice for gradients; the hint names a size that fits.
    """
    began = time.perf_counter()
    chosen = look.captured.detections.take(np.asarray(rows, np.intp))
    captured = replace(look.captured, detections=chosen)
    methods = choose_methods(captured.sites, options.methods)
    needs = {METHODS[name].needs for name in methods}
    gradients = None
    if len(chosen) and needs & {"head_gradient", "pixel_gradient"}:
        gradients = find_gradients(detector, bgr, chosen, levels=captured.levels, pixels="pixel_gradient" in needs)
    evidence = Evidence(chosen, captured.record, captured.resize, gradients)
    shared_s = look.seconds + time.perf_counter() - began
    choices = {method: fit_choice(method, captured.sites, options.choice) for method in methods}
    maps, milliseconds = _build_maps(evidence, choices, on_step)
    targets = _prepare_targets(detector, bgr, evidence) if options.score else {}
    scores = _score_maps(detector, evidence, maps, targets, on_step)
    untold = tuple(row for row in range(len(chosen)) if options.score and row not in targets)
    return ExplainedPicture(captured, evidence, look.below, maps, scores, milliseconds, untold, shared_s)


def _build_maps(
    evidence: Evidence, choices: Mapping[str, Choice], on_step: OnStep
) -> tuple[dict[str, tuple[DetectionMap, ...]], dict[str, tuple[float, ...]]]:
    maps: dict[str, tuple[DetectionMap, ...]] = {}
    milliseconds: dict[str, tuple[float, ...]] = {}
    rows = range(len(evidence.detections))
    for done, (method, choice) in enumerate(choices.items()):
        on_step("maps", done, len(choices))
        found, took = [], []
        for row in rows:
            began = time.perf_counter()
            found.append(build_map(method, evidence, row, choice))
            took.append((time.perf_counter() - began) * 1e3)
        maps[method], milliseconds[method] = tuple(found), tuple(took)
    on_step("maps", len(choices), len(choices))
    return maps, milliseconds


def _prepare_targets(detector: Detector, bgr: U8, evidence: Evidence) -> dict[int, Target]:
    """By row, the detections that deletion and insertion can tell something about."""
    found = {}
    for row in range(len(evidence.detections)):
        target = prepare_target(bgr, evidence.detections, row, evidence.frame.size_hw, _detecting(detector))
        if target is not None and target.tells:
            found[row] = target
    return found


def _score_maps(
    detector: Detector,
    evidence: Evidence,
    maps: Mapping[str, Sequence[DetectionMap]],
    targets: Mapping[int, Target],
    on_step: OnStep,
) -> dict[str, tuple[MapScore, ...]]:
    height, width = evidence.frame.size_hw
    image_h, image_w = evidence.resize.image_hw
    boxes = evidence.detections.xyxy * np.array([width / image_w, height / image_h] * 2, np.float32)
    scores: dict[str, tuple[MapScore, ...]] = {}
    total, done = len(maps) * len(targets), 0
    for method, found in maps.items():
        rows = []
        for row, shown in enumerate(found):
            curve = None
            if row in targets:
                # Told before every pass: whoever wants to stop need not wait for the twenty of a map.
                tell = partial(on_step, "scores", done, total)
                curve = compute_curve(shown.values, targets[row], _detecting(detector, tell))
                done += 1
            rows.append(score_map(method, shown.values, boxes[row], curve))
        scores[method] = tuple(rows)
    if total:
        on_step("scores", total, total)
    return scores


def _detecting(
    detector: Detector, before_each: Callable[[], None] = lambda: None
) -> Callable[[Sequence[U8]], list[Detections]]:
    """The detector as the scores ask it: down to low scores, one picture at a time, so that batches change nothing."""
    keep = Thresholds(LOWEST_CONF)

    def detect(pictures: Sequence[U8]) -> list[Detections]:
        found = []
        for bgr in pictures:
            before_each()
            planes, resize = detector.fit(bgr)
            found += detector.decode(detector.engine.infer(planes[None]), (resize,), keep)
        return found

    return detect
