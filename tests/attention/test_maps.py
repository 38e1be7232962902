"""Maps of attention that is known: they lie where it went, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from detectattn.attention.maps import BASELINES, METHODS, build_map, list_methods
from detectattn.attention.maps.base import Choice, Evidence, FeatureGradient, GradientRecord
from detectattn.attention.maps.cross_points import list_cross_points
from detectattn.attention.maps.query_self import weigh_queries
from detectattn.engines.preprocess import plan_resize
from detectattn.errors import ConfigError
from detectattn.results.attention import AttentionRecord, CaptureCheck, CrossAttention, SelfAttention
from detectattn.types import F32, Detections

NET_HW = (320, 320)
GRIDS = ((40, 40), (20, 20), (10, 10))
STRETCHED = plan_resize((540, 960), NET_HW, "stretch")
SQUARE = plan_resize((540, 960), NET_HW, "letterbox")
EXACT = CaptureCheck(0.0, 0.0)
LAYERS, HEADS, QUERIES, POINTS = 2, 4, 6, 2
# Of the second detection: left, top, right, bottom in the picture.
BOX = (480.0, 270.0, 672.0, 378.0)


def two_detections() -> Detections:
    xyxy = np.array([[0, 0, 96, 54], BOX], np.float32)
    return Detections(xyxy, np.array([0.9, 0.8], np.float32), np.zeros(2, np.int32), np.array([4, 2], np.int32))


def cross_layers(place: tuple[float, float] = (0.6, 0.6)) -> tuple[CrossAttention, ...]:
    """Query 2 reads one place in the last layer, head 0 elsewhere; every other query reads the top left corner."""
    layers = []
    for layer in range(LAYERS):
        points = np.full((QUERIES, HEADS, 3, POINTS, 2), 0.05, np.float32)
        points[2] = place
        if layer == LAYERS - 1:
            points[2, 0] = (0.9, 0.1)
        weights = np.full((QUERIES, HEADS, 3, POINTS), 1 / (3 * POINTS), np.float32)
        layers.append(CrossAttention(f"cross.{layer}", layer, points, weights, GRIDS, EXACT))
    return tuple(layers)


def identity(tokens: int, heads: int = HEADS) -> F32:
    return np.broadcast_to(np.eye(tokens, dtype=np.float32), (1, heads, tokens, tokens)).copy()


def query_layers() -> tuple[SelfAttention, ...]:
    return tuple(SelfAttention(f"self.{i}", "query", i, identity(QUERIES), None, EXACT) for i in range(LAYERS))


def aifi(weights: F32 | None = None) -> SelfAttention:
    return SelfAttention("aifi", "global", 0, identity(100) if weights is None else weights, (10, 10), EXACT)


def transformer(**changes: object) -> Evidence:
    record = AttentionRecord((aifi(), *query_layers()), cross_layers(), NET_HW)
    return Evidence(two_detections(), record, STRETCHED, **changes)  # type: ignore[arg-type]


def gradients(bright: tuple[int, int, int] | None = None, amount: float = 1.0) -> GradientRecord:
    """Of two detections: the second depends on cell (row, column) of one level, the first on nothing."""
    levels = []
    for number, (height, width) in enumerate(GRIDS):
        activation, gradient = np.ones((3, height, width), np.float32), np.zeros((2, 3, height, width), np.float32)
        if bright is not None and bright[0] == number:
            gradient[1, 0, bright[1], bright[2]] = amount
        levels.append(FeatureGradient(activation, gradient))
    pixels = FeatureGradient(np.ones((3, *NET_HW), np.float32), np.zeros((2, 3, *NET_HW), np.float32))
    pixels.activation[:, 198:203, 98:103] = 0
    pixels.gradient[1, :, 200, 100] = -1
    pixels.gradient[1, :, 100, 200] = 1
    return GradientRecord(tuple(levels), pixels)


def centre_of(values: F32) -> tuple[float, float]:
    """Centre of mass in pixels of the picture, x and y."""
    rows, columns = np.indices(values.shape) + 0.5
    scale = 960 / values.shape[1] / values.sum()
    return float((values * columns).sum() * scale), float((values * rows).sum() * scale)


def share_near(values: F32, x: float, y: float, reach: float = 110) -> float:
    """Share of a map within so many pixels of the picture around a place of it."""
    rows, columns = (np.indices(values.shape) + 0.5) * 960 / values.shape[1]
    return float(values[(abs(columns - x) < reach) & (abs(rows - y) < reach)].sum())


@pytest.mark.parametrize("name", METHODS)
def test_every_map_is_a_share_of_the_picture(name: str) -> None:
    for detection in range(2):
        found = build_map(name, transformer(gradients=gradients((0, 20, 20))), detection)
        assert found.method == name
        assert found.values.shape == (180, 320)
        assert found.values.dtype == np.float32
        assert found.values.min() >= 0
        assert found.values.sum() == pytest.approx(1, abs=1e-3) or (detection == 0 and not found.values.any())


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_it_shows(name: str) -> None:
    method = METHODS[name]
    assert method.title
    assert method.meaning
    assert not method.meaning.endswith(".")
    assert len(method.meaning) < 120
    assert set(BASELINES) <= METHODS.keys()


def test_methods_follow_from_what_a_model_has() -> None:
    transformer_like = AttentionRecord((aifi(),), cross_layers(), NET_HW)
    hybrid = AttentionRecord((aifi(),), (), NET_HW)
    plain = AttentionRecord((), (), NET_HW)
    always = {"layercam", "hirescam", "input_gradient", "box_blob", "random"}
    assert set(list_methods(transformer_like)) == METHODS.keys()
    assert set(list_methods(hybrid)) == always | {"encoder_rows"}
    assert set(list_methods(plain)) == always


def test_cross_attention_lies_where_the_query_reads() -> None:
    last = build_map("cross_last", transformer(), 1).values
    assert share_near(last, 576, 324) == pytest.approx(0.75, abs=0.03)
    assert share_near(last, 864, 54) == pytest.approx(0.25, abs=0.03)


def test_cross_attention_of_all_layers_is_their_mean() -> None:
    every = build_map("cross_all", transformer(), 1).values
    assert share_near(every, 576, 324) == pytest.approx(0.875, abs=0.03)
    first = build_map("cross_last", transformer(), 1, Choice(layer=0)).values
    assert share_near(first, 576, 324) > 0.97


def test_a_head_can_be_looked_at_alone() -> None:
    assert share_near(build_map("cross_last", transformer(), 1, Choice(head=0)).values, 864, 54) > 0.95
    assert share_near(build_map("cross_last", transformer(), 1, Choice(head=3)).values, 576, 324) > 0.95


def test_a_coarse_level_is_spread_wider_than_a_fine_one() -> None:
    peaks = []
    for level in range(3):
        weights = np.zeros((QUERIES, HEADS, 3, POINTS), np.float32)
        weights[:, :, level] = 1 / POINTS
        layer = CrossAttention("cross.0", 0, cross_layers()[0].points, weights, GRIDS, EXACT)
        evidence = Evidence(two_detections(), AttentionRecord((), (layer,), NET_HW), STRETCHED)
        peaks.append(float(build_map("cross_last", evidence, 1).values.max()))
    assert peaks[0] / peaks[1] == pytest.approx(4, rel=0.2)
    assert peaks[1] / peaks[2] == pytest.approx(4, rel=0.2)


def test_points_for_drawing_are_in_pixels_of_the_picture() -> None:
    points = list_cross_points(transformer(), 1)
    assert len(points.weight) == LAYERS * HEADS * 3 * POINTS
    of_head = (points.layer == 1) & (points.head == 0)
    np.testing.assert_allclose(points.xy[of_head], [[864, 54]] * 6, rtol=1e-5)
    assert points.weight[of_head].sum() == pytest.approx(1)
    assert points.level[of_head].tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_allclose(points.xy[~of_head], [[576, 324]] * (len(points.weight) - 6), rtol=1e-5)


def test_points_of_one_layer_and_head() -> None:
    points = list_cross_points(transformer(), 1, Choice(layer=1, head=2))
    assert set(points.layer.tolist()) == {1}
    assert set(points.head.tolist()) == {2}
    assert len(points.weight) == 6


@pytest.mark.parametrize("choice", [Choice(layer=2), Choice(head=4), Choice(head=-1)], ids=str)
def test_a_layer_or_head_that_is_not_there_is_refused(choice: Choice) -> None:
    with pytest.raises(ConfigError, match=r"there is no attention (layer|head)") as refusal:
        build_map("cross_last", transformer(), 1, choice)
    assert "0" in refusal.value.hint
    with pytest.raises(ConfigError):
        list_cross_points(transformer(), 1, choice)


def test_encoder_rows_are_what_the_box_attends_to() -> None:
    """Each token attends to the one three cells to its left, in head 1 alone; the box's cells are (5..6, 5..6)."""
    weights = identity(100)
    weights[0, 1] = np.roll(np.eye(100, dtype=np.float32), -3, axis=1)
    evidence = Evidence(two_detections(), AttentionRecord((aifi(weights),), (), NET_HW), STRETCHED)
    here = build_map("encoder_rows", evidence, 1, Choice(head=0)).values
    there = build_map("encoder_rows", evidence, 1, Choice(head=1)).values
    assert centre_of(here) == pytest.approx((576, 324), abs=1)
    assert centre_of(there) == pytest.approx((576 - 3 * 96, 324), abs=1)
    assert centre_of(build_map("encoder_rows", evidence, 1).values)[0] == pytest.approx(576 - 0.75 * 96, abs=1)


