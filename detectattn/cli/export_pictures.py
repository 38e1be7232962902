"""The pictures that ``export`` converts and judges by, and their ground truth: on this machine, or brought here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.conversion.calibration import CALIBRATION_PICTURES, GATE_PICTURES
from detectattn.conversion.pictures import (
    MIN_CALIBRATION,
    PictureSample,
    require_pictures,
    sample_shipped,
    sample_sources,
    split_sample,
)
from detectattn.conversion.remote_pictures import copy_pictures
from detectattn.evaluation.remote_truth import copy_truth
from detectattn.fetch import redact_url
from detectattn.storage import is_storage_url
from detectattn.user_paths import expand_home


@dataclass(frozen=True, slots=True)
class GateSources:
    """Where pictures are from.

    Attributes:
        calibrate: Source of pictures for INT8, a path or an address of object storage; empty for none.
        pictures: Likewise, of pictures to compare on; empty for the default.
        limit: How many of the latter at most.
        offline: Refuse every download.
    """

    calibrate: str
    pictures: str
    limit: int
    offline: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class GatePictures:
    """What a conversion is made and judged on.

    Attributes:
        gate: Pictures to compare on.
        calibration: Pictures to calibrate on; None where that is not needed.
        roots: What the former come from, here, for matching names.
    """

    gate: PictureSample
    calibration: PictureSample | None
    roots: tuple[Path, ...]


def sample_pictures(sources: GateSources, temp_dir: Path) -> GatePictures:
    """Pictures to compare on, and pictures to calibrate on where that is needed.

    Args:
        sources: What was named.
        temp_dir: Where pictures from object storage are kept for as long as the conversion takes.

    Raises:
        SourceError: There are none, or too few.
        FetchError: They cannot be copied.
    """
    gate, calibration, roots = None, None, tuple[Path, ...]()
    if sources.calibrate:
        root = _bring(sources.calibrate, CALIBRATION_PICTURES + GATE_PICTURES, temp_dir / "calibrate", sources)
        sample = _sample(root, CALIBRATION_PICTURES + GATE_PICTURES, sources.calibrate)
        require_pictures(sample, MIN_CALIBRATION, "--calibrate")
        gate, calibration = split_sample(sample)
        roots = (Path(root),)
    if sources.pictures:
        root = _bring(sources.pictures, sources.limit, temp_dir / "pictures", sources)
        gate = _sample(root, sources.limit, sources.pictures)
        roots = (Path(root),)
    if gate is None:
        gate = sample_shipped(sources.limit)
    require_pictures(gate, 1, "--pictures")
    return GatePictures(replace(gate, limit=min(gate.limit, sources.limit)), calibration, roots)


def _bring(text: str, limit: int, folder: Path, sources: GateSources) -> str:
    """A source that is on this machine."""
    return str(copy_pictures(text, limit, folder, offline=sources.offline)) if is_storage_url(text) else text


def _sample(root: str, limit: int, named: str) -> PictureSample:
    sample = sample_sources((root,), limit)
    return sample if root == named else replace(sample, said=redact_url(named))


def bring_truth(named: str, *, offline: bool) -> Path | None:
    """The ground truth as a path of this machine: what lies in object storage is copied into the cache.

    Raises:
        BrokenTruth: There is nothing of that name in object storage.
        FetchError: It cannot be copied.
    """
    if is_storage_url(named):
        return copy_truth(named, offline=offline)
    return expand_home(named) if named else None
