"""An encoded picture that is being read, what its decoders yield, and how their complaints become our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

from detectattn.errors import DetectattnError, ImageTooLarge, MissingDecoder, TruncatedImage, UndecodableImage
from detectattn.sources.base import ReadOptions
from detectattn.sources.image_integrity import is_cut_short
from detectattn.types import U8, Reduced

CUT_WARNING = "cut short: decoded as far as it goes, the rest is blank"

_RETRY = "Fetch or copy the file again"
_ALLOW = f"{_RETRY}, or pass --allow-truncated to take it as far as it decodes"
_PARTLY_DECODABLE = frozenset({"JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "PSD"})


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One decoded picture of a file.

    Attributes:
        index: Its place in the file, from 0.
        bgr: u8[H, W, 3], upright.
        warnings: What was wrong with it and let pass.
        reduced: As in :class:`~detectattn.types.Frame`.
    """

    index: int
    bgr: U8
    warnings: tuple[str, ...] = ()
    reduced: Reduced | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A picture's bytes on their way to a decoder.

    Attributes:
        name: What messages call it.
        file: Its bytes, seekable.
        format: As :func:`~detectattn.sources.sniff.sniff_picture` names it.
        options: How it is to be read.
    """

    name: str
    file: BinaryIO
    format: str
    options: ReadOptions

    def check_size(self, size_wh: tuple[int, int]) -> None:
        """Refuse a picture before its pixels are made.

        Raises:
            ImageTooLarge: It has more than ``options.max_pixels``.
            UndecodableImage: It has none.
        """
        width, height = size_wh
        limit = self.options.max_pixels
        if width < 1 or height < 1:
            raise UndecodableImage(f"{self.name} has no pixels ({width} × {height})", hint=_RETRY)
        if width * height > limit:
            problem = f"{self.name} is {width} × {height} pixels, more than the limit of {limit:,}"
            raise ImageTooLarge(problem, hint="Scale it down, or cut it into tiles")
        if self.options.on_size is not None:
            self.options.on_size(width * height)

    def to_truncated(self, where: str = "", *, has_pixels: bool = True) -> TruncatedImage:
        """The error for a picture that is cut short; its hint depends on whether a part could be had."""
        can_allow = has_pixels and self.format in _PARTLY_DECODABLE and not self.options.allow_truncated
        hint = _ALLOW if can_allow else _RETRY
        return TruncatedImage(f"{self.name} is cut short{where}", hint=hint)

    def is_truncation(self, error: Exception) -> bool:
        """Whether a decoder's complaint means that the file ends too early."""
        return "truncated" in str(error).lower() or is_cut_short(self.file, self.format)

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn whatever a decoder raises into an error that names the file, what is wrong and what to do.

        Raises:
            TruncatedImage: The bytes end before the picture does.
            UndecodableImage: They are damaged, or of a kind that no decoder takes.
            ImageTooLarge: Its pixels do not fit into memory.
            MissingDecoder: Pillow was built without this format.
        """
        try:
            yield
        except DetectattnError:
            raise
        except (MemoryError, Image.DecompressionBombError) as error:
            problem = f"{self.name} needs more memory to decode than may be used"
            raise ImageTooLarge(problem, hint="Scale it down, or cut it into tiles") from error
        except Exception as error:  # on damaged bytes decoders raise nearly every kind
            raise self._to_error(error) from error

    def _to_error(self, error: Exception) -> DetectattnError:
        if isinstance(error, OSError) and error.errno is not None:
            return UndecodableImage(f"{self.name} cannot be read: {error.strerror}", hint="Check the file and the disk")
        feature = {"WEBP": "webp", "AVIF": "avif", "JPEG2000": "jpg_2000"}.get(self.format)
        if feature is not None and not _is_built_in(feature):
            problem = f"{self.name} is {self.format}, which the installed Pillow was built without"
            return MissingDecoder(problem, hint="Install Pillow's own wheel: pip install --force-reinstall pillow")
        if self.is_truncation(error):
            return self.to_truncated()
        return UndecodableImage(f"{self.name} is a damaged {self.format} picture ({_reason(error)})", hint=_RETRY)


def _is_built_in(feature: str) -> bool:
    from PIL import features

    return bool(features.check(feature))


def _reason(error: Exception) -> str:
    """The decoder's words on one line, or the kind of its complaint where it has none."""
    words = " ".join(str(error).split())
    return words[:120] or type(error).__name__
