"""Conditions are read before a study begins: what is wrong with one is said with the nearest right thing."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detectattn.compare.gate_expression import COMPARE, Condition, Constant, Multiple, format_condition, parse_condition
from detectattn.compare.gate_figures import FIGURE_NAMES, FigureName, find_figure
from detectattn.compare.quantity import dimension_of
from detectattn.errors import ConfigError

MODELS = ("demo-rtdetr", "demo-yolo", "yolo11n.v2", "yolo11n", "rtdetr-l", "3d-net")


def read(text: str, models: tuple[str, ...] = MODELS) -> tuple[str, str, str, object]:
    condition = parse_condition(text, models)
    right = condition.right
    value: object = right.value if isinstance(right, Constant) else (right.factor, right.of.model, str(right.of.figure))
    return condition.left.model, str(condition.left.figure), condition.op, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo-rtdetr.ap50_95 < 0.6", ("demo-rtdetr", "accuracy.ap50_95", "<", 0.6)),
        ("demo-rtdetr.accuracy.ap50_95<=.6", ("demo-rtdetr", "accuracy.ap50_95", "<=", 0.6)),
        ("  demo-rtdetr.ap50_95   >=   60%  ", ("demo-rtdetr", "accuracy.ap50_95", ">=", 0.6)),
        ("demo-yolo.ap_small == 0", ("demo-yolo", "accuracy.ap_small", "==", 0.0)),
        ("demo-yolo.p50_ms > 50", ("demo-yolo", "speed.p50_ms", ">", 50.0)),
        ("demo-yolo.p50_ms > 50 ms", ("demo-yolo", "speed.p50_ms", ">", 50.0)),
        ("demo-yolo.p50_ms > 0.05 s", ("demo-yolo", "speed.p50_ms", ">", 50.0)),
        ("demo-yolo.load_s > 500ms", ("demo-yolo", "speed.load_s", ">", 0.5)),
        ("demo-yolo.peak_rss_mb > 500 MB", ("demo-yolo", "memory.peak_rss_mb", ">", 500.0)),
        ("demo-yolo.weights_mb > 1GB", ("demo-yolo", "size.weights_mb", ">", 1000.0)),
        ("demo-yolo.images_per_s < 30 images/s", ("demo-yolo", "speed.images_per_s", "<", 30.0)),
        ("demo-yolo.gflops != 6.5 GFLOPs", ("demo-yolo", "size.gflops", "!=", 6.5)),
        ("yolo11n.v2.p50_ms > 5", ("yolo11n.v2", "speed.p50_ms", ">", 5.0)),
        ("yolo11n.p50_ms > 5", ("yolo11n", "speed.p50_ms", ">", 5.0)),
        (
            "demo-yolo.per_class.traffic light.ap50 < 0.1",
            ("demo-yolo", "accuracy.per_class.traffic light.ap50", "<", 0.1),
        ),
        (
            "demo-yolo.accuracy.per_class.st. bernard.ap50_95 < 0.1",
            ("demo-yolo", "accuracy.per_class.st. bernard.ap50_95", "<", 0.1),
        ),
        (
            "demo-rtdetr.p50_ms > demo-yolo.p50_ms",
            ("demo-rtdetr", "speed.p50_ms", ">", (1.0, "demo-yolo", "speed.p50_ms")),
        ),
        (
            "demo-rtdetr.p50_ms > 1.5 * demo-yolo.p95_ms",
            ("demo-rtdetr", "speed.p50_ms", ">", (1.5, "demo-yolo", "speed.p95_ms")),
        ),
        ("demo-yolo.p50_ms>2*3d-net.p50_ms", ("demo-yolo", "speed.p50_ms", ">", (2.0, "3d-net", "speed.p50_ms"))),
        ("demo-yolo.load_s > 3d-net.p50_ms", ("demo-yolo", "speed.load_s", ">", (1.0, "3d-net", "speed.p50_ms"))),
    ],
)  # fmt: skip
def test_conditions(text: str, expected: tuple[str, str, str, object]) -> None:
    assert read(text) == expected


def test_the_longest_name_that_leaves_a_figure_is_taken() -> None:
    models = ("a", "a.speed", "a<b", "a=b c")
    assert read("a.speed.p50_ms > 1", models)[:2] == ("a.speed", "speed.p50_ms")
    assert read("a.speed.p50_ms > 1", ("a",))[:2] == ("a", "speed.p50_ms")
    assert read("a.accuracy.ap50 > 0", models)[:2] == ("a", "accuracy.ap50")
    assert read("a<b.ap50 > 0", models)[:2] == ("a<b", "accuracy.ap50")
    assert read("a=b c.ap50 > 0", models)[:2] == ("a=b c", "accuracy.ap50")


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("", "compares nothing", "Write it like"),
        ("demo-yolo.ap50_95", "compares nothing", "Write it like"),
        ("demo-yolo.ap50_95 = 0.6", "equality is written ==", "Write it like"),
        ("demo-yolo.ap50_95 <", "nothing stands after <", "Write it like"),
        ("< 0.5", "nothing stands before <", "Write it like"),
        ("demo-yol.ap50_95 < 0.6", "no model 'demo-yol'", "Did you mean demo-yolo"),
        ("Demo-YOLO.ap50_95 < 0.6", "no model 'Demo-YOLO'", "Did you mean demo-yolo"),
        ("resnet.ap50_95 < 0.6", "no model 'resnet'", "The models are demo-rtdetr, demo-yolo"),
        ("demo-yol.accuracy.ap50_95 < 0.6", "no model 'demo-yol'", "Did you mean demo-yolo"),
        ("ap50_95 < 0.6", "'ap50_95' names no model", "Write it like demo-rtdetr.ap50_95"),
        ("demo-yolo < 0.6", "demo-yolo names no figure", "Write it like demo-yolo.ap50_95"),
        ("demo-yolo.ap5095 < 0.6", "no figure 'ap5095'", "Did you mean ap50_95"),
        ("demo-yolo.speed.ap50 < 0.6", "no figure 'speed.ap50'", "Did you mean"),
        ("demo-yolo.mAP < 0.6", "no figure 'mAP'", "Here it is called ap50_95"),
        ("demo-yolo.fps < 30", "no figure 'fps'", "Here it is called images_per_s"),
        ("demo-yolo.zzz < 0.6", "no figure 'zzz'", "The most used ones are ap50_95"),
        ("demo-yolo.per_class.car.f1 < 0.6", "no figure 'per_class.car.f1'", "Write per_class.CLASS.FIGURE"),
        ("demo-yolo.per_class.ap50 < 0.6", "no figure 'per_class.ap50'", "Write per_class.CLASS.FIGURE"),
        ("demo-yolo.ap50_95 < 60", "lies between 0 and 1", "Write 0.6 or 60%"),
        ("demo-yolo.ap50_95 < -0.1", "lies between 0 and 1", "Write 0.6 or 60%"),
        ("demo-yolo.ap50_95 < 5 ms", "not measured in ms", "Write 0.6 or 60%"),
        ("demo-yolo.p50_ms > 50 MB", "not measured in MB", "Write 50 ms or 0.05 s"),
        ("demo-yolo.p50_ms > 50%", "not measured in %", "Write 50 ms or 0.05 s"),
        ("demo-yolo.p50_ms > 50 fps", "not measured in fps", "Write 50 ms or 0.05 s"),
        ("demo-yolo.gflops > 50 MB", "not measured in MB", "without a unit (GFLOPs is meant)"),
        ("demo-yolo.p50_ms > fast", "no model 'fast'", "The models are"),
        ("demo-yolo.p50_ms > demo-yol.p50_ms", "no model 'demo-yol'", "Did you mean demo-yolo"),
        ("demo-yolo.p50_ms > 2 * 3", "no model '3'", "The models are"),
        ("demo-yolo.p50_ms > 0 * demo-yolo.p50_ms", "the factor 0 is not above 0", "Write it like"),
        ("demo-yolo.p50_ms > demo-yolo.peak_rss_mb", "cannot be compared", "Compare figures of one kind"),
        ("demo-yolo.gflops > demo-yolo.params_m", "cannot be compared", "Compare figures of one kind"),
        ("demo-yolo.p50_ms > 5 > 4", "no model '5 > 4'", "The models are"),
    ],
)
def test_refusals_name_the_nearest(text: str, problem: str, hint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_condition(text, MODELS)
    assert problem in raised.value.problem
    assert f"--fail-if {text!r}" in raised.value.problem
    assert hint in raised.value.hint


def test_an_ambiguous_figure_names_the_candidates() -> None:
    with pytest.raises(
        ConfigError, match=r"several figures: operating_points\.at_conf\.f1, .*\.best_f1\.f1, "
    ) as raised:
        parse_condition("demo-yolo.f1 < 0.3", MODELS)
    assert raised.value.hint == "Write one of them in full"
    assert read("demo-yolo.at_conf.f1 < 0.3")[1] == "operating_points.at_conf.f1"


def test_the_figures_of_tables_need_no_path() -> None:
    for name in ("ap50_95", "ap_small", "ar_100", "p50_ms", "images_per_s", "load_s", "peak_rss_mb", "gflops"):
        figure = find_figure(name)
        assert figure is not None
        assert figure.keys[-1] == name


def test_every_figure_is_found_by_its_path() -> None:
    for figure in FIGURE_NAMES:
        assert find_figure(str(figure)) == figure


# Names as -m gives them, and as file names do.
NAMES = st.from_regex(r"[\w@+-][\w.@+ -]{0,12}[\w@+-]", fullmatch=True)
CLASSES = st.text(
    st.characters(blacklist_characters="<>=!\n", blacklist_categories=("Cs", "Zl", "Zp", "Cc")), min_size=1
)
CLASS_FIGURES = st.builds(
    lambda name, last: FigureName(("accuracy", "per_class", name, last), ""),
    CLASSES.filter(lambda name: name == name.strip()),
    st.sampled_from(["ap50_95", "ap50", "ar_100"]),
)
FIGURES = st.sampled_from(FIGURE_NAMES) | CLASS_FIGURES


def values_of(figure: FigureName) -> st.SearchStrategy[float]:
    most = 1.0 if figure.unit == "" else 1e12
    return st.floats(0, most, allow_subnormal=False, exclude_min=True).filter(lambda v: v > 1e-290)


@given(st.data())
def test_a_condition_is_read_as_it_is_written(data: st.DataObject) -> None:
    models = tuple(data.draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)))
    left, right = data.draw(FIGURES), data.draw(FIGURES)
    names = data.draw(st.tuples(st.sampled_from(models), st.sampled_from(models)))
    # One text must not be two figures: "a" and "a.speed" share some.
    for name, figure in zip(names, (left, right), strict=True):
        longer = [m for m in models if m != name and f"{name}.{figure}".startswith(f"{m}.") and len(m) > len(name)]
        assume(not longer)
    op = data.draw(st.sampled_from(list(COMPARE)))
    same = dimension_of(left.unit) == dimension_of(right.unit) and (dimension_of(left.unit) != "other" or left == right)
    space = data.draw(st.sampled_from(["", " ", "   "]))
    if same and data.draw(st.booleans()):
        factor = data.draw(st.floats(0.01, 1e6))
        value = f"{factor!r}{space}*{space}{names[1]}.{right}"
        expected: object = (factor, names[1], str(right))
    else:
        expected = data.draw(values_of(left))
        value = repr(expected)
    text = f"{space}{names[0]}.{left}{space}{op}{space}{value}{space}"
    assert read(text, models) == (names[0], str(left), op, expected)
    condition = parse_condition(text, models)
    again = parse_condition(format_condition(condition), models)
    assert (again.left, again.op, again.right) == (condition.left, condition.op, condition.right)


@given(st.text(max_size=60) | st.from_regex(r"demo-yolo\.[a-z0-9_.]* ?[<>=!]{0,3} ?[0-9.a-zA-Z%* -]*", fullmatch=True))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text, MODELS)
    except ConfigError:
        return
    assert isinstance(condition, Condition)
    assert condition.left.model in MODELS
    assert isinstance(condition.right, Constant | Multiple)
