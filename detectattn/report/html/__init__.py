"""``report.html``: the study as one page that opens anywhere without a network."""

from __future__ import annotations

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery


def render_html(report: Report, gallery: Gallery | None = None) -> str:
    """The text of ``report.html``: style, scripts, plots and chosen pictures within it.

    The same report gives the same text. Other pictures are referred to by their paths relative to it.

    Args:
        report: The study.
        gallery: Its pictures; None leaves out the browser of pictures.
    """
    # Templates and plots take their time to import, and a command that shows its help needs neither.
    from detectattn.report.html.page import render_page

    return render_page(report, gallery)