def test_encoder_rows_of_areas_stay_in_their_areas() -> None:
    """Four areas of five rows; the box lies in the third, each token attends to its whole area."""
    uniform = np.full((4, 2, 100, 100), 0.01, np.float32)
    area = SelfAttention("area", "area", 0, uniform, (20, 20), EXACT)
    evidence = Evidence(two_detections(), AttentionRecord((area,), (), NET_HW), STRETCHED)
    rows = build_map("encoder_rows", evidence, 1).values.sum(axis=1)
    assert rows[:85].sum() + rows[140:].sum() < 0.01
    first = build_map("encoder_rows", evidence, 0).values.sum(axis=1)
    assert first[:50].sum() > 0.99


def test_a_block_can_be_chosen_by_its_place() -> None:
    shifted = identity(100)
    shifted[0] = np.roll(np.eye(100, dtype=np.float32), -3, axis=1)
    evidence = Evidence(two_detections(), AttentionRecord((aifi(shifted), aifi()), (), NET_HW), STRETCHED)
    assert centre_of(build_map("encoder_rows", evidence, 1).values)[0] == pytest.approx(576, abs=1)
    assert centre_of(build_map("encoder_rows", evidence, 1, Choice(layer=0)).values)[0] == pytest.approx(288, abs=1)
    with pytest.raises(ConfigError, match="no attention block 2"):
        build_map("encoder_rows", evidence, 1, Choice(layer=2))


