"""Which maps a model can have, and what of a choice of layer and head applies to each."""

from __future__ import annotations

import pytest

from detectattn.attention.maps import METHODS
from detectattn.attention.maps.base import Choice
from detectattn.errors import ConfigError
from detectattn.explain.choice import (
    choose_first,
    choose_methods,
    fit_choice,
    list_fitting,
    require_choice,
    title_of,
)
from detectattn.results.attention import AttentionSite

RTDETR = (
    AttentionSite("enc", "MultiheadAttention", "global", 0, 8, 32, 32),
    *(AttentionSite(f"self{k}", "MultiheadAttention", "query", k, 8, 32, 32) for k in range(3)),
    *(AttentionSite(f"cross{k}", "MSDeformAttn", "deformable", k, 8, 0, 32, levels=3, points=4) for k in range(3)),
)
HYBRID = (AttentionSite("psa", "Attention", "global", 0, 2, 32, 64), AttentionSite("b", "AAttn", "area", 0, 4, 32, 32))
BASELINES = ("box_blob", "random")


def test_what_fits() -> None:
    assert list_fitting(RTDETR) == tuple(METHODS)
    assert {"cross_last", "cross_all", "rollout"} == set(METHODS) - set(list_fitting(HYBRID))
    assert list_fitting(()) == ("layercam", "hirescam", "input_gradient", *BASELINES)


@pytest.mark.parametrize(
    ("sites", "wanted", "methods", "first"),
    [
        (RTDETR, (), ("cross_last", "cross_all", "rollout", "encoder_rows", "layercam", "hirescam"), "layercam"),
        (HYBRID, (), ("encoder_rows", "layercam", "hirescam"), "layercam"),
        ((), (), ("layercam", "hirescam"), "layercam"),
        (RTDETR, ("hirescam", "cross_all"), ("cross_all", "hirescam"), "hirescam"),
        (HYBRID, ("cross_all", "input_gradient"), ("input_gradient",), "input_gradient"),
        ((), ("cross_all", "rollout"), ("layercam",), "layercam"),
        (RTDETR, ("random",), (), "random"),
    ],
)
def test_what_is_made_and_what_is_shown(
    sites: tuple[AttentionSite, ...], wanted: tuple[str, ...], methods: tuple[str, ...], first: str
) -> None:
    chosen = choose_methods(sites, wanted)
    assert chosen == methods + BASELINES
    assert choose_first(chosen, wanted) == first


def test_a_map_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no map 'gradcam'.*layercam"):
        choose_methods(RTDETR, ("gradcam",))


@pytest.mark.parametrize(
    ("method", "sites", "wanted", "layer", "head"),
    [
        ("cross_last", RTDETR, Choice(head=7, layer=1), 1, 7),
        ("cross_last", RTDETR, Choice(head=8, layer=3), None, None),
        ("cross_all", RTDETR, Choice(head=2, layer=1), None, 2),
        ("encoder_rows", RTDETR, Choice(head=2, layer=1), None, 2),
        ("encoder_rows", HYBRID, Choice(head=3, layer=0), 0, None),
        ("encoder_rows", HYBRID, Choice(head=3), None, 3),
        ("layercam", RTDETR, Choice(head=2, layer=1, seed=5), None, None),
    ],
)
def test_a_choice_applies_where_it_can(
    method: str, sites: tuple[AttentionSite, ...], wanted: Choice, layer: int | None, head: int | None
) -> None:
    assert fit_choice(method, sites, wanted) == Choice(head, layer, wanted.seed)


def test_a_choice_that_applies_nowhere_is_refused_with_what_there_is() -> None:
    models = {"a": RTDETR, "b": HYBRID, "c": ()}
    require_choice(models, list(METHODS), Choice(head=7, layer=2))
    with pytest.raises(
        ConfigError, match=r"layer 3 .*a: cross-attention layers 0 to 2 of 8 heads and .*c: no attention"
    ):
        require_choice(models, list(METHODS), Choice(layer=3))
    with pytest.raises(ConfigError, match="head 8"):
        require_choice(models, list(METHODS), Choice(head=8))


@pytest.mark.parametrize(
    ("methods", "wanted", "says"),
    [
        (("layercam", "random"), Choice(layer=0), "layercam shows no attention, and so no layer 0. Take --maps encod"),
        (("layercam", "hirescam"), Choice(head=1), "layercam, hirescam show no attention, and so no head 1."),
        (("cross_all",), Choice(layer=1), "cross_all shows no single layer 1. Take --maps cross_last or encoder_rows"),
    ],
)
def test_maps_that_cannot_show_a_layer_that_is_there_are_told_with_those_that_can(
    methods: tuple[str, ...], wanted: Choice, says: str
) -> None:
    models = {"a": RTDETR if methods == ("cross_all",) else HYBRID, "b": HYBRID}
    with pytest.raises(ConfigError, match=says):
        require_choice(models, methods, wanted)


def test_titles_say_what_was_chosen() -> None:
    wanted = Choice(head=0, layer=1)
    assert title_of("cross_last", wanted, RTDETR) == "Cross-attention, layer 1, head 0"
    assert title_of("cross_last", Choice(), RTDETR) == "Cross-attention, last layer"
    assert title_of("encoder_rows", wanted, HYBRID) == "Self-attention of the box, layer 1, head 0"
    assert title_of("layercam", wanted, RTDETR) == "LayerCAM"
