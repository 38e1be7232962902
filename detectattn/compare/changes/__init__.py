"""From two studies to what changed between them: no model is loaded, and no picture is opened.

Where the records of both are at hand, a model is judged image by image against itself; else by its figures alone.
"""

from detectattn.compare.changes.build import build_changes
from detectattn.compare.changes.finish import write_changes
from detectattn.compare.changes.side import Side, find_run, read_side

__all__ = ["Side", "build_changes", "find_run", "read_side", "write_changes"]
