"""Ground truth of a study: found or named, checked before anything is measured, placed once the pictures are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detectattn.config import CompareConfig
from detectattn.errors import TruthMismatch
from detectattn.evaluation.class_map import apply_class_map, build_class_map, load_class_map
from detectattn.evaluation.find_truth import find_truth, load_truth
from detectattn.evaluation.image_names import ImageName, match_images, name_examples
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.remote_truth import copy_truth
from detectattn.evaluation.truth import CocoIndex, FrameKey, GroundTruth, TruthFile
from detectattn.evaluation.truth_voc import Difficult
from detectattn.storage import is_storage_url
from detectattn.types import Media
from detectattn.user_paths import expand_home

NO_TRUTH = "none"
"""What ``--truth`` says to leave aside what lies beside the images."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyTruth:
    """Ground truth as read, not yet in the terms of records.

    Attributes:
        file: As read.
        named: Whether a person named it.
        renames: The model's name by the ground truth's, of ``--class-map``.
        roots: What was given as sources, for matching names.
    """

    file: TruthFile
    named: bool
    renames: Mapping[str, str]
    roots: tuple[Path, ...]

    @property
    def coco(self) -> CocoIndex | None:
        """What ids mean, where it is a COCO file."""
        return self.file.coco

    def check_names(self, media: Sequence[Media]) -> None:
        """Refuse the ground truth of other images before a model is loaded.

        Raises:
            TruthMismatch: Not one of the pictures is in it.
            AmbiguousTruth: Names do not tell pictures apart.
        """
        images = [m.source for m in media if m.kind == "image"]
        if len(images) < len(media) or not images:
            return  # frames and pages are known only when they are read
        names = [ImageName(entry.name, entry.index, entry.path) for entry in self.file.entries]
        if not match_images(names, {(source, 0) for source in images}, self.roots):
            raise TruthMismatch(
                f"{self.file.path} is the ground truth of other images: it speaks of "
                f"{name_examples(e.name for e in self.file.entries)}, and the images are {name_examples(iter(images))}",
                hint="Name the ground truth of these images with --truth, or --truth none for a study without",
            )

    def check_classes(self, model: str, class_names: Mapping[int, str]) -> None:
        """Refuse a model that has no class in common with it.

        Raises:
            TruthMismatch: It has none; the message names the nearest.
        """
        build_class_map(self._without_images(), class_names, model)

    def place(self, frames: Mapping[FrameKey, tuple[int, int]] | None) -> GroundTruth:
        """The ground truth of these pictures; of its own images where None is given.

        Raises:
            TruthMismatch: Not one picture is in it, or all are of other proportions.
            AmbiguousTruth: Names do not tell pictures apart.
            BrokenTruth: Without ``frames``: an image whose size is nowhere to be found.
        """
        return self._rename(place_truth(self.file, frames, self.roots))

    def check_class_map(self) -> None:
        """Refuse a class map that names a class which the ground truth lacks.

        Raises:
            ConfigError: It does; the nearest is named.
        """
        self._without_images()

    def _without_images(self) -> GroundTruth:
        return self._rename(GroundTruth(self.file.class_names, {}, self.file.path, self.file.format))

    def _rename(self, truth: GroundTruth) -> GroundTruth:
        return apply_class_map(truth, self.renames) if self.renames else truth


def read_truth(config: CompareConfig, sources: Sequence[str]) -> StudyTruth | None:
    """Read the ground truth that is named, or lies beside the images.

    Raises:
        BrokenTruth: It cannot be read.
        AmbiguousTruth: Several files could be meant.
        FetchError: It lies in object storage and cannot be copied from there.
        ConfigError: The class map cannot be read, or names a class that does not exist.
    """
    if config.truth == NO_TRUTH:
        return None
    roots = tuple(Path(text) for text in sources if "://" not in text and text != "-")
    if is_storage_url(config.truth):
        named: Path | None = copy_truth(config.truth, offline=config.offline)
    else:
        named = expand_home(config.truth) if config.truth else None
    location = find_truth(roots, named)
    if location is None:
        return None
    difficult: Difficult = "count" if config.difficult == "count" else "ignore"
    renames = load_class_map(Path(config.class_map)) if config.class_map else {}
    truth = StudyTruth(load_truth(location, difficult), location.named, renames, roots)
    truth.check_class_map()
    return truth
