"""Runs inside the peer's environment: ``python in_peer.py PROGRAM WORDS…`` is ``yolo`` or ``benchmark_app``.

It is the bare program, but for three things. JPEGs are written at the quality in ``PEER_JPEG_QUALITY`` instead of
OpenCV's 95, so that both sides write alike. OpenVINO does not report usage, as it does not on our side. And where
``PEER_PRECISION`` is set, OpenVINO computes in that precision; left alone it takes bfloat16 where the processor has it.
"""

import os
import sys

import cv2

_imencode, _imwrite = cv2.imencode, cv2.imwrite


def imencode(suffix, picture, params=()):  # type: ignore[no-untyped-def]
    """``cv2.imencode`` with another default."""
    return _imencode(suffix, picture, params or choose_params(suffix))


def imwrite(file, picture, params=()):  # type: ignore[no-untyped-def]
    """``cv2.imwrite`` with another default."""
    return _imwrite(file, picture, params or choose_params(str(file)))


def choose_params(name: str) -> list[int]:
    """What OpenCV is told where the caller tells it nothing."""
    jpeg = name.lower().endswith((".jpg", ".jpeg"))
    return [cv2.IMWRITE_JPEG_QUALITY, int(os.environ["PEER_JPEG_QUALITY"])] if jpeg else []


def hold_precision(name: str) -> None:
    """Make every OpenVINO core start with that precision."""
    import openvino

    start = openvino.Core.__init__

    def start_held(core, *words, **named):  # type: ignore[no-untyped-def]
        start(core, *words, **named)
        core.set_property("CPU", {"INFERENCE_PRECISION_HINT": name})

    openvino.Core.__init__ = start_held


def main() -> None:
    """Become the program."""
    program = sys.argv[1]
    sys.argv = [program, *sys.argv[2:]]
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # None makes an import fail
    cv2.imencode, cv2.imwrite = imencode, imwrite
    if os.environ.get("PEER_PRECISION"):
        hold_precision(os.environ["PEER_PRECISION"])
    if program == "yolo":
        from ultralytics.cfg import entrypoint

        entrypoint()
    else:
        from openvino.tools.benchmark.main import main as run_benchmark_app

        sys.exit(run_benchmark_app())


if __name__ == "__main__":
    main()
