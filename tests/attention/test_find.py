"""Attention is found by the type of a module, wherever it stands."""

from __future__ import annotations

from collections import Counter

import pytest
from torch import nn

from detectattn.attention.find import find_attention
from detectattn.results.attention import AttentionSite
from detectattn.weights.ultralytics_env import import_ultralytics_tasks


def build(name: str) -> nn.Module:
    tasks = import_ultralytics_tasks()
    kind = tasks.RTDETRDetectionModel if name.startswith("rtdetr") else tasks.DetectionModel
    model: nn.Module = kind(f"{name}.yaml", verbose=False)
    return model


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("yolov8n", {}),
        ("yolo11n", {("Attention", "global", 1): 1}),
        # One in C2PSA, one in the last C3k2.
        ("yolo26n", {("Attention", "global", 1): 2}),
        # A2C2f: twice two blocks over four areas at stride 16, twice two over one at stride 32.
        ("yolo12n", {("AAttn", "area", 4): 4, ("AAttn", "global", 1): 4}),
        (
            "rtdetr-l",
            {
                ("MultiheadAttention", "global", 1): 1,
                ("MultiheadAttention", "query", 1): 6,
                ("MSDeformAttn", "deformable", 1): 6,
            },
        ),
    ],
)
def test_every_module_is_found(name: str, types: dict[tuple[str, str, int], int]) -> None:
    sites = find_attention(build(name))
    assert Counter((site.module_type, site.kind, site.areas) for site in sites) == types
    assert len({site.module for site in sites}) == len(sites)


def test_rtdetr_l_is_described_as_published() -> None:
    encoder, *decoder = find_attention(build("rtdetr-l"))
    assert encoder == AttentionSite("model.11.ma", "MultiheadAttention", "global", 0, 8, 32, 32)
    assert [site.layer for site in decoder] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert [site.kind for site in decoder] == ["query", "deformable"] * 6
    cross = decoder[1]
    assert (cross.heads, cross.head_size, cross.value_size, cross.levels, cross.points) == (8, 0, 32, 3, 4)
    assert cross.is_cross
    assert not decoder[0].is_cross


def test_keys_may_be_narrower_than_values() -> None:
    (site,) = find_attention(build("yolo11n"))
    assert (site.module, site.heads, site.head_size, site.value_size) == ("model.10.m.0.attn", 2, 32, 64)


def test_the_container_does_not_matter() -> None:
    import_ultralytics_tasks()
    from ultralytics.nn.modules.block import AAttn, Attention
    from ultralytics.nn.modules.transformer import MSDeformAttn

    class Derived(Attention):  # type: ignore[misc]  # Ultralytics is untyped
        pass

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.looks = nn.ModuleDict({"a": Derived(64, 2), "b": AAttn(64, 2, area=2)})
            self.among = nn.MultiheadAttention(32, 4)

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.queries = nn.MultiheadAttention(32, 4)
            self.pixels = MSDeformAttn(32, 2, 4, 3)

    sites = find_attention(nn.Sequential(Own(), nn.Conv2d(3, 3, 1), Decoder()))
    assert [(site.module, site.module_type, site.kind, site.layer) for site in sites] == [
        ("0.looks.a", "Attention", "global", 0),
        ("0.looks.b", "AAttn", "area", 0),
        ("0.among", "MultiheadAttention", "global", 1),
        ("2.queries", "MultiheadAttention", "query", 0),
        ("2.pixels", "MSDeformAttn", "deformable", 0),
    ]
