"""Agreement counts what overlaps and has one name; disputes are ranked by it and open in other people's tools."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detectattn.errors import OutputExists
from detectattn.evaluation.agreement import Agreement, compute_agreement, compute_disagreement
from detectattn.evaluation.disputes import render_dispute_list, select_disputed, to_coco, to_pre_labels, write_disputes
from detectattn.types import Detections, Prediction

NAMES = {0: "person", 1: "bus"}
LEFT, RIGHT, BELOW = (10, 10, 50, 50), (60, 10, 95, 50), (10, 60, 50, 95)
Found = Sequence[tuple[tuple[float, float, float, float], float, int]]


def predict(model: str, source: str, found: Found, names: dict[int, str] | None = None, index: int = 0) -> Prediction:
    rows = sorted(found, key=lambda f: -f[1])
    detections = Detections(
        np.array([f[0] for f in rows], np.float32).reshape(-1, 4),
        np.array([f[1] for f in rows], np.float32),
        np.array([f[2] for f in rows], np.int32),
    )
    return Prediction(source, index, (100, 100), detections, model, names or NAMES)


def compare(a: Found, b: Found) -> Agreement:
    return compute_agreement({"a": [predict("a", "x.jpg", a)], "b": [predict("b", "x.jpg", b)]})


@pytest.mark.parametrize(
    ("a", "b", "counts"),
    [
        pytest.param([(LEFT, 0.9, 0)], [(LEFT, 0.4, 0)], (1, 0, 0), id="both"),
        pytest.param([(LEFT, 0.9, 0)], [(LEFT, 0.4, 1)], (0, 1, 1), id="another class"),
        pytest.param([(LEFT, 0.9, 0)], [(RIGHT, 0.9, 0)], (0, 1, 1), id="another place"),
        pytest.param([(LEFT, 0.9, 0)], [(LEFT, 0.2, 0)], (0, 1, 0), id="below the operating point"),
        pytest.param([(LEFT, 0.9, 0)], [(LEFT, 0.9, 0), (LEFT, 0.8, 0)], (1, 0, 1), id="twice"),
        pytest.param([], [], (0, 0, 0), id="nothing"),
    ],
)
def test_pairs(a: Found, b: Found, counts: tuple[int, int, int]) -> None:
    pair = compare(a, b).pairs[0]
    assert (pair.both, pair.only_a, pair.only_b) == counts
    total = 2 * counts[0] + counts[1] + counts[2]
    assert pair.agreement == pytest.approx(2 * counts[0] / total) if total else math.isnan(pair.agreement)


def test_classes_are_matched_by_name_and_unshared_ones_left_out() -> None:
    a = predict("a", "x.jpg", [(LEFT, 0.9, 0), (RIGHT, 0.9, 1)], {0: "person", 1: "tie"})
    b = predict("b", "x.jpg", [(LEFT, 0.9, 7), (RIGHT, 0.9, 0)], {7: "Person", 0: "bus"})
    agreement = compute_agreement({"a": [a], "b": [b]})
    pair = agreement.pairs[0]
    assert agreement.class_names == ("person",)
    assert agreement.classes_left_out == {"a": ("tie",), "b": ("bus",)}
    assert (pair.both, pair.only_a, pair.only_b) == (1, 0, 0)
    assert [(c.class_name, c.both) for c in pair.per_class] == [("person", 1)]


def test_each_model_has_its_own_operating_point() -> None:
    records = {"a": [predict("a", "x", [(LEFT, 0.6, 0)])], "b": [predict("b", "x", [(LEFT, 0.6, 0)])]}
    pair = compute_agreement(records, {"b": 0.7}).pairs[0]
    assert (pair.both, pair.only_a, pair.only_b) == (0, 1, 0)


def test_what_no_other_of_three_models_finds() -> None:
    records = {
        "a": [predict("a", "x", [(LEFT, 0.9, 0)])],
        "b": [predict("b", "x", [(LEFT, 0.9, 0), (RIGHT, 0.9, 0)])],
        "c": [predict("c", "x", [(RIGHT, 0.9, 0), (BELOW, 0.9, 0)])],
    }
    agreement = compute_agreement(records)
    assert agreement.alone == {"a": 0, "b": 0, "c": 1}
    assert [(p.a, p.b, p.both, p.only_a, p.only_b) for p in agreement.pairs] == [
        ("a", "b", 1, 0, 1), ("a", "c", 0, 1, 2), ("b", "c", 1, 1, 1),
    ]  # fmt: skip


def test_images_that_one_model_lacks_are_counted_not_judged() -> None:
    agreement = compute_agreement({"a": [predict("a", "x", []), predict("a", "y", [])], "b": [predict("b", "y", [])]})
    assert [i.source for i in agreement.images] == ["y"]
    assert agreement.images_left_out == 1


def test_one_model_alone_cannot_agree() -> None:
    with pytest.raises(ValueError, match="at least two models"):
        compute_agreement({"a": []})


def test_no_common_images() -> None:
    agreement = compute_agreement({"a": [predict("a", "x", [])], "b": []})
    assert agreement.images == ()
    assert math.isnan(agreement.pairs[0].agreement)


def test_confident_disputes_rank_first() -> None:
    scenes: dict[str, tuple[Found, Found]] = {
        "agree": ([(LEFT, 0.9, 0)], [(LEFT, 0.9, 0)]),
        "faint": ([(LEFT, 0.27, 0)], []),
        "one": ([(LEFT, 0.9, 0)], []),
        "two": ([(LEFT, 0.9, 0)], [(RIGHT, 0.9, 0)]),
        "one of two": ([(LEFT, 0.9, 0), (RIGHT, 0.9, 0)], [(RIGHT, 0.9, 0)]),
    }
    agreement = compute_agreement(
        {
            "a": [predict("a", name, a) for name, (a, _) in scenes.items()],
            "b": [predict("b", name, b) for name, (_, b) in scenes.items()],
        }
    )
    assert [i.source for i in agreement.images] == ["two", "one", "one of two", "faint", "agree"]
    assert agreement.images[-1].disagreement == 0
    assert [i.source for i in select_disputed(agreement)] == ["two", "one", "one of two", "faint"]
    assert len(select_disputed(agreement, 2)) == 2


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.floats(0, 1, width=32)), min_size=3, max_size=3).filter(
            lambda row: any(v is not None for v in row)
        ),
        max_size=8,
    )
)
def test_disagreement_is_a_share_and_whole_agreement_is_none(rows: list[list[float | None]]) -> None:
    weights = np.array([[np.nan if v is None else v for v in row] for row in rows], np.float32).reshape(-1, 3)
    score = compute_disagreement(weights)
    assert 0 <= score < 1
    agreed = np.nan_to_num(weights, nan=0.0)
    assert compute_disagreement(agreed) == 0
    assert compute_disagreement(weights[::-1]) == pytest.approx(score)


def test_agreement_interval_covers_that_of_many_images() -> None:
    rng = np.random.default_rng(0)

    def draw(count: int, name: str) -> dict[str, list[Prediction]]:
        records: dict[str, list[Prediction]] = {"a": [], "b": []}
        for i in range(count):
            hard = rng.random()
            for model, found in records.items():
                boxes = [(box, 0.9, 0) for box in (LEFT, RIGHT, BELOW) if rng.random() > hard * 0.6]
                found.append(predict(model, f"{name}{i}", boxes))
        return records

    truth = compute_agreement(draw(3000, "pool")).pairs[0].agreement
    hits = 0
    for n in range(60):
        pair = compute_agreement(draw(25, f"s{n}-"), seed=n).pairs[0]
        hits += pair.low <= truth <= pair.high
    assert hits >= 53


@pytest.fixture
def disputed() -> Agreement:
    return compute_agreement(
        {
            "a": [
                predict("a", "street/bus.jpg", [(LEFT, 0.8, 0), (RIGHT, 0.6, 1)]),
                predict("a", "clip.mp4", [(LEFT, 0.5, 0)], index=12),
                predict("a", "http://host/deep/cam.png?key=1", [((-5, 90, 40, 120), 0.5, 0)]),
                predict("a", "/elsewhere/../bus.jpg", [(LEFT, 0.4, 0)]),
            ],
            "b": [
                predict("b", "street/bus.jpg", [(LEFT, 0.9, 0)]),
                predict("b", "clip.mp4", [], index=12),
                predict("b", "http://host/deep/cam.png?key=1", []),
                predict("b", "/elsewhere/../bus.jpg", []),
            ],
        }
    )


def test_pre_labels_take_the_surest_box_once(disputed: Agreement) -> None:
    image = next(i for i in disputed.images if i.source == "street/bus.jpg")
    labels = to_pre_labels(image, disputed.models)
    assert labels.detections.score.tolist() == pytest.approx([0.9, 0.6])
    assert labels.found_by == (("a", "b"), ("a",))


def test_coco_pre_labels_open_in_pycocotools(disputed: Agreement, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    images = write_disputes(tmp_path, disputed)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(tmp_path / "coco.json")
    assert len(coco.getImgIds()) == len(images) == 4
    bus = next(i for i in coco.dataset["images"] if i["file_name"] == "street/bus.jpg")
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=bus["id"]))
    assert [coco.cats[a["category_id"]]["name"] for a in annotations] == ["person", "bus"]
    assert annotations[0]["bbox"] == [10, 10, 40, 40]
    assert annotations[1]["attributes"] == {"found_by": ["a"]}
    cut = next(a for a in coco.dataset["annotations"] if a["bbox"][0] == 0)
    assert cut["bbox"] == [0, 90, 40, 10]
    assert to_coco(disputed, images) == json.loads((tmp_path / "coco.json").read_text())


def test_yolo_pre_labels_lie_beside_the_pictures_names(disputed: Agreement, tmp_path: Path) -> None:
    write_disputes(tmp_path, disputed)
    labels = tmp_path / "yolo" / "labels"
    assert {str(p.relative_to(labels)) for p in labels.rglob("*.txt")} == {
        "street/bus.txt", "clip.mp4.p0012.txt", "cam.txt", "bus.txt",
    }  # fmt: skip
    rows = [line.split() for line in (labels / "street" / "bus.txt").read_text().splitlines()]
    assert [float(v) for v in rows[0]] == [0, 0.3, 0.3, 0.4, 0.4]
    assert yaml.safe_load((tmp_path / "yolo" / "data.yaml").read_text())["names"] == {0: "person", 1: "bus"}


def test_the_list_says_why(disputed: Agreement) -> None:
    images = select_disputed(disputed)
    rows = list(csv.DictReader(io.StringIO(render_dispute_list(disputed, images))))
    bus = next(r for r in rows if r["source"] == "street/bus.jpg")
    assert (bus["all"], bus["only a"], bus["only b"]) == ("1", "1", "0")
    scores = [float(r["disagreement"]) for r in rows]
    assert scores == sorted(scores, reverse=True)


def test_nothing_that_exists_is_overwritten(disputed: Agreement, tmp_path: Path) -> None:
    write_disputes(tmp_path, disputed)
    with pytest.raises(OutputExists):
        write_disputes(tmp_path, disputed)


def test_two_pictures_never_share_a_label_file(tmp_path: Path) -> None:
    names = ["a/x.jpg", "a/x.png", "A/X.jpg"]
    records = {m: [predict(m, n, [(LEFT, 0.9, 0)] if m == "a" else []) for n in names] for m in "ab"}
    write_disputes(tmp_path, compute_agreement(records))
    labels = tmp_path / "yolo" / "labels"
    assert sorted(str(p.relative_to(labels)) for p in labels.rglob("*.txt")) == [
        "A/X.jpg.txt",
        "a/x.png.txt",
        "a/x.txt",
    ]