def test_rollout_is_cross_attention_where_nothing_else_attends() -> None:
    """With identities before it, layer 1 has half of what is spent, layer 0 a quarter."""
    rollout = build_map("rollout", transformer(), 1).values
    expected = (0.5 * 0.75 + 0.25) / 0.75
    assert share_near(rollout, 576, 324) == pytest.approx(expected, abs=0.03)


def test_rollout_follows_queries_to_other_queries() -> None:
    """In the last layer query 2 attends to query 4 alone, which reads the corner; that is 1/2 · 1/2 of the rest."""
    weights = identity(QUERIES)
    weights[0, :, 2] = np.eye(QUERIES, dtype=np.float32)[4]
    to_other = SelfAttention("self.1", "query", 1, weights, None, EXACT)
    record = AttentionRecord((aifi(), query_layers()[0], to_other), cross_layers(), NET_HW)
    rollout = build_map("rollout", Evidence(two_detections(), record, STRETCHED), 1).values
    assert share_near(rollout, 48, 27) == pytest.approx(0.125 / 0.75, abs=0.03)


def test_rollout_follows_the_encoders_own_level() -> None:
    """Half of what is read of the coarsest level, a third of all, came from token 0 instead."""
    weights = np.zeros((1, HEADS, 100, 100), np.float32)
    weights[..., 0] = 1
    plain = transformer()
    followed = Evidence(
        two_detections(), AttentionRecord((aifi(weights), *query_layers()), cross_layers(), NET_HW), STRETCHED
    )
    corner = (48, 27)
    assert share_near(build_map("rollout", plain, 1).values, *corner, reach=150) < 0.01
    assert share_near(build_map("rollout", followed, 1).values, *corner, reach=150) == pytest.approx(1 / 6, abs=0.03)


def test_layers_without_self_attention_can_be_rolled_out() -> None:
    evidence = Evidence(two_detections(), AttentionRecord((), cross_layers(), NET_HW), STRETCHED)
    assert share_near(build_map("rollout", evidence, 1).values, 576, 324) > 0.8


def test_query_weights_name_the_other_detections() -> None:
    weights = identity(QUERIES)
    weights[0, :, 2] = [0, 0.1, 0.4, 0, 0.3, 0.2]
    layer = SelfAttention("self.1", "query", 1, weights, None, EXACT)
    evidence = Evidence(two_detections(), AttentionRecord((query_layers()[0], layer), (), NET_HW), STRETCHED)
    found = weigh_queries(evidence, 1)
    np.testing.assert_allclose(found.others, [0.3, 0])
    assert found.itself == pytest.approx(0.4)
    assert found.elsewhere == pytest.approx(0.3)
    assert weigh_queries(evidence, 1, Choice(layer=0)).itself == pytest.approx(1)


