"""Classes are matched by name, and what does not match is said."""

import numpy as np
import pytest

from detectattn.errors import ConfigError, TruthMismatch
from detectattn.evaluation.align import align_predictions
from detectattn.evaluation.class_map import UnmatchedClass, apply_class_map, build_class_map, load_class_map
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.types import Detections, Prediction


def truth_with(*names, objects=None):
    index = np.array(range(len(names)) if objects is None else objects, np.int32)
    n = len(index)
    xyxy = np.tile(np.array([0, 0, 10, 10], np.float32), (n, 1))
    image = ImageTruth((50, 50), xyxy, index, np.zeros(n, bool), np.zeros(n, bool), np.full(n, 100.0))
    return GroundTruth(names, {("a.jpg", 0): image})


def prediction_of(names, class_ids):
    n = len(class_ids)
    found = Detections(np.zeros((n, 4), np.float32), np.full(n, 0.5, np.float32), np.array(class_ids, np.int32))
    return Prediction("a.jpg", 0, (50, 50), found, "m", names)


def test_by_name_in_any_case_and_never_by_index():
    found = build_class_map(truth_with("cat", "Dog"), {0: "dog ", 1: "CAT", 2: "zebra"})
    assert found.truth_index == {0: 1, 1: 0}
    assert found.only_model == (UnmatchedClass("zebra", ()),)
    assert found.only_truth == ()


def test_what_only_one_side_has_comes_with_the_nearest_names():
    found = build_class_map(truth_with("motorbike", "cat", "unused", objects=[0, 1]), {0: "motorcycle", 1: "cat"})
    assert found.only_truth == (UnmatchedClass("motorbike", ("motorcycle",)),)
    assert str(found.only_model[0]) == "motorcycle (nearest: motorbike)"


def test_nothing_in_common_is_an_error_that_shows_what_to_write():
    with pytest.raises(TruthMismatch) as caught:
        build_class_map(truth_with("pedestrians", "tvmonitor"), {0: "pedestrian", 1: "bus"}, "yolo")
    assert caught.value.problem == (
        "yolo and the ground truth have no class in common: the truth has pedestrians, tvmonitor, "
        "the model has pedestrian, bus"
    )
    assert "`pedestrians: pedestrian`" in caught.value.hint


def test_a_class_map_lets_both_names_mean_the_class():
    truth = apply_class_map(truth_with("tvmonitor", "cat"), {"TVmonitor": "tv"})
    assert truth.class_names == ("tvmonitor", "cat")
    assert build_class_map(truth, {7: "TV", 8: "cat"}).truth_index == {7: 0, 8: 1}
    assert build_class_map(truth, {7: "tvmonitor"}).truth_index == {7: 0}


def test_classes_with_one_target_become_one_for_every_model():
    truth = apply_class_map(truth_with("van", "car", "cat", objects=[0, 1, 1, 2]), {"van": "car"})
    assert truth.class_names == ("car", "cat")
    assert truth.count_objects().tolist() == [[3, 1]]
    # A model that tells vans from cars is judged on the same terms.
    aligned = align_predictions(truth, [prediction_of({0: "van", 1: "car", 2: "cat", 3: "dog"}, [0, 1, 2, 3, 3])])
    assert aligned.class_index.tolist() == [0, 0, 1]
    assert aligned.left_out == {"dog": 2}


def test_names_that_differ_in_case_alone_are_one_class():
    truth = apply_class_map(truth_with("Car", "car"), {})
    assert truth.count_objects().tolist() == [[2]]


def test_an_unknown_name_in_the_map_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="no class 'peson'") as caught:
        apply_class_map(truth_with("person", "cat"), {"peson": "human"})
    assert "person" in caught.value.hint


def test_the_file(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text("tvmonitor: tv\n3: three\n")
    assert load_class_map(path) == {"tvmonitor": "tv", "3": "three"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [b, c]", "a must have one name"),
        ("a:", "a must have one name, got None"),
        ("- a", "holds no class names"),
        ("", "holds no class names"),
        ("a: b: c", "broken YAML (line "),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_broken_file_is_explained(tmp_path, text, problem):
    path = tmp_path / "map.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_class_map(path)
    assert problem in caught.value.problem
    assert caught.value.exit_code == 2


def test_of_two_records_of_an_image_the_last_counts():
    truth = truth_with("cat")
    names = {0: "cat"}
    aligned = align_predictions(truth, [prediction_of(names, [0, 0, 0]), prediction_of(names, [0])])
    assert len(aligned.score) == 1
    assert aligned.missing_count == 0
