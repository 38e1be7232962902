"""What a converted model says of itself, so that it runs without the weights it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from detectattn import __version__
from detectattn.conversion.settings import SCHEMA, ConversionSettings
from detectattn.engines.base import ModelSpec
from detectattn.engines.layout import OWN_KEY

METADATA_FILE = "metadata.yaml"


def build_metadata(spec: ModelSpec, settings: ConversionSettings, name: str, weights_sha256: str) -> dict[str, Any]:
    """Metadata of a conversion, in the fields that Ultralytics' exports have and one of our own.

    Args:
        spec: Of the model that was converted.
        settings: Resolved.
        name: The model's name.
        weights_sha256: Of the weights it was made from.

    Returns:
        ``names``, ``stride``, ``imgsz``, ``task`` and ``batch`` as other programs read them; under ``detectattn`` what
        :func:`detectattn.engines.layout.find_layout` reads.
    """
    height, width = settings.net_hw or spec.net_hw
    return {
        "description": f"{name}, converted by detectattn",
        "author": "detectattn",
        "version": __version__,
        "task": "detect",
        "stride": spec.stride,
        "batch": settings.batch or 1,
        "imgsz": [height, width],
        "names": dict(spec.class_names),
        "dynamic": bool(settings.dynamic),
        OWN_KEY: {
            "schema": SCHEMA,
            "layout": spec.layout,
            "family": spec.family,
            "precision": settings.precision,
            "max_det": spec.max_det,
            "weights_sha256": weights_sha256,
        },
    }


def write_metadata(folder: Path, metadata: dict[str, Any]) -> None:
    """Write ``metadata.yaml`` beside a model."""
    text = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)
    (folder / METADATA_FILE).write_text(text, encoding="utf-8")
