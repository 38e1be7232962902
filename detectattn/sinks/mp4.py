"""One H.264 MP4 file in the making: pictures at their own times, sound beside them."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from detectattn.sinks.soundtrack import Soundtrack
from detectattn.types import U8

_TICKS_PER_S = 90_000
_BT709 = 1
# Without exact rounding white comes back four levels darker; it costs a millisecond at full HD.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
# Of x264's presets the smallest file at equal quality (PSNR 39.9 dB) on footage, and twice as fast as the next.
_ENCODER = {"crf": "20", "preset": "veryfast", "profile": "high"}


class Mp4Writer:
    """Encodes pictures as they come and interleaves the source's sound up to each of them.

    Times are kept to 1/90000 s, at whatever rate they come. Colours are written as BT.709, limited range, and tagged
    so. H.264 in 4:2:0 needs even sides: an odd one is padded by one pixel, the last column or row repeated. A picture
    of another size than the first is fitted into the first's, keeping its proportions, on black. No rotation tag:
    pictures come upright.

    Args:
        path: The file to write; it must not exist.
        size_hw: Height and width of the first picture.
        rate: About how many pictures a second, for the encoder's rate control and a single picture's duration.
        pixel_aspect: Width of a pixel over its height.
        soundtrack: The sound, or None; the writer closes it.
    """

    def __init__(
        self,
        path: Path,
        size_hw: tuple[int, int],
        rate: Fraction,
        pixel_aspect: Fraction,
        soundtrack: Soundtrack | None,
    ) -> None:
        self._size_hw = size_hw
        self._sound = soundtrack
        self._reformatter = VideoReformatter()
        self._held: Any = None
        self._packet: Any = None
        self._first_dts = 0
        self._interval = max(1, round(_TICKS_PER_S / rate))
        self._end_ticks = 0
        self._container = av.open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._add_video(rate, pixel_aspect)
        if soundtrack is not None:
            soundtrack.attach(self._container)

    def _add_video(self, rate: Fraction, pixel_aspect: Fraction) -> Any:
        height, width = self._size_hw
        stream = self._container.add_stream("libx264", rate=rate, options=_ENCODER)
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context.time_base = Fraction(1, _TICKS_PER_S)
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        context.sample_aspect_ratio = pixel_aspect
        return stream

    def write(self, bgr: U8, time_s: float) -> None:
        """Take the next picture, ``bgr`` u8[H, W, 3], shown from ``time_s`` seconds after the first.

        Raises:
            OSError: What the file system says when it cannot take more.
        """
        picture = self._to_yuv(fit_picture(bgr, self._size_hw))
        picture.pts = round(time_s * _TICKS_PER_S)
        picture.time_base = Fraction(1, _TICKS_PER_S)
        if self._held is not None:
            # Two pictures at one time cannot be told apart in a file; the later one moves by a tick.
            picture.pts = max(picture.pts, self._held.pts + 1)
            self._interval = picture.pts - self._held.pts
            self._encode_held()
        self._held = picture

    def finish(self) -> None:
        """Complete the file; the last picture lasts as long as the one before, the sound ends with it.

        Raises:
            OSError: What the file system says when it cannot take more.
        """
        if self._held is not None:
            self._encode_held()
        if self._sound is not None:
            self._sound.limit(self._end_ticks / _TICKS_PER_S)
        self._queue(self._stream.encode(None))
        if self._packet is not None:
            # Packets are in the order of decoding, which runs ahead; the last one lasts until the pictures end.
            self._packet.duration = self._end_ticks - (self._packet.dts - self._first_dts)
            self._mux(self._packet)
        if self._sound is not None:
            self._sound.write_until(self._end_ticks / _TICKS_PER_S)
            self._sound.finish()
        self._container.close()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        if self._sound is not None:
            self._sound.close()
        # The error that brought us here is the one to tell; a full disk fails again here.
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()

    def _encode_held(self) -> None:
        self._held.duration = self._interval
        self._end_ticks = self._held.pts + self._interval
        self._queue(self._stream.encode(self._held))
        self._held = None

    def _queue(self, packets: list[Any]) -> None:
        for packet in packets:
            if self._packet is None:
                self._first_dts = packet.dts
            else:
                self._mux(self._packet)
            self._packet = packet

    def _mux(self, packet: Any) -> None:
        # Up to the packet, not to the picture: the encoder is dozens of pictures behind, and sound that runs ahead
        # would pile up in the muxer.
        if self._sound is not None:
            self._sound.write_until(float(packet.dts * packet.time_base))
        self._container.mux(packet)

    def _to_yuv(self, bgr: U8) -> Any:
        # Wraps the pixels where they are; they are read before this returns.
        picture = av.VideoFrame.from_numpy_buffer(bgr, format="bgr24")
        return self._reformatter.reformat(
            picture,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=_EXACT,
        )


def fit_picture(bgr: U8, size_hw: tuple[int, int]) -> U8:
    """``bgr`` fitted into ``size_hw`` on black, then padded to even sides; u8[H, W, 3], C-contiguous."""
    height, width = size_hw
    if bgr.shape[:2] != size_hw:
        scale = min(height / bgr.shape[0], width / bgr.shape[1])
        inner_hw = [max(1, round(side * scale)) for side in bgr.shape[:2]]
        inner = cv2.resize(bgr, inner_hw[::-1], interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        top, left = (height - inner_hw[0]) // 2, (width - inner_hw[1]) // 2
        bgr = np.zeros((height, width, 3), np.uint8)
        bgr[top : top + inner_hw[0], left : left + inner_hw[1]] = inner
    if height % 2 or width % 2:
        bgr = np.pad(bgr, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(bgr)
