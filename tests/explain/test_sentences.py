"""What is said of figures: what they say, and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectattn.explain.caveats import list_caveats
from detectattn.explain.default_map import choose_default
from detectattn.explain.reach import compare_reach, find_common_method
from detectattn.explain.sentences import tell
from detectattn.report.explanation import PictureExplained
from detectattn.types import Family
from tests.explain.made_up import judge, make_pictures

SCORED = {"cross_last": (0.7, 0.4), "layercam": (0.4, 0.1), "encoder_rows": (0.05, -0.5)}
BASE = {"box_blob": (0.9, 0.1), "random": (0.05, -0.5)}
FAMILIES: dict[str, Family] = {"a": "attention", "b": "cnn"}


def unscored(maps: dict[str, tuple[float, float]]) -> dict[str, tuple[float, None]]:
    return {name: (inside, None) for name, (inside, _) in maps.items()}


@pytest.fixture
def pictures() -> tuple[PictureExplained, ...]:
    return make_pictures({"a": SCORED | BASE, "b": {"layercam": (0.9, 0.35)} | BASE})


def test_the_most_faithful_map_stands_for_its_model_and_the_numbers_are_said(
    pictures: tuple[PictureExplained, ...],
) -> None:
    apart, outside, first, second, labels_of_a, *_ = tell(judge(pictures, FAMILIES), pictures)
    assert "more of its evidence outside the box than b" in apart, "what the maps show comes before which they are"
    assert "outside the box lies" in outside
    assert first.startswith("a is shown by “Cross-attention, last layer”. It is the most faithful of its 3 maps on 12 ")
    assert "Insertion less deletion is 0.40 (0.3" in first
    assert "beside 0.10 of a blob on the box and −0.50 of a random map: it says more than the box does." in first
    assert "its only map" in second
    assert labels_of_a.startswith("Of a's maps, on 12 detections: “Cross-attention, last layer” says more than the box")
    assert "“LayerCAM” says no more than the box itself" in labels_of_a
    assert "“Self-attention of the box” is no better than random" in labels_of_a


def test_which_evidence_reaches_further_is_answered_by_one_measure(pictures: tuple[PictureExplained, ...]) -> None:
    models = judge(pictures, FAMILIES)
    assert find_common_method(models) == "layercam"
    [pair] = compare_reach(pictures, models, "layercam")
    assert (pair.a, pair.b, pair.objects, pair.decided) == ("a", "b", 12, True)
    assert pair.figure.value == pytest.approx(0.5, abs=0.02)
    told = " ".join(tell(models, pictures))
    assert "By “LayerCAM”, the same measure for all, outside the box lies 60% (" in told
    assert "of a's evidence (8% over two box sizes away) and 10% (" in told
    assert "of the area 95% lies there" in told
    assert "By “LayerCAM” a has 50 points (49–51) more of its evidence outside the box than b, on 12 objects" in told
    assert "Does attention look further" not in told, "a map made at the head's input cannot answer that"


@pytest.mark.parametrize(
    ("families", "inside", "says"),
    [
        (("cnn", "attention"), 0.9, "By “Input gradient” no: a has"),
        (("attention", "attention"), 0.9, "a has 50 points"),
        (("attention", "hybrid"), 0.4, "it is not decided whose evidence reaches further, a's or b's, on 12 objects"),
    ],
)
def test_no_more_is_claimed_than_is_decided(families: tuple[Family, Family], inside: float, says: str) -> None:
    whole = {"input_gradient": (0.4, None)}
    other = {"input_gradient": (inside, None), "random": (0.05, None)}
    found = make_pictures({"a": unscored(SCORED | BASE) | whole, "b": other})
    told = " ".join(tell(judge(found, dict(zip("ab", families, strict=True))), found))
    assert says in told
    assert ("Does attention look further" in told) == (families[0] != families[1])


def test_maps_that_are_no_better_than_random_compare_nothing() -> None:
    bad = {"layercam": (0.1, -0.5)}
    found = make_pictures({"a": bad | BASE, "b": bad | BASE})
    models = judge(found, FAMILIES)
    assert find_common_method(models) is None
    told = " ".join(tell(models, found))
    assert "different maps, not to be held against each other" in told
    assert "it is no better than random" in told
    assert "No map says more than the box." in told


def test_few_detections_decide_nothing() -> None:
    found = make_pictures({"a": {"layercam": (0.5, 0.1)} | BASE}, images=1, each=2, noise=0.3)
    told = tell(judge(found, {"a": "cnn"}), found)
    assert told[1].endswith(", on too few detections to decide what it says.")
    assert told[2] == "Of a's maps, on 2 detections: too few detections to judge “LayerCAM”."


def test_without_scores_nothing_is_called_faithful(pictures: tuple[PictureExplained, ...]) -> None:
    found = make_pictures({"a": unscored(SCORED | BASE), "b": {}})
    models = judge(found, FAMILIES)
    told = tell(models, found)
    assert told[1] == "b finds nothing in these pictures, so there is no map of it."
    assert told[2] == "a is shown by “LayerCAM”. It fits every model. Of the quick maps it did best on demo-rtdetr."
    assert not any("faithful" in sentence for sentence in told)


def test_what_holds_of_several_models_is_told_once() -> None:
    found = make_pictures({name: {"layercam": (0.5, None)} for name in "abc"})
    told = tell(judge(found, {"a": "attention", "b": "cnn", "c": "cnn"}), found)
    assert [s for s in told if "is shown" in s or "are shown" in s] == [
        "a, b and c are shown by “LayerCAM”. It fits every model. Of the quick maps it did best on demo-rtdetr."
    ]


def test_what_was_asked_for_is_shown_whatever_the_scores_say(pictures: tuple[PictureExplained, ...]) -> None:
    models = judge(pictures, FAMILIES, ("layercam",))
    assert {model.default_method for model in models} == {"layercam"}
    assert choose_default((), ("layercam", "random"), ("rollout",)).reason.startswith("None of the maps that")


def test_boxes_that_are_not_explained_are_counted() -> None:
    [picture] = make_pictures({"a": unscored(SCORED), "b": unscored(SCORED)}, images=1, each=2)
    twice = replace(picture, objects=tuple(replace(o, further=(2, 0)) for o in picture.objects))
    options = {"conf": 0.25, "scored": True, "page_pictures": 1, "status": "finished", "failures": 0}
    told = list_caveats(judge([twice], FAMILIES), [twice], **options)  # type: ignore[arg-type]  # of several types
    assert told[-1] == "a has 4 more boxes of objects that are shown: of each object its surest box is explained."
    assert not any("b has" in sentence and "more box" in sentence for sentence in told)


def test_caveats_name_what_limits_the_findings() -> None:
    found = make_pictures({"a": unscored(SCORED | BASE), "b": {"layercam": (0.9, None)}}, images=2)
    caveats = list_caveats(
        judge(found, FAMILIES), found, conf=0.25, scored=False, page_pictures=1, status="interrupted", failures=2
    )
    text = " ".join(caveats)
    for part in (
        "interrupted", "2 inputs could not be explained", "b has no attention", "No map was scored", "Fewer than four",
        "Gradients are taken where the head begins", "The page shows the first 1 pictures; the sheets are of all 2.",
    ):  # fmt: skip
        assert part in text
    assert "a has no attention" not in text
