"""Suffixes that promise a picture or a video.

They decide only that a file is meant to be one, so that a broken one is reported; what it is, its bytes say. ``.ts``
and ``.mts`` are missing on purpose: they are TypeScript as often as MPEG, so those files are judged by bytes alone.
"""

from __future__ import annotations

# fmt: off
IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".dng",
    ".avif", ".avifs", ".heic", ".heif", ".hif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf",
    ".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".pam", ".qoi", ".psd",
})
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".qt", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".m2ts", ".vob", ".wmv", ".asf",
    ".flv", ".f4v", ".ogv", ".3gp", ".3g2", ".mjpg", ".mjpeg",
})
# fmt: on
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
