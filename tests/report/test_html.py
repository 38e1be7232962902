"""``report.html``: everything that the report says is there, in its place."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from detectattn.report.content import Memory, Report, Sentence
from detectattn.report.html import render_html
from detectattn.report.markdown import render_markdown
from detectattn.report.plots import build_plots
from samples.studies.galleries import make_gallery
from tests.report.html_pages import Element, read_page, read_table
from tests.report.test_markdown import read_tables

KINDS = ("study", "without_truth", "lone")


def open_report(report: Report) -> Element:
    return read_page(render_html(report))


def find_rows(page: Element, anchor: str) -> list[list[str]]:
    [table] = page.by_id(anchor).find("table")
    return read_table(table)[1:]


@pytest.mark.parametrize("name", KINDS)
def test_every_figure_of_the_text_report_is_on_the_page(name: str, request: pytest.FixtureRequest) -> None:
    report: Report = request.getfixturevalue(name)
    page = open_report(report)
    shown = {tuple(row) for table in page.find("table") for row in read_table(table)}
    for table in read_tables(render_markdown(report)):
        for row in table[1:]:
            cells = [" ".join(cell.split()) for cell in row]
            if table[0][0] == "outcome":
                assert all(cell in page.of_class("gates")[0].words for cell in cells)
            else:
                # The page tells a screen reader what the mark says.
                assert (cells[0].replace("●", "●beaten by none"), *cells[1:]) in shown


@pytest.mark.parametrize("name", KINDS)
def test_verdict_and_caveats_stand_word_for_word(name: str, request: pytest.FixtureRequest) -> None:
    report: Report = request.getfixturevalue(name)
    page = open_report(report)
    for sentence in report.verdict:
        # An answer ends with a full stop of its own.
        answered = sentence.text.replace(": ", ". ", 1)
        assert any(text in page.by_id("verdict").words for text in (sentence.text, answered))
    assert [page.words.count(caveat.text) for caveat in report.caveats] == [1] * len(report.caveats)


def test_caveats_stand_where_their_figures_stand(study: Report) -> None:
    page = open_report(study)
    places = {"images": "verdict", "model": "verdict", "speed": "speed", "pixels": "speed", "agreement": "agreement"}
    for caveat in study.caveats:
        [notes] = page.by_id(places.get(caveat.topic, "accuracy")).of_class("caveats")
        assert caveat.text in [item.words for item in notes.find("li")]


def test_what_is_decided_is_told_in_words(study: Report) -> None:
    verdict = (
        Sentence("speed", "a is faster: 1 ms against 2 ms.", ("a",), True),
        Sentence("accuracy", "Nobody knows. It is open.", ("a", "b"), False),
        Sentence("budget", "None fits.", ()),
    )
    page = open_report(replace(study, verdict=verdict))
    [leading] = page.of_class("verdict")
    said = [(item.of_class("question")[0].words, item.find("p")[0].words) for item in leading.find("li")]
    assert said == [
        ("Speed decided", "a is faster. 1 ms against 2 ms."),
        ("Accuracy not decided", verdict[1].text),
        ("Budget", verdict[2].text),
    ]
    assert leading.of_class("answer")[0].words == "a is faster."


def test_an_answer_ends_where_its_sentence_does_and_not_within_a_name(study: Report) -> None:
    named = (Sentence("speed", "a: b is faster than c: it takes 1 ms.", ("a: b", "c"), True),)
    [answer] = open_report(replace(study, verdict=named)).of_class("answer")
    [rest] = open_report(replace(study, verdict=named)).of_class("rest")
    assert (answer.words, rest.words) == ("a: b is faster than c.", "It takes 1 ms.")


def test_an_answer_from_times_that_are_not_trusted_is_not_decided(study: Report) -> None:
    [leading] = open_report(study).of_class("verdict")
    assert [item.of_class("state")[0].words for item in leading.find("li")] == ["not trusted", "decided"]


def test_lengths_compare_memory_of_one_kind_alone(study: Report) -> None:
    def has_length(report: Report) -> list[bool]:
        rows = [row for card in open_report(report).of_class("card") for row in card.find("dl")[:1]]
        facts = [fact for row in rows for fact in row.find("div") if fact.find("dt")[0].words == "Peak memory"]
        return [bool(fact.of_class("length")) for fact in facts]

    assert has_length(study) == [False, False]
    alike = replace(study, models=tuple(replace(m, memory=m.memory and Memory(600, None)) for m in study.models))
    assert has_length(alike) == [True, True]


def test_a_pair_that_is_not_decided_stays_as_it_is(study: Report) -> None:
    [decided, open_] = study.ratios
    rows = find_rows(open_report(study), "table-ratios")
    assert [row[1:3] for row in rows] == [["yolo11n", "rtdetr-l"], [open_.a, open_.b]]
    contradicted = replace(decided, figures=replace(decided.figures, value_a=decided.figures.value_b - 1))
    [row] = find_rows(open_report(replace(study, ratios=(contradicted,))), "table-ratios")
    assert row[1:3] == [decided.a, decided.b]


def test_most_disputed_pictures_beyond_ten_are_folded_away(study: Report) -> None:
    many = tuple(replace(study.disputed[0], source=f"{i}.jpg") for i in range(25))
    page = open_report(replace(study, disputed=many))
    assert [len(find_rows(page, f"table-disputed{end}")) for end in ("", "-rest")] == [10, 10]
    [fold] = [e for e in page.by_id("agreement").find("details") if e.find("table")]
    assert "And 5 more" in fold.words
    assert find_rows(page, "table-disputed-rest")[0][:2] == ["11", "10.jpg"]


def test_names_of_models_carry_their_marks(study: Report) -> None:
    page = open_report(study)
    [name] = [e for e in page.of_class("answer")[0].of_class("name") if e.words == "yolo11n"]
    [sign] = name.find("path")
    card = next(card for card in page.of_class("card") if card.find("h3")[0].words == "yolo11n")
    assert card.find("path")[0].attributes == sign.attributes
    assert (sign.attributes["fill"] or "none") in (card.attributes["style"] or "")


def test_a_model_has_a_card_with_its_figures(study: Report) -> None:
    cards = {card.find("h3")[0].words: card for card in open_report(study).of_class("card")}
    assert list(cards) == ["rtdetr-l", "yolo11n", "broken", "elsewhere"]
    facts = {item.find("dt")[0].words: item.find("dd")[0].words for item in cards["rtdetr-l"].find("dl")[0].find("div")}
    assert facts["Time an image"] == "103 ms (101–105)"
    assert facts["Throughput"] == "10.9 images/s 14.1 at batch 4"
    assert facts["Peak memory"] == "512 MB of its device"
    assert facts["AP"] == "0.610 (0.540–0.670)"
    assert facts["Size"] == "6.50 GFLOPs 2.60 M parameters"
    assert facts["Operating point"] == "score 0.412 301 found; its best F1 on these images"
    assert "1 of its variants" in cards["rtdetr-l"].words
    assert "Failed. the process was killed for memory" in cards["broken"].words
    assert cards["broken"].find("dl") == []


def test_a_time_that_is_not_trusted_says_why(study: Report) -> None:
    page = open_report(study)
    card = next(card for card in page.of_class("card") if card.find("h3")[0].words == "yolo11n")
    doubted = [item.words for item in card.of_class("doubted")]
    assert doubted[0] == ("Time an image 43.1 ms† its rounds differ by 14%, and 10% is the most that can be trusted")
    [table] = page.by_id("table-latency").find("table")
    assert [row.find("th")[0].words for row in table.of_class("doubted")] == ["yolo11n"]
    assert "not to be trusted" in page.by_id("table-latency").words


def test_failed_gates_come_first(study: Report) -> None:
    [gates] = open_report(study).of_class("gates")
    assert [item.find("span")[0].words for item in gates.find("li")] == ["failed", "passed"]
    assert "yolo11n.p50_ms > 40 ms" in gates.find("li")[0].words


def test_an_interrupted_study_says_so(study: Report) -> None:
    told = "Interrupted. Models are missing from this report."
    assert told in open_report(replace(study, status="interrupted")).words
    assert told not in open_report(study).words


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("study", ["speed", "memory", "accuracy", "agreement", "frontier", "conditions"]),
        ("without_truth", ["speed", "memory", "accuracy", "agreement", "frontier", "conditions"]),
        ("lone", ["memory", "conditions"]),
    ],
)
def test_sections_follow_from_what_there_is(name: str, sections: list[str], request: pytest.FixtureRequest) -> None:
    page = open_report(request.getfixturevalue(name))
    assert [e.attributes["id"] for e in page.find("section")] == ["verdict", *sections, "command"]
    [nav] = page.find("nav")
    assert [link.attributes["href"] for link in nav.find("a")] == [f"#{anchor}" for anchor in ("verdict", *sections)]


def test_without_truth_only_that_is_said_of_accuracy(without_truth: Report) -> None:
    section = open_report(without_truth).by_id("accuracy")
    assert "There is no ground truth" in section.words
    assert section.find("table", "figure") == []


def test_plots_are_embedded_with_their_words(study: Report) -> None:
    page = open_report(study)
    plots = {plot.name: plot for plot in build_plots(study)}
    shown = {e.attributes["data-plot"]: e for e in page.walk() if "data-plot" in e.attributes}
    assert shown.keys() == plots.keys()
    embedded = json.loads(page.by_id("plots-data").source)
    assert embedded["specs"] == json.loads(json.dumps({name: plot.spec for name, plot in plots.items()}))
    assert embedded["themes"].keys() == {"light", "dark"}
    for name, plot in plots.items():
        assert shown[name].attributes["aria-label"] == plot.alt
        assert plot.title in page.by_id(f"plot-{name}").words


def test_the_frontier_is_drawn_on_the_first_screen(study: Report) -> None:
    assert "plot-frontier" in [e.attributes.get("id") for e in open_report(study).by_id("verdict").find("figure")]


def test_without_figures_to_plot_no_library_is_carried(lone: Report) -> None:
    bare = replace(lone, models=tuple(replace(m, size=None) for m in lone.models))
    assert build_plots(bare) == ()
    assert len(render_html(bare)) < 100_000


def test_disputed_pictures_are_shown_where_there_is_no_browser(study: Report) -> None:
    [image] = open_report(study).find("img")
    assert image.attributes["src"] == "pictures/001-bus%20%281%29.jpg.jpg"
    assert image.attributes["alt"] == "street/bus.jpg, the models side by side"
    assert find_rows(open_report(study), "table-disputed")[1][1] == "clip.mp4, frame 25"


def test_pictures_are_browsed_where_there_are_any(study: Report) -> None:
    page = read_page(render_html(study, make_gallery(("rtdetr-l", "yolo11n"), 3, inline=1)))
    assert json.loads(page.by_id("explorer-data").source)["models"][0]["name"] == "rtdetr-l"
    sections = [e.attributes["id"] for e in page.find("section")]
    assert sections.index("frontier") < sections.index("pictures") < sections.index("conditions")
    empty = make_gallery(("rtdetr-l",), 0)
    assert "pictures" not in [e.attributes["id"] for e in read_page(render_html(study, empty)).find("section")]


def test_the_command_can_be_typed_again(study: Report) -> None:
    page = open_report(study)
    assert page.by_id("command-line").text == (
        "detectattn compare street/images clip.mp4 -m rtdetr-l --fail-if 'rtdetr-l.ap50_95 < 0.6'"
    )


def test_numbers_of_curves_are_in_tables(study: Report) -> None:
    page = open_report(study)
    row = find_rows(page, "table-precision-recall")[0]
    assert row[:3] == ["rtdetr-l", "1.000", "0.967"]
    assert find_rows(page, "table-reliability")[0][1:] == ["0.9–1.0", "301", "0.930", "0.851", "0.806–0.887"]
    assert ["rtdetr-l", "car", "nothing", "27"] in find_rows(page, "table-all-confusions")
    assert ["rtdetr-l", "nothing", "car", "19"] in find_rows(page, "table-all-confusions")
    every = find_rows(page, "table-all-class-differences")
    assert [(row[0], row[6]) for row in every] == [("bus", "yes"), ("tram", "no")]


def test_the_same_report_gives_the_same_page(study: Report) -> None:
    assert render_html(study) == render_html(study)
