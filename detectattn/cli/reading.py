"""From the options of a run to how its inputs are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from detectattn.config import CompareConfig, ExplainConfig, PredictConfig
from detectattn.sinks import READ_PIXELS
from detectattn.sources.base import Isolation, ReadOptions


def read_options(
    config: PredictConfig | ExplainConfig | CompareConfig,
    temp_dir: Path | None = None,
    isolation: Isolation | None = None,
) -> ReadOptions:
    """How inputs are read, whichever model they are for.

    Args:
        config: The options that apply.
        temp_dir: As in :class:`~detectattn.sources.base.ReadOptions`.
        isolation: Likewise.
    """
    return ReadOptions(
        allow_truncated=config.allow_truncated,
        vid_stride=config.vid_stride,
        offline=config.offline,
        temp_dir=temp_dir,
        isolation=isolation,
    )


def reduce_pictures(read: ReadOptions, config: PredictConfig, net_hw: tuple[int, int]) -> ReadOptions:
    """How pictures are decoded for one model. What it is shown does not depend on what is written.

    Args:
        read: How inputs are read.
        config: The options that apply.
        net_hw: Height and width of the network's input.
    """
    if config.decode == "full":
        return read
    in_full = config.images or config.show or not READ_PIXELS.isdisjoint(config.save)
    return replace(read, at_least_hw=net_hw, in_full=in_full)