@pytest.mark.parametrize("name", ["layercam", "hirescam"])
@pytest.mark.parametrize("level", range(3))
def test_gradient_maps_lie_where_the_score_depends(name: str, level: int) -> None:
    cells = GRIDS[level][0]
    row, column = int(0.7 * cells), int(0.3 * cells)
    values = build_map(name, transformer(gradients=gradients((level, row, column))), 1).values
    expected = ((column + 0.5) / cells * 960, (row + 0.5) / cells * 540)
    assert centre_of(values) == pytest.approx(expected, abs=2)


def test_levels_weigh_what_they_hold_however_coarse_they_are() -> None:
    """The same evidence in one fine and one coarse cell: half of the map each."""
    fine, coarse = gradients((0, 4, 4)), gradients((2, 7, 7))
    both = GradientRecord((fine.head[0], fine.head[1], coarse.head[2]), None)
    values = build_map("layercam", transformer(gradients=both), 1).values
    assert share_near(values, 108, 61) == pytest.approx(0.5, abs=0.02)


def test_what_speaks_against_the_class_is_dark() -> None:
    evidence = transformer(gradients=gradients((0, 20, 20), amount=-1))
    assert not build_map("layercam", evidence, 1).values.any()
    assert not build_map("hirescam", evidence, 1).values.any()


def test_hirescam_sets_channels_off_and_layercam_does_not() -> None:
    mixed = gradients((0, 20, 20))
    mixed.head[0].gradient[1, 1, 20, 20] = -2
    evidence = transformer(gradients=mixed)
    assert build_map("layercam", evidence, 1).values.any()
    assert not build_map("hirescam", evidence, 1).values.any()


def test_the_input_gradient_shows_dark_details_and_leaves_out_plain_areas() -> None:
    """The second detection needs a dark spot at (200, 100) dark, and is sensitive to a pixel that is like all about."""
    values = build_map("input_gradient", transformer(gradients=gradients()), 1).values
    assert centre_of(values) == pytest.approx((100.5 / 320 * 960, 200.5 / 320 * 540), abs=2)


def test_the_blob_lies_on_the_box_stretched_or_not() -> None:
    for resize in (STRETCHED, SQUARE):
        evidence = Evidence(two_detections(), AttentionRecord((), (), NET_HW), resize)
        values = build_map("box_blob", evidence, 1).values
        assert centre_of(values) == pytest.approx((576, 324), abs=1)
        scale = values.shape[1] / 960
        left, top, right, bottom = (int(side * scale) for side in BOX)
        assert values[top:bottom, left:right].sum() == pytest.approx(0.911, abs=0.02)


def test_random_maps_are_the_same_for_the_same_seed_alone() -> None:
    evidence = transformer()
    first = build_map("random", evidence, 0, Choice(seed=5)).values
    np.testing.assert_array_equal(first, build_map("random", evidence, 0, Choice(seed=5)).values)
    for other in (build_map("random", evidence, 1, Choice(seed=5)), build_map("random", evidence, 0, Choice(seed=6))):
        assert abs(np.corrcoef(first.ravel(), other.values.ravel())[0, 1]) < 0.5


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        ("heat", AttentionRecord((), (), NET_HW), "no map 'heat'"),
        ("cross_all", AttentionRecord((aifi(),), (), NET_HW), "needs deformable cross-attention"),
        ("encoder_rows", AttentionRecord(query_layers(), (), NET_HW), "needs self-attention over a feature map"),
    ],
)
def test_a_map_that_cannot_be_is_refused_with_those_that_can(name: str, record: AttentionRecord, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        build_map(name, Evidence(two_detections(), record, STRETCHED), 0)
    assert "layercam" in refusal.value.hint


def test_a_gradient_map_without_gradients_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not computed"):
        build_map("layercam", transformer(), 0)
    with pytest.raises(ValueError, match="not computed"):
        build_map("input_gradient", transformer(gradients=GradientRecord(gradients().head)), 0)


def test_evidence_must_belong_together() -> None:
    other_input = AttentionRecord((aifi(),), (), (640, 640))
    with pytest.raises(ValueError, match="640"):
        Evidence(two_detections(), other_input, STRETCHED)
    nameless = Detections(*(getattr(two_detections(), name) for name in ("xyxy", "score", "class_id")))
    with pytest.raises(ValueError, match="query"):
        Evidence(nameless, AttentionRecord((), (), NET_HW), STRETCHED)
    of_one = FeatureGradient(np.zeros((1, 2, 2), np.float32), np.zeros((1, 1, 2, 2), np.float32))
    with pytest.raises(ValueError, match="2 detections"):
        transformer(gradients=GradientRecord((of_one,)))
