"""An image file becomes frames: judged by its bytes, measured before it is decoded, upright, in u8 BGR.

Formats: JPEG (also CMYK, YCCK, multi-picture), PNG and APNG, GIF, WebP, TIFF (also Lab, 16-bit, floating point), AVIF,
HEIC, JPEG 2000, PNM, BMP, ICO, PSD, QOI. Animations and multi-page files give every picture. How sample depths and
transparency are treated stands in :mod:`detectattn.sources.image_pixels`. Safe to call from several threads.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from detectattn.errors import LfsPointer, SourceError, SourceNotFound, UndecodableImage
from detectattn.sources.base import ReadOptions
from detectattn.sources.doubtful import is_doubtful, is_own_file
from detectattn.sources.image_encoded import Encoded, Page
from detectattn.sources.image_heif import iter_heif_pages
from detectattn.sources.image_jpeg import iter_jpeg_pages
from detectattn.sources.image_pillow import iter_pillow_pages
from detectattn.sources.image_tiff import iter_tiff_pages
from detectattn.sources.naming import to_one_line
from detectattn.sources.sniff import HEAD_BYTES, LFS_PREFIX, describe_content, sniff_picture
from detectattn.types import Frame, Media

_PAGES: Mapping[str, Callable[[Encoded], Iterator[Page]]] = {
    "JPEG": iter_jpeg_pages,
    "HEIF": iter_heif_pages,
    "TIFF": iter_tiff_pages,
}

# Pillow comments on odd metadata through warnings; what matters of it is in our errors. Filters are the process's, so
# this is done once, and only for warnings that Pillow's own modules issue.
warnings.filterwarnings("ignore", module=r"PIL\.")


def iter_image_frames(media: Media, options: ReadOptions) -> Iterator[Frame]:
    """Decode the pictures of an image file.

    Args:
        media: ``location`` is a path, the encoded bytes themselves, or pixels, which become a frame as they are.
        options: ``max_pixels``, ``allow_truncated``, ``at_least_hw``, ``in_full`` and ``isolation`` apply.

    Yields:
        Every picture of the file, in order. With ``allow_truncated`` one that breaks off comes as far as it decodes,
        with a warning, and is the last.

    Raises:
        SourceNotFound: The file is gone.
        LfsPointer: It is a Git LFS pointer.
        TruncatedImage: It is cut short, and that is not allowed, or nothing of it decodes.
        UndecodableImage: It is no picture, or damaged.
        ImageTooLarge: A picture has more than ``max_pixels``.
        MissingDecoder: The package that decodes its format is missing.
        DecoderCrashed, DecoderHung: It did that to the process that decodes it.
    """
    location = media.location
    if isinstance(location, np.ndarray):
        yield Frame(media, 0, location)
        return
    if not isinstance(location, Path | bytes):
        raise TypeError(f"an image is read from a path or bytes, got {type(location).__name__}")
    name = to_one_line(media.source)
    with _open_content(location, name) as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        picture_format = sniff_picture(head)
        if picture_format is None:
            raise _to_no_picture(name, head)
        isolation = options.isolation
        if isolation is not None and (isolation.everything or is_doubtful(file, picture_format)):
            content = file.read() if isinstance(location, Path) and is_own_file(location) else None
            yield from isolation.iter_frames(media, options, content)
            return
        encoded = Encoded(name, file, picture_format, options)
        for page in _PAGES.get(picture_format, iter_pillow_pages)(encoded):
            yield Frame(media, page.index, page.bgr, warnings=page.warnings, reduced=page.reduced)


@contextmanager
def _open_content(location: Path | bytes, name: str) -> Iterator[BinaryIO]:
    if isinstance(location, bytes):
        yield io.BytesIO(location)
        return
    with _open_path(location, name) as file:
        yield file if file.seekable() else io.BytesIO(file.read())


def _open_path(path: Path, name: str) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise SourceNotFound(f"{name} does not exist", hint="Check the path") from error
    except OSError as error:
        raise SourceError(f"{name} cannot be opened: {error.strerror}", hint="Check its permissions") from error


def _to_no_picture(name: str, head: bytes) -> UndecodableImage:
    if head.startswith(LFS_PREFIX):
        return LfsPointer(f"{name} is a Git LFS pointer, not the picture itself", hint="Fetch it: git lfs pull")
    content = describe_content(head)
    return UndecodableImage(f"{name} is no picture: it is {content}", hint=_HINTS.get(content, _DEFAULT_HINT))


_DEFAULT_HINT = "Give a picture, or leave this file out"
_HINTS = {
    "an empty file": "Fetch or copy it again",
    "nothing but zero bytes": "Fetch or copy it again",
    "an HTML page": "Probably an error page was saved in place of the picture: fetch it again",
    "an SVG drawing": "Render it to PNG first",
    "a PDF document": "Render its pages to PNG first, such as with pdftoppm",
    "a video": "Give it a video's suffix, such as .mp4",
    "text": "Give a picture; a list of paths is read when its name ends in .txt",
}
