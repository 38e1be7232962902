"""Two studies are set against each other: what is decided, what is not, what cannot be compared and why."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from detectattn.compare.changes import Side, build_changes
from detectattn.config import CompareConfig
from detectattn.errors import ConfigError
from detectattn.report.changes import Changes, Finding
from detectattn.report.changes_json import changes_to_json
from detectattn.report.html.changes import render_changes_html
from tests.compare.changes.studies import IMAGES, MACHINE, Entrant, forget_records, make_side

PAIR = {"yolo": Entrant(), "detr": Entrant(forward_ms=80.0)}
WORSE = Entrant(shift=6.0, sha256="b" * 64)


def find(changes: Changes, question: str, *models: str) -> list[Finding]:
    return [f for f in changes.findings if f.question == question and (not models or f.models == models)]


def only(changes: Changes, question: str, *models: str) -> Finding:
    [finding] = find(changes, question, *models)
    return finding


def test_a_study_against_itself_has_not_changed() -> None:
    side = make_side("a", PAIR)
    changes = build_changes(side, side)
    assert changes.findings[0].text == "Nothing changed: same conditions, and every detection is the same."
    assert {f.weight for f in changes.findings} <= {"same", "open"}
    assert changes.conditions == ()
    assert changes.caveats == ()
    for model in changes.models:
        assert model.same_weights is True
        assert model.detections is not None
        assert model.detections.identical
        assert model.detections.most_changed == ()
        assert model.accuracy is not None
        assert all(d.difference == 0 and not d.decided for d in model.accuracy.differences)
        assert model.speed is not None
        assert model.speed.ratio is not None
        assert model.speed.ratio.ratio == pytest.approx(1)
        assert not model.speed.ratio.decided


def test_a_loss_of_accuracy_is_decided_image_by_image() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", {**PAIR, "yolo": WORSE}))
    lost = only(changes, "accuracy", "yolo")
    assert lost.weight == "worse"
    assert lost == changes.findings[0]
    assert lost.text.startswith("yolo lost ")
    assert ": decided on the 12 images that both runs saw." in lost.text
    accuracy = changes.models[0].accuracy
    assert accuracy is not None
    overall = accuracy.differences[0]
    assert (accuracy.paired, accuracy.judged_by, accuracy.images) == (True, "both", 12)
    assert overall.difference == pytest.approx(overall.after - overall.before)
    assert overall.low <= overall.difference <= overall.high < 0
    assert any(c.text == "yolo has other weights than before." for c in changes.caveats)
    assert only(changes, "accuracy", "detr").weight == "same"


def test_the_other_way_round_is_a_gain() -> None:
    changes = build_changes(make_side("b", {**PAIR, "yolo": WORSE}), make_side("a", PAIR))
    gained = only(changes, "accuracy", "yolo")
    assert gained.weight == "better"
    assert gained.text.startswith("yolo gained ")


def test_classes_that_changed_are_named() -> None:
    blind = Entrant(misses=frozenset({1, 3}))
    changes = build_changes(make_side("a", {"yolo": Entrant()}), make_side("b", {"yolo": blind}))
    said = only(changes, "classes")
    assert said.weight == "worse"
    assert "lost AP on bus" in said.text
    assert "car" not in said.text


def test_few_images_leave_it_open() -> None:
    sides = [make_side(run, {"yolo": e}, IMAGES[:3]) for run, e in (("a", Entrant()), ("b", WORSE))]
    changes = build_changes(sides[0], sides[1])
    said = only(changes, "accuracy")
    assert said.weight == "open"
    assert "is not decided" in said.text


def test_accuracy_is_compared_on_the_images_that_both_saw() -> None:
    changes = build_changes(make_side("a", PAIR, IMAGES[:9]), make_side("b", PAIR, IMAGES[2:]))
    assert changes.images is not None
    assert changes.images.shared == 7
    assert [p.source for p in changes.images.removed] == list(IMAGES[:2])
    assert [p.source for p in changes.images.added] == list(IMAGES[9:])
    accuracy = changes.models[0].accuracy
    assert accuracy is not None
    assert accuracy.images == 7
    assert any("share 7 images; 2 in the first run alone, 3 in the second alone" in c.text for c in changes.caveats)
    assert any("other pictures" in c.text for c in changes.caveats if c.topic == "speed")


def test_pictures_of_another_size_are_other_pictures() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", PAIR, size_hw=(200, 240)))
    assert changes.images is not None
    assert (changes.images.shared, len(changes.images.resized)) == (0, 12)
    accuracy = changes.models[0].accuracy
    assert accuracy is not None
    assert not accuracy.paired
    assert changes.models[0].detections is None
    assert "no image in common" in only(changes, "accuracy", "yolo").text


def test_without_truth_there_is_agreement_alone() -> None:
    changes = build_changes(make_side("a", PAIR, truth=False), make_side("b", {**PAIR, "yolo": WORSE}, truth=False))
    assert not find(changes, "accuracy")
    yolo, detr = changes.models
    assert yolo.accuracy is None
    assert yolo.detections is not None
    assert not yolo.detections.identical
    assert detr.detections is not None
    assert detr.detections.identical


def test_the_same_detections_count_otherwise_from_another_score_on() -> None:
    sides = [make_side(r, PAIR, truth=False, config=CompareConfig(conf=c)) for r, c in (("a", 0.3), ("b", 0.75))]
    changes = build_changes(sides[0], sides[1])
    detections = changes.models[0].detections
    assert detections is not None
    assert detections.identical
    assert (detections.score_before, detections.score_after, detections.only_before) == (0.3, 0.75, 24)
    assert (
        "operating point is not, 0.750 instead of 0.300: 24 boxes no more" in only(changes, "detections", "yolo").text
    )
    assert changes.findings[0].weight == "changed"


def test_objects_lost_and_found_are_counted() -> None:
    then, now = (Entrant(misses=frozenset({i})) for i in (0, 1))
    changes = build_changes(make_side("a", {"yolo": then}), make_side("b", {"yolo": now}))
    detections = changes.models[0].detections
    assert detections is not None
    assert (detections.both, detections.only_before, detections.only_after) == (24, 12, 12)
    assert {(c.class_name, c.only_before, c.only_after) for c in detections.per_class} == {
        ("car", 0, 12),
        ("bus", 12, 0),
    }
    assert len(detections.most_changed) == 12
    assert "24 boxes as before, 12 no more and 12 anew" in only(changes, "detections").text


@pytest.mark.parametrize(
    ("then", "now", "judge"), [(True, False, "before"), (False, True, "after"), (True, 8.0, "after")]
)
def test_one_ground_truth_judges_both(then: Any, now: Any, judge: str) -> None:
    changes = build_changes(make_side("a", PAIR, truth=then), make_side("b", PAIR, truth=now))
    accuracy = changes.models[0].accuracy
    assert accuracy is not None
    assert accuracy.judged_by == judge
    assert accuracy.differences[0].difference == 0
    assert any(c.topic == "truth" for c in changes.caveats)
    assert any(c.topic == "truth" for c in changes.conditions)
    relabelled = None if changes.images is None else changes.images.relabelled
    assert relabelled is None if judge == "before" or then is False else len(relabelled or ()) == 12


def test_more_time_is_decided_over_sittings() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", {**PAIR, "yolo": Entrant(forward_ms=50.0)}))
    slower = only(changes, "speed", "yolo")
    assert slower.weight == "worse"
    assert "× slower (" in slower.text
    ratio = changes.models[0].speed and changes.models[0].speed.ratio
    assert ratio
    assert (ratio.unit, ratio.units_before, ratio.units_after) == ("sitting", 5, 5)
    assert ratio.low < ratio.ratio == pytest.approx(53.6 / 43.5, rel=0.02)


def test_a_few_percent_are_no_change() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", {**PAIR, "yolo": Entrant(forward_ms=41.4)}))
    ratio = changes.models[0].speed and changes.models[0].speed.ratio
    assert ratio
    assert ratio.low > 1
    assert not ratio.decided
    assert "equal runs of one machine can differ by as much" in only(changes, "speed", "yolo").text


def test_one_sitting_decides_nothing() -> None:
    sides = [make_side(r, {"yolo": Entrant(forward_ms=ms, sittings=1)}) for r, ms in (("a", 40.0), ("b", 60.0))]
    said = only(build_changes(sides[0], sides[1]), "speed")
    assert said.weight == "open"
    assert "rounds of one sitting" in said.text


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"machine": {**MACHINE, "cpu": "Model Y"}}, "another machine (Model X then, Model Y now)"),
        ({"size_hw": (100, 100)}, "pictures of another size (200×200 then, 100×100 now)"),
        ({"entrants": {"yolo": Entrant(info={"engine": "torch"})}}, "another engine (openvino then, torch now)"),
        ({"entrants": {"yolo": Entrant(info={"net_hw": (320, 320)})}},
         "another input size (640×640 then, 320×320 now)"),
        ({"entrants": {"yolo": Entrant(forward_ms=None)}}, "it was not timed after"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_compared_say_why(now: dict[str, Any], reason: str) -> None:
    entrants = now.pop("entrants", {"yolo": Entrant()})
    changes = build_changes(make_side("a", {"yolo": Entrant()}), make_side("b", entrants, **now))
    said = only(changes, "speed")
    assert said.text == f"The times of yolo are not compared: {reason}."
    speed = changes.models[0].speed
    assert speed is not None
    assert (speed.ratio, speed.reason) == (None, reason)
    assert speed.before_ms is not None


def test_memory_counts_from_a_tenth_on() -> None:
    before = make_side("a", {"yolo": Entrant()})
    for mb, weight in ((600.0, "worse"), (400.0, "better")):
        said = only(build_changes(before, make_side("b", {"yolo": Entrant(memory_mb=mb)})), "memory")
        assert said.weight == weight
    assert not find(build_changes(before, make_side("b", {"yolo": Entrant(memory_mb=540.0)})), "memory")
    elsewhere = Entrant(memory_mb=900.0, info={"engine": "torch"})
    assert not find(build_changes(before, make_side("b", {"yolo": elsewhere})), "memory")


def test_what_was_faster_and_is_no_more() -> None:
    turned = {"yolo": Entrant(forward_ms=160.0), "detr": Entrant(forward_ms=80.0)}
    changes = build_changes(make_side("a", PAIR), make_side("b", turned))
    assert {r.question: r.outcome for r in changes.rankings} == {"speed": "reversed", "accuracy": "open"}
    assert only(changes, "ranking").text.startswith("detr is now faster than yolo: ")
    held = build_changes(make_side("a", PAIR), make_side("b", PAIR))
    assert only(held, "ranking").text.startswith("yolo is still faster than detr: ")


def test_times_that_should_not_be_trusted_rank_nothing() -> None:
    noisy = make_side("b", PAIR)
    noisy.content["models"]["detr"]["speed"]["noise"] = {"trusted": False, "reasons": ["load 3.0"]}
    changes = build_changes(make_side("a", PAIR), noisy)
    [speed] = [r for r in changes.rankings if r.question == "speed"]
    assert (speed.outcome, speed.before.decided, speed.after.decided) == ("unsettled", True, False)
    assert "the timings after are not to be trusted (load 3.0)" in only(changes, "speed", "detr").text


def test_a_pair_that_is_named_the_other_way_round_is_the_same_pair() -> None:
    turned = dict(reversed(PAIR.items()))
    changes = build_changes(make_side("a", PAIR), make_side("b", turned))
    [speed] = [r for r in changes.rankings if r.question == "speed"]
    assert speed.outcome == "held"
    assert speed.before.value == pytest.approx(speed.after.value)


def test_models_that_are_in_one_run_alone_are_named() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", {"yolo": Entrant(), "new": Entrant()}))
    assert (changes.gone, changes.new) == (("detr",), ("new",))
    texts = [f.text for f in changes.findings]
    assert texts.index("detr is in the first run alone.") > 0
    assert texts[0] == "Every detection of the models in both runs is the same, under the same conditions."
    assert [m.name for m in changes.models] == ["yolo"]


def test_who_took_part_comes_after_what_became_of_the_others() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", {"yolo": WORSE}))
    texts = [f.text for f in changes.findings]
    assert "yolo lost" in texts[0]
    gone = texts.index("detr is in the first run alone.")
    assert {f.weight for f in changes.findings[gone + 1 :]} <= {"same"}
    page = render_changes_html(changes)
    answers = re.findall(r'<span class="answer">(.*?)</span>', page, re.DOTALL)
    assert answers
    assert all(re.sub(r"<[^>]*>", "", answer).strip().endswith(".") for answer in answers)
    assert not any("first run alone" in answer for answer in answers)


def test_a_model_that_failed_is_the_first_to_be_said() -> None:
    broken = Entrant(error="out of memory")
    changes = build_changes(make_side("a", PAIR), make_side("b", {**PAIR, "yolo": broken}))
    assert changes.findings[0].text == "yolo failed: out of memory."
    assert changes.findings[0].weight == "worse"


def test_a_renamed_model_is_paired_where_asked() -> None:
    sides = make_side("a", {"yolo": Entrant()}), make_side("b", {"mine": WORSE})
    assert build_changes(*sides).models == ()
    changes = build_changes(*sides, ["yolo=mine"])
    [model] = changes.models
    assert (model.name, model.before_name) == ("mine", "yolo")
    assert changes.gone == changes.new == ()
    assert "mine (yolo before) lost" in changes.findings[0].text
    assert changes.findings[0].models == ("mine",)


def test_the_same_weights_under_another_name_are_pointed_out() -> None:
    changes = build_changes(make_side("a", {"yolo": Entrant()}), make_side("b", {"mine": Entrant()}))
    assert any("--pair yolo=mine" in caveat.text for caveat in changes.caveats)


@pytest.mark.parametrize("pair", ["yolo", "yolo=", "yolo=nobody", "nobody=yolo", "yolo=yolo yolo=detr"])
def test_pairs_that_cannot_be_are_refused(pair: str) -> None:
    side = make_side("a", PAIR)
    with pytest.raises(ConfigError):
        build_changes(side, side, pair.split())


@pytest.mark.parametrize("which", [0, 1])
def test_a_report_alone_is_compared_by_its_figures(which: int) -> None:
    sides = [make_side("a", PAIR), make_side("b", {**PAIR, "yolo": replace(WORSE, forward_ms=60.0)})]
    sides[which] = forget_records(sides[which])
    changes = build_changes(*sides)
    assert changes.images is None
    yolo = changes.models[0]
    assert yolo.accuracy is not None
    assert not yolo.accuracy.paired
    assert yolo.detections is None
    said = only(changes, "accuracy", "yolo")
    assert said.weight == "open"
    assert f"the records of {sides[which].run} are not at hand" in said.text
    # Times need no records: their intervals are in the report.
    assert only(changes, "speed", "yolo").weight == "worse"
    assert any("is a report without its records" in caveat.text for caveat in changes.caveats)


def test_times_are_the_same_with_records_and_without() -> None:
    sides = make_side("a", PAIR), make_side("b", {**PAIR, "yolo": Entrant(forward_ms=50.0)})
    whole, alone = build_changes(*sides), build_changes(*map(forget_records, sides))
    assert [m.speed for m in whole.models] == [m.speed for m in alone.models]


def test_conditions_that_changed_are_listed() -> None:
    then = make_side("a", PAIR, versions={"python": "3.12", "openvino": "2026.0"})
    config = CompareConfig(model=tuple(PAIR), device="cpu", seed=3)
    now = make_side("b", {**PAIR, "yolo": WORSE}, IMAGES[:6], versions={"python": "3.12"}, config=config)
    changed = {c.what: (c.before, c.after) for c in build_changes(then, now).conditions}
    assert changed["images"] == (12, 6)
    assert changed["openvino"] == ("2026.0", None)
    assert changed["--seed"] == (0, 3)
    assert changed["--device"] == ("auto", "cpu")
    assert changed["checksum of yolo (SHA-256)"] == ("a" * 64, "b" * 64)
    assert "python" not in changed
    assert "--conf" not in changed


def test_the_same_detections_in_other_times_are_not_nothing() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", {**PAIR, "yolo": Entrant(forward_ms=41.0)}))
    assert changes.findings[0].text.endswith("under the same conditions; no change in time is decided.")


def test_nothing_is_said_to_be_the_same_under_other_conditions() -> None:
    changes = build_changes(make_side("a", PAIR), make_side("b", PAIR, versions={"python": "3.13"}))
    assert changes.findings[0].text == "Every detection is the same; conditions changed that show in none."


@pytest.mark.parametrize(
    "broken",
    [
        {"models": {"yolo": {}}},
        {"models": {"yolo": None}, "pairs": [None, {"metric": "p50_ms"}], "command": 3, "conditions": []},
        {"models": {"yolo": {"status": "finished", "accuracy": {"ap50_95": "much"}, "speed": {"p50_ms": True}}}},
        {"models": {"yolo": {"status": "finished", "accuracy": {"per_class": {"car": 3}}, "net_hw": "wide"}}},
    ],
)
def test_reports_with_holes_do_not_break_it(broken: dict[str, Any]) -> None:
    side, hollow = make_side("a", PAIR), Side("b", broken, None)
    for pair in ((side, hollow), (hollow, side), (hollow, hollow)):
        content = changes_to_json(build_changes(*pair))
        assert json.loads(json.dumps(content, allow_nan=False)) == content
