"""Grouping by shape loses nothing, starves nothing, and order comes back."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectattn.engines.preprocess import plan_resize
from detectattn.pipeline.batching import Batcher, Reorder
from detectattn.pipeline.reading import ReadyFrame
from detectattn.types import Frame, Media

SHAPES = [(32, 64), (64, 32), (64, 64), (32, 32)]


def ready(order: int, shape: tuple[int, int]) -> ReadyFrame:
    media = Media(str(order), "image", order, PurePosixPath(f"{order}.jpg"))
    frame = Frame(media, 0, np.zeros((*shape, 3), np.uint8))
    resize = plan_resize(shape, shape, "stretch")
    return ReadyFrame(order, frame, np.zeros((3, *shape), np.float32), resize, 0.0, 0.0)


@given(st.lists(st.sampled_from(SHAPES), max_size=60), st.integers(1, 8), st.integers(1, 40))
def test_batches_partition_the_input(shapes: list[tuple[int, int]], size: int, window: int) -> None:
    batcher = Batcher(size, window)
    waiting, groups = 0, []
    for order, shape in enumerate(shapes):
        made = list(batcher.add(ready(order, shape)))
        waiting += 1 - sum(map(len, made))
        assert waiting < max(window, 1) + size
        groups += made
    groups += batcher.flush()
    assert all(len({r.resize.net_hw for r in group}) == 1 and 0 < len(group) <= size for group in groups)
    assert sorted(r.order for group in groups for r in group) == list(range(len(shapes)))


@given(st.lists(st.sampled_from(SHAPES), max_size=60), st.integers(1, 8), st.integers(1, 40))
def test_no_frame_waits_for_many_later_ones(shapes: list[tuple[int, int]], size: int, window: int) -> None:
    """Also one whose shape is rare, while batches of a common shape pass it by."""
    batcher = Batcher(size, window)
    for order, shape in enumerate(shapes):
        for group in batcher.add(ready(order, shape)):
            assert all(order - frame.order < window for frame in group)
    assert all(len(shapes) - 1 - frame.order < window - 1 for group in batcher.flush() for frame in group)


def test_a_frame_waits_for_what_cannot_be_read_as_for_others() -> None:
    """Or failures of the inputs after it, however many, would be met before it is done."""
    batcher = Batcher(4, window=6)
    assert [*batcher.add(ready(0, (32, 64))), *batcher.add(ready(1, (32, 64)))] == []
    assert [group for order in (2, 3, 4) for group in batcher.skip(order)] == []
    assert [[frame.order for frame in group] for group in batcher.skip(5)] == [[0, 1]]


@given(st.permutations(range(20)))
def test_reorder_gives_back_the_order(orders: list[int]) -> None:
    reorder: Reorder[int] = Reorder()
    assert [item for order in orders for item in reorder.add(order, order)] == list(range(20))
