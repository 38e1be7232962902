"""What lies at a place of the network's input comes to lie at its place in the picture: stretched or letterboxed."""

from __future__ import annotations

import numpy as np
import pytest

from detectattn.attention.project import (
    blur,
    cells_in_box,
    frame_of_grid,
    plan_maps,
    points_to_image,
    project_grid,
    splat_points,
    to_shares,
)
from detectattn.engines.preprocess import fit_image, plan_resize
from detectattn.types import F32, Resize

STRETCHED = plan_resize((540, 960), (640, 640), "stretch")
WIDE = plan_resize((540, 960), (640, 640), "letterbox_rect")
SQUARE = plan_resize((540, 960), (320, 320), "letterbox")
TALL = plan_resize((1000, 333), (320, 320), "letterbox")
TINY = plan_resize((45, 80), (320, 320), "letterbox")
RESIZES = [STRETCHED, WIDE, SQUARE, TALL, TINY]
NAMES = ["stretched", "wide", "square", "tall", "tiny"]


def centre_of(values: F32) -> tuple[float, float]:
    """Centre of mass, x and y, in map pixels."""
    rows, columns = np.indices(values.shape) + 0.5
    return float((values * columns).sum() / values.sum()), float((values * rows).sum() / values.sum())


def visible_cells(resize: Resize, grid_hw: tuple[int, int]) -> list[tuple[int, int]]:
    """Cells that lie in the picture together with their neighbours."""
    corners = resize.to_net(np.array([[0, 0, resize.image_hw[1], resize.image_hw[0]]], np.float32))[0]
    step_x, step_y = resize.net_hw[1] / grid_hw[1], resize.net_hw[0] / grid_hw[0]
    return [
        (row, column)
        for row in range(1, grid_hw[0] - 1)
        for column in range(1, grid_hw[1] - 1)
        if corners[0] <= (column - 1) * step_x and (column + 2) * step_x <= corners[2]
        if corners[1] <= (row - 1) * step_y and (row + 2) * step_y <= corners[3]
    ]


@pytest.mark.parametrize(
    ("resize", "size_hw"),
    [(STRETCHED, (360, 640)), (WIDE, (360, 640)), (SQUARE, (180, 320)), (TALL, (320, 107)), (TINY, (45, 80))],
    ids=NAMES,
)
def test_a_map_is_as_fine_as_what_the_network_saw(resize: Resize, size_hw: tuple[int, int]) -> None:
    assert plan_maps(resize).size_hw == size_hw


def test_a_map_of_a_large_input_is_no_longer_than_640() -> None:
    assert plan_maps(plan_resize((1080, 1920), (1280, 1280), "stretch")).size_hw == (360, 640)


