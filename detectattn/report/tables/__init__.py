"""The tables of a report, as text in cells: Markdown and the page show the same ones, each in its own type."""
