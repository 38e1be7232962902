"""Makes everything in this folder: pictures with ground truth, files that give trouble, videos.

    python -m samples.make_samples [--out FOLDER]

The same seeds give the same pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from samples.make_street import write_clip, write_street
from samples.make_trouble import write_trouble


def main() -> None:
    """Write all samples below the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="default: this folder")
    out: Path = parser.parse_args().out
    write_street(out)
    write_clip(out)
    write_trouble(out)


if __name__ == "__main__":
    main()
