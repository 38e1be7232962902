"""Which of the user's pictures INT8 is calibrated on, and which a converted model is judged on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from detectattn.engines.base import ModelSpec
from detectattn.engines.preprocess import fit_image, plan_resize
from detectattn.types import F32, U8

CALIBRATION_PICTURES = 32
"""For the range of every activation; with the embedded YOLO, six gave figures like those of 24."""
GATE_PICTURES = 32

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PictureChoice(Generic[Item]):
    """Pictures for two purposes.

    Attributes:
        calibration: Pictures to measure ranges on.
        gate: Pictures to judge the converted model on.
        apart: Whether no picture serves both, so that the judgement is of pictures that calibration did not see.
    """

    calibration: tuple[Item, ...]
    gate: tuple[Item, ...]
    apart: bool


def spread_evenly(items: Sequence[Item], wanted: int) -> tuple[Item, ...]:
    """Up to ``wanted`` items at even distances, the first among them, in order: always the same of the same."""
    count = min(wanted, len(items))
    return tuple(items[number * len(items) // count] for number in range(count))


def choose_pictures(
    items: Sequence[Item], calibration: int = CALIBRATION_PICTURES, gate: int = GATE_PICTURES
) -> PictureChoice[Item]:
    """Choose among what there is, files of a folder or frames of a video: evenly, so that each part of it has a share.

    With enough items for both purposes none serves both; with fewer, both take what there is.

    Args:
        items: In a fixed order.
        calibration: How many at most to calibrate on.
        gate: How many at most to judge on.
    """
    if len(items) < calibration + gate:
        return PictureChoice(spread_evenly(items, calibration), spread_evenly(items, gate), apart=False)
    both = spread_evenly(range(len(items)), calibration + gate)
    # Dealt out in turns, by the share of each, so that both are spread over the whole.
    judged = set(spread_evenly(range(len(both)), gate))
    return PictureChoice(
        tuple(items[row] for place, row in enumerate(both) if place not in judged),
        tuple(items[row] for place, row in enumerate(both) if place in judged),
        apart=True,
    )


def iter_inputs(spec: ModelSpec, pictures: Iterable[U8], *, rectangles: bool) -> Iterator[F32]:
    """Pictures as the quantised model will be shown them: f32[1, 3, h, w] each.

    Args:
        spec: Of the model.
        pictures: u8[H, W, 3], BGR, upright.
        rectangles: Whether a model that takes each picture's own rectangle will; else it is shown the full input.
    """
    fit = "letterbox" if spec.fit == "letterbox_rect" and not rectangles else spec.fit
    for bgr in pictures:
        resize = plan_resize((bgr.shape[0], bgr.shape[1]), spec.net_hw, fit, spec.stride, few_shapes=True)
        yield fit_image(bgr, resize)[None]
