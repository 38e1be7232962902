"""The examination: ask every probe, look at the machine and the disk, and judge."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from detectattn.doctor.ask import ask_all
from detectattn.doctor.engines import check_engines, check_packages, list_runnable
from detectattn.doctor.hardware import check_devices, check_machine, list_devices
from detectattn.doctor.media import check_labels, check_pictures, check_screen, check_video
from detectattn.doctor.probes import PROBES
from detectattn.doctor.report import Check, DoctorReport, Group
from detectattn.doctor.speed import check_speed, measure_devices
from detectattn.doctor.storage import check_storage
from detectattn.machine import collect_machine, collect_versions, count_usable_cores, find_version
from detectattn.weights.cache import cache_dir, weights_dir
from detectattn.weights.embedded import embedded_names

# A word of each script, as a class may be called.
_SCRIPTS = {
    "Latin": "Café",
    "Greek": "σκύλος",
    "Cyrillic": "собака",
    "Chinese": "自行车",
    "Japanese": "じどうしゃ",
    "Korean": "자전거",
    "Arabic": "سيارة",
    "Hebrew": "כלב",
    "Hindi": "कुत्ता",
    "Thai": "สุนัข",
}


def examine(*, measure: bool = False) -> DoctorReport:
    """Find out what this machine can run. Takes as long as importing PyTorch does; imports nothing of its weight.

    Args:
        measure: Whether devices are measured too, once more as long and a second for each of them.
    """
    answers = ask_all(PROBES)
    versions, system = collect_versions(), platform.system()
    engines = check_engines(answers, versions)
    packages = check_packages(answers, versions, find_version("torchvision"))
    pictures = check_pictures(answers["pillow"], answers["heif"])
    if answers["pillow"]:
        pictures.append(_check_labels())
    pictures.append(check_screen(answers["opencv"], os.environ, system))
    storage = check_storage(cache_dir(), weights_dir(), embedded_names(), Path.cwd())
    devices = list_devices(answers)
    # Only now, when nothing else runs.
    speed = check_speed(measure_devices(devices), count_usable_cores()) if measure else []
    return DoctorReport(
        groups=(
            Group("Machine", tuple(check_machine(collect_machine(), versions))),
            Group("Devices", tuple(check_devices(answers, is_mac=system == "Darwin"))),
            *([Group("Speed", tuple(speed))] if speed else []),
            Group("Engines", tuple(engines)),
            Group("Packages", tuple(packages)),
            Group("Pictures", tuple(pictures)),
            Group("Videos", tuple(check_video(answers["av"]))),
            Group("Storage", tuple(storage)),
        ),
        runnable=list_runnable([*engines, *packages]),
        devices=devices,
    )


def _check_labels() -> Check:
    # Here and not above, since it needs Pillow, which may be what is broken.
    from detectattn.drawing.fonts import missing_glyphs

    return check_labels({script: missing_glyphs([word]) is None for script, word in _SCRIPTS.items()})
