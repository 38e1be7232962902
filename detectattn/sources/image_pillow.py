"""Every format that Pillow decodes, page by page, so that a file of ten thousand pages needs the memory of one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import count

from PIL import Image, ImageFile, TiffImagePlugin

from detectattn.sources.image_encoded import CUT_WARNING, Encoded, Page
from detectattn.sources.image_integrity import is_cut_short
from detectattn.sources.image_orientation import read_orientation
from detectattn.sources.image_pixels import to_bgr, to_upright

_LOST_FRAMES_WARNING = "the file is cut short: later frames are missing"

_READERS = {
    "PNG": "PIL.PngImagePlugin:PngImageFile",
    "GIF": "PIL.GifImagePlugin:GifImageFile",
    "TIFF": "PIL.TiffImagePlugin:TiffImageFile",
    "WEBP": "PIL.WebPImagePlugin:WebPImageFile",
    "AVIF": "PIL.AvifImagePlugin:AvifImageFile",
    "JPEG2000": "PIL.Jpeg2KImagePlugin:Jpeg2KImageFile",
    "BMP": "PIL.BmpImagePlugin:BmpImageFile",
    "PPM": "PIL.PpmImagePlugin:PpmImageFile",
    "ICO": "PIL.IcoImagePlugin:IcoImageFile",
    "PSD": "PIL.PsdImagePlugin:PsdImageFile",
    "QOI": "PIL.QoiImagePlugin:QoiImageFile",
}
_NEW_SUBFILE_TYPE = 254
_REDUCED_OR_MASK = 0b101
_MANY_PICTURES = frozenset({"PNG", "GIF", "TIFF", "WEBP", "AVIF"})


def iter_pillow_pages(encoded: Encoded) -> Iterator[Page]:
    """Yield every picture of a file.

    Reduced-resolution copies and masks inside a TIFF (pyramids, previews) are not pictures of their own and left out.

    Raises:
        TruncatedImage, UndecodableImage, ImageTooLarge, MissingDecoder: As :meth:`Encoded.translate_errors` says.
    """
    with encoded.translate_errors():
        image = _open_by_pillow(encoded)
        cut = encoded.format == "GIF" and is_cut_short(encoded.file, "GIF")
    for index in count():
        with encoded.translate_errors():
            if not _seek(encoded, image, index):
                break
            if _is_secondary(image, index):
                continue
            encoded.check_size(image.size)
            page = _decode_page(encoded, image, index, (_LOST_FRAMES_WARNING,) if cut else ())
        yield page
        if CUT_WARNING in page.warnings:
            return
    if cut and not encoded.options.allow_truncated:
        raise encoded.to_truncated(f" after frame {index - 1}")


def _open_by_pillow(encoded: Encoded) -> ImageFile.ImageFile:
    """Read the header. Not by ``Image.open``, whose pixel limit and warnings are switches of the whole process."""
    module, reader = _READERS[encoded.format].split(":")
    image: ImageFile.ImageFile = getattr(import_module(module), reader)(encoded.file)
    return image


def _seek(encoded: Encoded, image: Image.Image, index: int) -> bool:
    """Go to a picture; False when there are no more."""
    if index == 0:
        return True
    if encoded.format not in _MANY_PICTURES:
        return False
    try:
        image.seek(index)
    except EOFError:
        return False
    return True


def _is_secondary(image: Image.Image, index: int) -> bool:
    """Whether a TIFF's page says that it is a smaller copy of another, or a mask."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or index == 0:
        return False
    kind = image.tag_v2.get(_NEW_SUBFILE_TYPE, 0)
    return isinstance(kind, int) and bool(kind & _REDUCED_OR_MASK)


def _decode_page(encoded: Encoded, image: ImageFile.ImageFile, index: int, warnings: tuple[str, ...]) -> Page:
    try:
        image.load()
    except OSError as error:
        if not (encoded.options.allow_truncated and encoded.is_truncation(error)):
            raise
        _keep_decoded_part(encoded, image)
        warnings = (CUT_WARNING,)
    return Page(index, to_upright(to_bgr(image), read_orientation(image)), warnings)


def _keep_decoded_part(encoded: Encoded, image: ImageFile.ImageFile) -> None:
    """Take what a failed decoder left. Pillow's own switch for it, LOAD_TRUNCATED_IMAGES, is one for all threads."""
    image.tile = []
    if encoded.format in {"GIF", "TIFF"}:
        image.load_end()
    if image.getbbox(alpha_only=False) is None:
        raise encoded.to_truncated(" before its first pixels")
