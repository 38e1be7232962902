"""``explain.html``: where each detection looked, as one page that opens anywhere without a network."""

from __future__ import annotations

from detectattn.report.explanation import Explanation


def render_explanation(explanation: Explanation) -> str:
    """The text of ``explain.html``: style, scripts, plots, pictures and maps within it.

    The same explanation gives the same text. Sheets and arrays are referred to by their paths relative to it.

    Args:
        explanation: The run.
    """
    # Templates and plots take their time to import, and a command that shows its help needs neither.
    from detectattn.report.html.explanation.page import render_page

    return render_page(explanation)
