"""Ground truth in Pascal VOC: pixels from 1, difficult objects, and errors that name what is missing."""

import pytest

from detectattn.errors import BrokenTruth
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_voc import load_voc


def test_voc_counts_pixels_from_1_and_ignores_difficult_objects(picture, tmp_path):
    picture.write_voc(tmp_path / "Annotations" / "bus.xml", difficult={"dog"})
    truth = place_truth(load_voc(tmp_path / "Annotations"), picture.frames)
    assert picture.objects_of(truth) == picture.objects
    assert truth.images["bus.jpg", 0].ignored.tolist() == [False, True]
    counted = load_voc(tmp_path / "Annotations", "count")
    assert not counted.entries[0].ignored.any()
    assert counted.notes == ("1 object marked difficult: counted",)


def test_voc_with_coordinates_from_0_is_taken_as_it_is(picture, tmp_path):
    picture.write_voc(tmp_path / "bus.xml", [("cat", -1.0, -1.0, 60.0, 80.0)], size=False)
    file = load_voc(tmp_path / "bus.xml")
    assert picture.objects_of(place_truth(file, picture.frames)) == (("cat", 0, 0, 60, 80),)
    assert "plain coordinates" in file.notes[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<annotation><object>", "broken XML: no element found: line 1"),
        ("<annotation><object><name>cat</name></object></annotation>", "object 1 (cat): <bndbox><xmin> is missing"),
        ("<annotation><object/></annotation>", "object 1: <name> is missing"),
        ("<other/>", "holds no VOC annotation"),
    ],
)
def test_voc_names_what_is_missing(tmp_path, text, problem):
    (tmp_path / "bus.xml").write_text(text)
    with pytest.raises(BrokenTruth) as caught:
        load_voc(tmp_path)
    assert problem in caught.value.problem
