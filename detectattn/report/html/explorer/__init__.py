"""The picture browser of the page: every picture with the boxes of any two models, told apart by a slider.

The page puts :func:`render_explorer_json` of :func:`explorer_data` into its template ``explorer.html`` as
``explorer_json``, and the script and the style sheet into itself.
"""

from detectattn.report.html.explorer.assets import read_explorer_script, read_explorer_style
from detectattn.report.html.explorer.data import explorer_data, render_explorer_json

__all__ = ["explorer_data", "read_explorer_script", "read_explorer_style", "render_explorer_json"]
