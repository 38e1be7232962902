"""Video files whose every frame can be told from all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class ClipMaker:
    """Makes video files whose frames tell their own number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(
        self,
        name: str,
        *,
        times_s: Sequence[float] | None = None,
        frames: int = 30,
        size_wh: tuple[int, int] = (320, 240),
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        matrix: Sequence[int] | None = None,
        pixel_aspect: Fraction | None = None,
        audio: str | None = None,
        audio_start_s: float = 0.0,
        colorspace: int | None = None,
        color_range: int = 1,
        options: Mapping[str, str] | None = None,
        container_options: Mapping[str, str] | None = None,
        paint: Callable[[int], NDArray[np.uint8]] | None = None,
    ) -> Path:
        """Write ``name`` (25 frames a second unless ``times_s`` says otherwise; a 440 Hz tone as ``audio``)."""
        import av
        from av.video.reformatter import Interpolation, VideoReformatter

        path = self.folder / name
        tables = {1: 1, 6: 5, 9: 9}
        times_s = [i / 25 for i in range(frames)] if times_s is None else times_s
        with av.open(path, "w", container_options=dict(container_options or {})) as container:
            # By itself libx264 takes as many threads as there are cores, and its bytes depend on that.
            video = container.add_stream(codec, rate=25, options={"threads": "2", **(options or {})})
            video.width, video.height, video.pix_fmt = *size_wh, pix_fmt
            video.codec_context.time_base = Fraction(1, 1000) if codec == "libx264" else Fraction(1, 25)
            video.codec_context.color_range = color_range
            if colorspace is not None:
                video.codec_context.colorspace = colorspace
            if pixel_aspect is not None:
                video.codec_context.sample_aspect_ratio = pixel_aspect
            if matrix is not None:
                video.set_display_matrix(matrix)
            sound = container.add_stream(audio, rate=48_000, layout="mono") if audio else None
            reformatter, sampled = VideoReformatter(), 0
            for i, time_s in enumerate(times_s):
                bgr = self.paint_number(i, size_wh) if paint is None else paint(i)
                picture = reformatter.reformat(
                    av.VideoFrame.from_ndarray(bgr, "bgr24"),
                    format=pix_fmt,
                    dst_colorspace=tables[colorspace or 6],
                    src_color_range=2,
                    dst_color_range=color_range,
                    interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
                )
                picture.pts, picture.time_base = round(time_s * 1000), Fraction(1, 1000)
                container.mux(video.encode(picture))
                while sound is not None and sampled / 48_000 < time_s + 0.04 - audio_start_s:
                    tone = np.sin(2 * np.pi * 440 * (sampled + np.arange(960)) / 48_000).astype(np.float32)
                    wave = av.AudioFrame.from_ndarray(tone[None] * 0.5, format="fltp", layout="mono")
                    wave.sample_rate, wave.time_base = 48_000, Fraction(1, 48_000)
                    wave.pts = sampled + round(audio_start_s * 48_000)
                    container.mux(sound.encode(wave))
                    sampled += 960
            container.mux(video.encode(None))
            if sound is not None:
                container.mux(sound.encode(None))
        return path

    @staticmethod
    def paint_number(number: int, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
        """A picture with ``number`` as eight black or white bars over grey, most significant bit at the left."""
        width, height = size_wh
        bgr = np.full((height, width, 3), 128, np.uint8)
        for bit in range(8):
            left, right = bit * width // 8, (bit + 1) * width // 8
            bgr[: height // 2, left:right] = 255 * (number >> (7 - bit) & 1)
        return bgr

    @staticmethod
    def read_number(bgr: NDArray[np.uint8]) -> int:
        """The number that :meth:`paint_number` wrote."""
        height, width = bgr.shape[:2]
        bits = [bgr[height // 4, (2 * bit + 1) * width // 16].mean() > 128 for bit in range(8)]
        return sum(bool(lit) << (7 - bit) for bit, lit in enumerate(bits))
