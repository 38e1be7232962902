"""Which image of a file is which picture, whatever it is called and wherever it lies."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectattn.errors import AmbiguousTruth
from detectattn.evaluation.image_names import ImageName, match_images


@pytest.mark.parametrize(
    ("names", "sources", "expected"),
    [
        (["val2017/000139.jpg"], ["000139.jpg"], {0: "000139.jpg"}),
        (["a/1.jpg", "b/1.jpg"], ["b/1.jpg", "a/1.jpg"], {0: "a/1.jpg", 1: "b/1.jpg"}),
        (["a/1", "b/1"], ["set/b/1.png", "set/a/1.png"], {0: "set/a/1.png", 1: "set/b/1.png"}),
        (["x.jpg", "x.png"], ["x.png", "x.jpg"], {0: "x.jpg", 1: "x.png"}),
        (["BUS.JPG"], ["bus.jpg"], {0: "bus.jpg"}),
        (["a/1.jpg"], ["a/1.jpg", "b/1.jpg"], {0: "a/1.jpg"}),
        (["a/1.jpg", "c/1.jpg"], ["a/1.jpg", "b/1.jpg"], {0: "a/1.jpg"}),
        (["C:\\data\\bus.jpg"], ["bus.jpg"], {0: "bus.jpg"}),
        (["bus.jpg"], ["https://host/a%20b/bus.jpg?size=2"], {0: "https://host/a%20b/bus.jpg?size=2"}),
        (["frame.001", "frame.002"], ["frame.001.jpg", "frame.002.jpg"], {0: "frame.001.jpg", 1: "frame.002.jpg"}),
        (["Cafe\u0301.jpg"], ["Caf\u00e9.jpg"], {0: "Caf\u00e9.jpg"}),
        (["other.jpg"], ["bus.jpg"], {}),
    ],
)
def test_names_are_matched_from_their_ends(names, sources, expected):
    matched = match_images([ImageName(name) for name in names], [(source, 0) for source in sources])
    assert {i: key[0] for i, key in matched.items()} == expected


def test_labels_of_frames_are_matched_by_their_number():
    names = [ImageName("clip.mp4.p0003"), ImageName("clip.mp4.p0004")]
    assert match_images(names, [("v/clip.mp4", 4), ("v/clip.mp4", 3)]) == {0: ("v/clip.mp4", 3), 1: ("v/clip.mp4", 4)}


@pytest.mark.parametrize(
    ("names", "sources"), [(["a/1.jpg", "b/1.jpg"], ["1.jpg"]), (["1.jpg"], ["a/1.jpg", "b/1.jpg"])]
)
def test_names_that_do_not_tell_images_apart_are_refused(names, sources):
    with pytest.raises(AmbiguousTruth, match=r"1.jpg") as caught:
        match_images([ImageName(name) for name in names], [(source, 0) for source in sources])
    assert "folder" in caught.value.hint


def test_places_tell_apart_what_names_do_not(tmp_path):
    names = [ImageName(f"{split}/1", 0, tmp_path / split / "1") for split in ("train", "val")]
    (tmp_path / "val").mkdir()
    assert match_images(names, [("1.jpg", 0)], [tmp_path / "val"]) == {1: ("1.jpg", 0)}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), unique_by=tuple, max_size=12), st.randoms())
def test_a_prefix_on_either_side_changes_nothing(paths, random):
    names = ["/".join(path) + ".jpg" for path in paths]
    sources = [(f"root/{name}", 0) for name in names]
    random.shuffle(sources)
    matched = match_images([ImageName(f"other/place/{name}") for name in names], sources)
    assert matched == {i: (f"root/{name}", 0) for i, name in enumerate(names)}
