"""What every map method is: a function from the evidence of one picture to where one detection comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from detectattn.attention.project import MapFrame, plan_maps
from detectattn.results.attention import AttentionRecord
from detectattn.types import F32, Detections, Resize

Need = Literal["box", "grid", "cross", "head_gradient", "pixel_gradient"]
"""The detection's box alone; self-attention over a feature map; deformable cross-attention; gradients as far as what
the head gets, or as far as the picture."""

Select = Literal["layer", "head"]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureGradient:
    """A feature map, and how each detection's score depends on it.

    Attributes:
        activation: f32[channels, h, w], of cells that cover the network's input.
        gradient: f32[detections, channels, h, w], of each detection's class logit with respect to ``activation``.
    """

    activation: F32
    gradient: F32

    def __post_init__(self) -> None:
        if self.gradient.shape[1:] != self.activation.shape:
            raise ValueError(f"gradients {self.gradient.shape} must be those of activations {self.activation.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class GradientRecord:
    """How the class logit of each detection of a picture depends on what the network computed on the way.

    Attributes:
        head: The feature maps that the head gets, finest first, each taken on its own: what a fine one passes on to
            the coarser ones on their way to the head is not counted again.
        pixels: The network's input itself, RGB from 0 to 1; None where that was not asked for.
    """

    head: tuple[FeatureGradient, ...]
    pixels: FeatureGradient | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the maps of one picture are made from.

    Attributes:
        detections: Whose maps are wanted; every row knows its query.
        record: The model's attention in this picture; empty for a model without any.
        resize: How the picture was fitted into the network's input.
        gradients: Of these detections, in their order; None where they were not computed.
        frame: Of the maps.
    """

    detections: Detections
    record: AttentionRecord
    resize: Resize
    gradients: GradientRecord | None = None
    frame: MapFrame = field(init=False)

    def __post_init__(self) -> None:
        if self.detections.query_id is None:
            raise ValueError("every detection must know the query or anchor that it comes from")
        attends = self.record.self_attention or self.record.cross_attention
        if attends and self.record.net_hw != self.resize.net_hw:
            raise ValueError(f"attention of {self.record.net_hw} must be that of an input of {self.resize.net_hw}")
        if self.gradients is not None and any(len(f.gradient) != len(self.detections) for f in self.gradients.head):
            raise ValueError(f"gradients must be those of the {len(self.detections)} detections")
        object.__setattr__(self, "frame", plan_maps(self.resize))

    def query_of(self, detection: int) -> int:
        """The raw row behind a detection."""
        assert self.detections.query_id is not None
        return int(self.detections.query_id[detection])


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a model a map shows, where there is a choice.

    Attributes:
        head: Only this attention head; None for the mean of all.
        layer: This one instead of the last: the number of a decoder layer, or the place of a self-attention block
            among those of feature maps, in the order of the forward pass.
        seed: Of the random map.
    """

    head: int | None = None
    layer: int | None = None
    seed: int = 0


class MapBuilder(Protocol):
    """How a method is called."""

    def __call__(self, evidence: Evidence, detection: int, choice: Choice) -> F32:
        """Where one detection comes from.

        Args:
            evidence: Of the picture.
            detection: Row of ``evidence.detections``.
            choice: Head, layer, seed.

        Returns:
            f32[h, w] in the frame of the picture's maps; negative values count as nothing.

        Raises:
            ConfigError: The model has no such head or layer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Method:
    """What is known of a method before it is run.

    Attributes:
        title: Its name in captions.
        meaning: What a bright spot says, in one line.
        needs: What a model must have for it.
        target: Its builder, ``module:function``, imported when it is needed.
        selects: What of a :class:`Choice` it heeds.
    """

    title: str
    meaning: str
    needs: Need
    target: str
    selects: tuple[Select, ...] = ()
