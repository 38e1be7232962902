"""Which pictures and videos can be read and written, and whether a window can be opened."""

from __future__ import annotations

from collections.abc import Mapping

from detectattn.doctor.ask import Answer
from detectattn.doctor.report import Check

# PyAV's wheels carry an FFmpeg with all that is asked for here; a build against the system's may lack some.
_PYAV_WHEEL = "pip install --force-reinstall --only-binary av av"
_VIDEO_DECODERS = {
    "H.264": ("h264",),
    "HEVC": ("hevc",),
    "AV1": ("libdav1d", "libaom-av1"),
    "VP9": ("vp9",),
    "VP8": ("vp8",),
    "MPEG-4": ("mpeg4",),
    "Motion JPEG": ("mjpeg",),
}


def check_video(av: Answer) -> list[Check]:
    """Codecs of PyAV's FFmpeg."""
    encoders, decoders = av.get("encoders", {}), av.get("decoders", {})
    readable = {name: any(decoders.get(codec) for codec in codecs) for name, codecs in _VIDEO_DECODERS.items()}
    return [
        _check_formats("Reads", readable, _PYAV_WHEEL),
        Check("Writes", "ok", "H.264 in MP4")
        if encoders.get("libx264")
        else Check("Writes", "warn", "no H.264 encoder (libx264), so no annotated videos", _PYAV_WHEEL),
        Check("Sound", "ok", "copied, or AAC where MP4 cannot hold it")
        if encoders.get("aac")
        else Check("Sound", "warn", "no AAC encoder, so sound that MP4 cannot hold is lost", _PYAV_WHEEL),
    ]


def check_pictures(pillow: Answer, heif: Answer) -> list[Check]:
    """Picture formats, by the packages that decode them."""
    readable = {**pillow.get("formats", {}), "HEIC": bool(heif)}
    package = "pillow-heif" if all(pillow.get("formats", {"": False}).values()) else "pillow"
    return [_check_formats("Reads", readable, f"pip install --upgrade {package}")]


def _check_formats(name: str, readable: Mapping[str, bool], hint: str) -> Check:
    lacking = [form for form, there in readable.items() if not there]
    read = ", ".join(form for form, there in readable.items() if there) or "nothing"
    if lacking:
        return Check(name, "warn", f"{read}, but not {', '.join(lacking)}", hint)
    return Check(name, "ok", read)


def check_screen(opencv: Answer, environment: Mapping[str, str], system: str) -> Check:
    """Whether ``--show`` can open a window."""
    if opencv and not opencv.get("windows"):
        hint = "pip uninstall opencv-python-headless && pip install --force-reinstall opencv-python"
        return Check("--show", "absent", "this OpenCV opens no windows (a headless build)", hint)
    if system == "Linux" and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return Check("--show", "absent", "no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    return Check("--show", "ok", "can open a window")


def check_labels(drawable: Mapping[str, bool]) -> Check:
    """Which scripts class names can be drawn in, by name of the script."""
    lacking = [script for script, drawn in drawable.items() if not drawn]
    drawn = ", ".join(script for script, drawn in drawable.items() if drawn) or "none"
    if lacking:
        hint = f"For class names in {', '.join(lacking)} install a font that has them, such as Noto Sans (CJK)"
        return Check("Labels", "absent", f"fonts for {drawn}", hint)
    return Check("Labels", "ok", f"fonts for {drawn}")
