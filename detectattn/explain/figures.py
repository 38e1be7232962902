"""What the maps of a run are worth, kept picture by picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from detectattn.attention.maps import METHODS
from detectattn.attention.maps.base import Choice
from detectattn.explain.build import build_objects, collect_scores
from detectattn.explain.choice import choose_methods, title_of
from detectattn.explain.default_map import DefaultMap, choose_default
from detectattn.explain.frame import ExplainedFrame
from detectattn.explain.judge import DetectionScores, judge_methods
from detectattn.explain.models import OpenModel, describe_attention
from detectattn.explain.picture import ExplainOptions
from detectattn.report.explanation import ModelExplained, ObjectExplained, PictureExplained
from detectattn.results.explanation import MethodFigures
from detectattn.types import Frame

PAGE_PICTURES = 20
"""So many pictures of a run, the first, are shown on its page; of the others only figures are kept in memory."""


class Gathering:
    """Gathers what is explained of one picture after another; what is heavy is let go.

    Args:
        models: Of the run, in order.
        options: Of each.

    Attributes:
        pictures: So far, in order.
    """

    def __init__(self, models: Sequence[OpenModel], options: Sequence[ExplainOptions]) -> None:
        self._models = models
        self._options = options
        self._scores: dict[str, list[DetectionScores]] = {model.name: [] for model in models}
        self.pictures: list[PictureExplained] = []

    def add(
        self, frame: Frame, done: ExplainedFrame, sheet: str | None, arrays: Mapping[str, str], jpeg: bytes | None
    ) -> None:
        """Keep what reports show of a picture.

        Args:
            frame: The picture.
            done: What was explained.
            sheet: Path of its sheet in the run folder.
            arrays: Paths of its arrays there, by model.
            jpeg: The picture for the page.
        """
        for model, explained in zip(self._models, done.explained, strict=True):
            self._scores[model.name] += collect_scores((frame.source, frame.index), explained)
        shown = len(self.pictures) < PAGE_PICTURES
        objects = build_objects(done.objects, done.rows, done.explained)
        self.pictures.append(
            PictureExplained(
                source=frame.source,
                index=frame.index,
                size_hw=frame.size_hw,
                sheet=sheet,
                arrays=arrays,
                jpeg=jpeg if shown else None,
                objects=objects if shown else tuple(map(_lighten, objects)),
                below=tuple(m.name for m, e in zip(self._models, done.explained, strict=True) if e.below),
            )
        )

    def judge(self) -> tuple[ModelExplained, ...]:
        """What the maps of every model are worth so far, and which of them stands for it."""
        return tuple(map(self._judge, self._models, self._options))

    def _judge(self, model: OpenModel, options: ExplainOptions) -> ModelExplained:
        figures = judge_methods(self._scores[model.name], title_methods(model, options.choice))
        chosen = choose_map(model, options, figures)
        info = model.detector.info
        return ModelExplained(
            name=info.name,
            family=info.family,
            engine=info.engine,
            device=info.device,
            net_hw=info.net_hw,
            file=str(model.detector.weights.path),
            sha256=model.detector.weights.sha256,
            attention=describe_attention(model.sites),
            methods=figures,
            default_method=chosen.method,
            default_reason=chosen.reason,
        )


def choose_map(model: OpenModel, options: ExplainOptions, figures: Sequence[MethodFigures] = ()) -> DefaultMap:
    """The map that stands for a model, by its figures, where there are any yet."""
    return choose_default(figures, choose_methods(model.sites, options.methods), options.methods)


def title_methods(model: OpenModel, choice: Choice) -> Mapping[str, tuple[str, str]]:
    """Title and meaning of every method, as this model shows it."""
    return {name: (title_of(name, choice, model.sites), method.meaning) for name, method in METHODS.items()}


def _lighten(found: ObjectExplained) -> ObjectExplained:
    """The same without what only pages show."""
    return replace(
        found, found=tuple(None if d is None else replace(d, maps=(), points=None, heads=()) for d in found.found)
    )
