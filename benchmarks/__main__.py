"""Run benchmarks by name; each prints a table and keeps its figures as JSON under ``benchmarks/results/``."""

from __future__ import annotations

import argparse
import json
from importlib import import_module
from pathlib import Path

from detectattn.machine import collect_machine, collect_versions

BENCHMARKS = {
    "startup": "what one command costs before it does anything",
    "memory": "peak memory on 5,000 images against 500",
    "overlap": "wall time of a run against the sum of its stages, and the cores in use",
}
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Parse the command line and run."""
    lines = "\n".join(f"  {name:<10} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", epilog=f"benchmarks:\n{lines}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help="all when left out")
    parser.add_argument("-m", "--model", required=True, help="the model to run, as `detectattn predict -m` takes it")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for name in options.names or BENCHMARKS:
        figures = import_module(f"benchmarks.{name}").measure(options.model)
        print(f"\n{name}: {BENCHMARKS[name]}")
        for key, value in figures.items():
            print(f"  {key:<32} {value}")
        record = {"figures": figures, "machine": collect_machine(), "versions": collect_versions()}
        (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
