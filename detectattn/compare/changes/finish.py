"""The files of a comparison: ``changes.html``, ``changes.md``, ``changes.json``."""

from __future__ import annotations

from pathlib import Path

from detectattn.report.changes import Changes
from detectattn.report.changes_json import render_changes_json
from detectattn.report.html.changes import render_changes_html
from detectattn.report.markdown.changes import render_changes_markdown
from detectattn.sinks.files import write_new_file


def write_changes(changes: Changes, folder: Path) -> None:
    """Write all three.

    Args:
        changes: The comparison.
        folder: It exists.

    Raises:
        OutputError: A file is there already, or cannot be written.
    """
    texts = {
        "changes.json": render_changes_json(changes),
        "changes.md": render_changes_markdown(changes),
        "changes.html": render_changes_html(changes),
    }
    for name, text in texts.items():
        write_new_file(folder / name, text.encode("utf-8", "backslashreplace"))
