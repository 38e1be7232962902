"""Run benchmarks by name; each prints a table and keeps its figures as JSON under ``benchmarks/results/``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from benchmarks.record import write_record

BENCHMARKS = {
    "startup": "what one command costs before it does anything",
    "memory": "peak memory on 5,000 images against 500",
    "overlap": "wall time of a run against the sum of its stages, and the cores in use",
    "decode": "large JPEGs in full and reduced: time, and what is found (embedded models, five minutes)",
    "video": "memory and pace on a 4K video of 40 seconds against 10",
    "report_page": "size of the report of 1,000 pictures, and how soon it answers in Chromium",
    "resume": "a run killed 200 times and resumed, against an uninterrupted one (a model of its own, half an hour)",
    "soak": "two hours on a bad camera: memory, lag, frames dropped, returns (an embedded model; can be shortened)",
    "faithfulness": "which maps are true: deletion and insertion of every method (embedded models, ten minutes)",
    "verdicts": "how often intervals cover the truth and verdicts are right (embedded models, a quarter of an hour)",
}
_OWN_MODELS = frozenset({"resume", "decode", "verdicts", "report_page", "soak", "faithfulness"})


def main() -> None:
    """Parse the command line and run."""
    lines = "\n".join(f"  {name:<12} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", epilog=f"benchmarks:\n{lines}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help="all when left out")
    parser.add_argument("-m", "--model", help="the model to run, as `detectattn predict -m` takes it")
    options = parser.parse_args()
    names = options.names or list(BENCHMARKS)
    if options.model is None and (lacking := sorted(set(names) - _OWN_MODELS)):
        parser.error(f"-m MODEL is needed for {', '.join(lacking)}")
    for name in names:
        module = import_module(f"benchmarks.{name}")
        figures = module.measure() if name in _OWN_MODELS else module.measure(options.model)
        print(f"\n{name}: {BENCHMARKS[name]}")
        print(getattr(module, "render", _render)(figures))
        write_record(name, figures)


def _render(figures: Mapping[str, Any]) -> str:
    return "\n".join(f"  {key:<32} {value}" for key, value in figures.items())


if __name__ == "__main__":
    main()