@pytest.mark.parametrize("resize", RESIZES, ids=NAMES)
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_a_cell_lights_up_where_it_lies(resize: Resize, stride: int) -> None:
    frame = plan_maps(resize)
    grid_hw = (resize.net_hw[0] // stride, resize.net_hw[1] // stride)
    cells = visible_cells(resize, grid_hw)
    assert cells or stride == 32
    for row, column in cells[:: len(cells) // 8 + 1]:
        grid = np.zeros(grid_hw, np.float32)
        grid[row, column] = 1
        net_px = np.array([[column + 0.5, row + 0.5] * 2], np.float32) * stride
        x, y = resize.to_image(net_px)[0, :2] * np.array(frame.size_hw[::-1]) / np.array(resize.image_hw[::-1])
        found_x, found_y = centre_of(project_grid(grid, frame))
        # Half a cell is allowed; a map coarser than the grid can be off by half of its own pixels at most.
        assert abs(found_x - x) < max(0.1 * frame.cell_xy(grid_hw)[0], 0.5)
        assert abs(found_y - y) < max(0.1 * frame.cell_xy(grid_hw)[1], 0.5)


@pytest.mark.parametrize("resize", RESIZES, ids=NAMES)
def test_a_point_lands_on_its_pixel(resize: Resize) -> None:
    frame = plan_maps(resize)
    height, width = resize.image_hw
    for place in ((0.1, 0.2), (0.5, 0.5), (0.93, 0.71)):
        in_picture = np.array([[place[0] * width, place[1] * height]], np.float32)
        shares = resize.to_net(np.tile(in_picture, 2))[:, :2] / np.array(resize.net_hw[::-1], np.float32)
        values = splat_points(shares.astype(np.float32), np.ones(1, np.float32), frame)
        assert centre_of(values) == pytest.approx((place[0] * frame.size_hw[1], place[1] * frame.size_hw[0]), abs=0.01)
        np.testing.assert_allclose(points_to_image(shares, resize), in_picture, rtol=1e-4)


@pytest.mark.parametrize("resize", [STRETCHED, SQUARE], ids=["stretched", "square"])
def test_what_is_bright_in_the_picture_is_bright_in_the_map(resize: Resize) -> None:
    """The map of the network's own input is the picture, made smaller: nothing is shifted, padding is gone."""
    bgr = np.zeros((*resize.image_hw, 3), np.uint8)
    bgr[198:261, 600:699] = 255
    seen = fit_image(bgr, resize).mean(axis=0)
    values = project_grid(seen, plan_maps(resize))
    expected = np.array([649.5, 229.5]) * values.shape[1] / resize.image_hw[1]
    assert centre_of(values) == pytest.approx(tuple(expected), abs=0.1)
    assert values.max() == pytest.approx(1, abs=0.01)
    assert values[:3].max() < 0.01


def test_a_constant_stays_constant_up_to_the_edges() -> None:
    for resize in RESIZES:
        np.testing.assert_allclose(project_grid(np.full((10, 10), 3, np.float32), plan_maps(resize)), 3, rtol=1e-5)


def test_points_in_the_padding_and_beyond_are_lost() -> None:
    frame = plan_maps(SQUARE)
    shares = np.array([[0.5, 0.1], [0.5, 0.95], [1.2, 0.5], [-0.01, 0.5], [0.5, 0.5]], np.float32)
    assert splat_points(shares, np.arange(1, 6, dtype=np.float32), frame).sum() == pytest.approx(5)


def test_points_on_the_very_edge_stay() -> None:
    frame = frame_of_grid((4, 4), (32, 32))
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    values = splat_points(corners, np.ones(4, np.float32), frame)
    assert values[[0, 0, 3, 3], [0, 3, 0, 3]].tolist() == [1, 1, 1, 1]


def test_a_point_is_divided_as_bilinear_sampling_does() -> None:
    import torch

    frame = frame_of_grid((6, 8), (48, 64))
    generator = np.random.default_rng(3)
    shares = generator.uniform(0.1, 0.9, (5, 2)).astype(np.float32)
    feature = generator.standard_normal((6, 8)).astype(np.float32)
    read = torch.nn.functional.grid_sample(
        torch.from_numpy(feature)[None, None], torch.from_numpy(2 * shares - 1)[None, None], align_corners=False
    )[0, 0, 0]
    for point, value in zip(shares, read.tolist(), strict=True):
        laid_down = splat_points(point[None], np.ones(1, np.float32), frame)
        assert float((laid_down * feature).sum()) == pytest.approx(value, abs=1e-5)


def test_blur_keeps_the_sum_even_at_the_edge() -> None:
    values = np.zeros((20, 30), np.float32)
    values[0, 0] = 1
    smooth = blur(values, (3.0, 1.0))
    assert smooth.sum() == pytest.approx(1, abs=1e-4)
    assert smooth[0, 3] > smooth[3, 0]


def test_shares_sum_to_one_and_leave_out_what_is_no_amount() -> None:
    values = np.array([[3, -5, np.nan], [1, np.inf, 0]], np.float32)
    np.testing.assert_allclose(to_shares(values), [[0.75, 0, 0], [0.25, 0, 0]])
    assert not to_shares(np.zeros((2, 2), np.float32)).any()


@pytest.mark.parametrize(
    ("xyxy", "expected"),
    [
        ([0, 0, 960, 540], (slice(2, 8), slice(0, 10))),
        ([96, 0, 192, 96], (slice(2, 3), slice(1, 2))),
        ([100, 100, 101, 101], (slice(3, 4), slice(1, 2))),
        ([-50, -50, -40, -40], (slice(1, 2), slice(0, 1))),
    ],
    ids=["whole picture", "one cell", "smaller than a cell", "outside"],
)
def test_cells_of_a_box(xyxy: list[float], expected: tuple[slice, slice]) -> None:
    """The picture takes 180 of 320 rows from the 70th on: cells of 32 px with centres from 80 to 240."""
    inside = cells_in_box(np.array(xyxy, np.float32), SQUARE, (10, 10))
    wanted = np.zeros((10, 10), np.bool_)
    wanted[expected] = True
    np.testing.assert_array_equal(inside, wanted)
