"""Presets of every command, and the expressions that a preset of ``compare`` may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detectattn.compare.budget import parse_budget
from detectattn.compare.gate_expression import parse_condition
from detectattn.compare.sweep import parse_sweep
from detectattn.config import (
    CompareConfig,
    ExplainConfig,
    PredictConfig,
    load_preset,
    resolve_options,
    split_model_name,
)
from fuzz.contract import read_or_refuse
from fuzz.target import Target


def run(content: bytes, folder: Path) -> None:
    """Load as a preset of each command, resolve its options, and read the expressions among them."""
    path = folder / "preset.yaml"
    path.write_bytes(content)
    for kind in (PredictConfig, CompareConfig, ExplainConfig):
        config = read_or_refuse(_load, kind, path)
        if isinstance(config, CompareConfig):
            _read_expressions(config)


def _load(kind: Any, path: Path) -> object:
    return resolve_options(kind, load_preset(path, kind), {})


def _read_expressions(config: CompareConfig) -> None:
    for text in config.fail_if:
        read_or_refuse(parse_condition, text, ("demo-rtdetr", "demo-yolo"))
    for text in config.budget:
        read_or_refuse(parse_budget, text)
    read_or_refuse(parse_sweep, config.sweep)
    for text in config.model:
        split_model_name(text)


TARGET = Target(
    reads="presets in YAML, with the conditions, budgets and sweeps in them",
    modules=(
        "detectattn.config",
        "detectattn.yaml_text",
        "detectattn.compare.budget",
        "detectattn.compare.gate_expression",
        "detectattn.compare.gate_figures",
        "detectattn.compare.quantity",
        "detectattn.compare.sweep",
    ),
    run=run,
)
