"""``report.md``: the study as a page that reads well on GitHub."""

from detectattn.report.markdown.page import render_markdown

__all__ = ["render_markdown"]
