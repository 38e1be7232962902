"""The containers that FFmpeg may take a video for: those that hold it, and none that lead elsewhere.

FFmpeg tells a format by its first bytes, whatever the name. A text that begins like a playlist (HLS, DASH), a list of
files (concat) or a description of a session (SDP) makes it open what is named there: other files, other machines, or
the same short file a million times over. A format that is not listed here is refused before its content counts.
"""

from __future__ import annotations

# fmt: off
_CONTAINERS = (
    "mov", "matroska", "webm", "avi", "mpegts", "mpegtsraw", "mpeg", "asf", "asf_o", "flv", "live_flv", "kux", "ogg",
    "mxf", "gxf", "wtv", "rm", "ivr", "nut", "nuv", "nsv", "pva", "ty", "dv", "ivf", "swf", "lxf", "lmlm4", "avs",
    "bink", "smk", "flic", "gif", "apng", "dhav", "hxvs", "ifv", "iv8", "luodat",
)
# Bare pictures one after the other, as encoders and cameras write them.
_BARE = (
    "mjpeg", "mpjpeg", "mjpeg_2000", "smjpeg", "ingenient", "mxg", "h261", "h263", "h264", "hevc", "vvc", "evc", "av1",
    "obu", "m4v", "mpegvideo", "vc1", "vc1test", "dirac", "dnxhd", "apv", "cavsvideo", "avs2", "avs3", "yuv4mpegpipe",
)
# What the parts of an HLS stream may be beside containers.
_SOUND = ("aac", "mp3", "ac3", "eac3", "webvtt")
# fmt: on
# FFmpeg names these two by what it is told, not by what arrives; they open the ports of the one session.
_SESSIONS = ("rtsp", "rtp")

FILE_FORMATS = ",".join(_CONTAINERS + _BARE)
"""Of a file, and of what is sent as one."""
STREAM_FORMATS = ",".join(_CONTAINERS + _BARE + _SESSIONS)
"""Of a stream that FFmpeg opens itself (``rtsp://``, ``udp://``, …)."""
HLS_FORMATS = ",".join(("hls", *_CONTAINERS, *_BARE, *_SOUND))
"""Of a playlist whose parts this project fetches, and of those parts."""
