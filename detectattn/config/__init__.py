"""The options of a run: their defaults, presets in YAML, and what applies when both are given."""

from detectattn.config.checks import option_name
from detectattn.config.compare import CompareConfig
from detectattn.config.explain import ExplainConfig
from detectattn.config.parse import (
    AUTO_BATCH,
    AUTO_REPLICAS,
    FOREVER,
    FailureLimit,
    parse_batch,
    parse_imgsz,
    parse_max_failures,
    parse_reconnect,
    parse_replicas,
    parse_rotate,
    split_model_name,
)
from detectattn.config.predict import PredictConfig
from detectattn.config.presets import find_preset, load_preset
from detectattn.config.resolve import resolve_config, resolve_options

__all__ = [
    "AUTO_BATCH",
    "AUTO_REPLICAS",
    "FOREVER",
    "CompareConfig",
    "ExplainConfig",
    "FailureLimit",
    "PredictConfig",
    "find_preset",
    "load_preset",
    "option_name",
    "parse_batch",
    "parse_imgsz",
    "parse_max_failures",
    "parse_reconnect",
    "parse_replicas",
    "parse_rotate",
    "resolve_config",
    "resolve_options",
    "split_model_name",
]
