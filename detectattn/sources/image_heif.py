"""HEIC and HEIF, as iPhones write them, through pillow_heif."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.errors import MissingDecoder
from detectattn.sources.image_encoded import Encoded, Page
from detectattn.sources.image_pixels import to_bgr


def iter_heif_pages(encoded: Encoded) -> Iterator[Page]:
    """Yield every top-level picture of a HEIF file; thumbnails, depth and other auxiliary pictures are left out.

    The decoder turns pictures upright itself, as the file's own transformations say; EXIF's tag only repeats them.

    Raises:
        MissingDecoder: pillow_heif cannot be imported.
        TruncatedImage, UndecodableImage, ImageTooLarge: As :meth:`Encoded.translate_errors` says.
    """
    try:
        import pillow_heif
    except ImportError as error:
        problem = f"{encoded.name} is HEIC, and the package pillow-heif, which decodes it, cannot be imported ({error})"
        raise MissingDecoder(problem, hint="Install it: pip install pillow-heif") from error
    with encoded.translate_errors():
        heif_file = pillow_heif.open_heif(encoded.file)
    index = 0
    while len(heif_file):
        with encoded.translate_errors():
            picture = heif_file[0]
            encoded.check_size(picture.size)
            page = Page(index, to_bgr(picture.to_pillow()))
        del heif_file[0], picture  # or the pixels of every picture would stay in memory until the last
        yield page
        index += 1
