"""Pictures in object storage for the gate and for calibration: as many as are needed, since they are read again."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from detectattn.conversion.calibration import spread_evenly
from detectattn.errors import EmptySource
from detectattn.fetch import FetchLimits, redact_url
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.suffixes import VIDEO_SUFFIXES
from detectattn.storage.file import fetch_object
from detectattn.types import Media

_LIMITS = FetchLimits(max_bytes=500_000_000)
# Reading on to find out how many pictures there are ends here.
_MOST_LISTED = 100_000


def copy_pictures(url: str, limit: int, folder: Path, *, offline: bool = False) -> Path:
    """Copy pictures, spread evenly over what lies at an address, under the names that they have below it.

    Args:
        url: An object, a folder or a pattern in object storage. Videos are left out.
        limit: Pictures at most.
        folder: Where they go; it may be missing.
        offline: Refuse before anything is sent.

    Returns:
        The folder.

    Raises:
        SourceError: There are none.
        FetchError: They cannot be listed, or one of them cannot be copied.
        OutputError: The folder cannot be written.
    """
    listed = islice(open_sources([url], ReadOptions(offline=offline)).iter_media(ReadCounts()), _MOST_LISTED)
    pictures = [item for item in listed if isinstance(item, Media) and not _is_video(item)]
    if not pictures:
        raise EmptySource(f"{redact_url(url)} holds no pictures", hint="Name a folder with pictures")
    for picture in spread_evenly(pictures, limit):
        fetch_object(str(picture.location), folder / picture.output, _LIMITS, offline=offline)
    return folder


def _is_video(media: Media) -> bool:
    return media.output.suffix.lower() in VIDEO_SUFFIXES
