"""``python -m benchmarks.verdicts``: print the tables and keep them in ``benchmarks/results/verdicts.json``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks.record import RESULTS, write_record
from benchmarks.verdicts import PARTS, Plan, measure, render


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=f"{', '.join(PARTS)}; else all")
    parser.add_argument("--scenes", type=int, default=3000, help="that are the whole")
    parser.add_argument(
        "--studies",
        type=lambda text: tuple(int(n) for n in text.split(",")),
        default=(400, 200, 40),
        help="of accuracy on 25, 100 and 400 images, 400,200,40 when left out",
    )
    parser.add_argument("--speed-studies", type=int, default=40, help="of latency")
    options = parser.parse_args()
    studies = dict(zip((25, 100, 400), options.studies, strict=True))
    figures = measure(Plan(tuple(options.parts) or PARTS, options.scenes, studies, options.speed_studies))
    print(render(figures))
    print(f"\n{write_record('verdicts', _merge(figures))}")


def _merge(figures: dict[str, Any]) -> dict[str, Any]:
    """Parts that were not run now keep what the record has of them, if it is of the same models."""
    path = RESULTS / "verdicts.json"
    earlier = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    same = earlier.get("models") == figures["models"]
    return {**(earlier if same else {}), **figures}


if __name__ == "__main__":
    main()
