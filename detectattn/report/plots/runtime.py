"""The JavaScript that draws plots on a page, whole: nothing is loaded when the page is opened."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def bundle_javascript() -> str:
    """Vega, Vega-Lite and what draws plots with them, to be put inside of a ``<script>`` element.

    It defines one global, ``detectattnPlots``, with one function::

        detectattnPlots.embed(element, spec, config) -> Promise<vega.View>

    ``element`` is an empty block as wide as the plot may be, ``spec`` a :attr:`Plot.spec`, ``config`` what
    :func:`theme_config` gives. The plot follows the width of its element. To change the theme, call it again on the
    same element. Lists to choose from appear below the plot, as a form with labels; tooltips are ``div.plot-tip`` at
    the end of the body. Expressions are interpreted, not compiled: a page may forbid ``eval``. Nothing is loaded.
    """
    import vl_convert  # tens of megabytes of code that only a report needs

    snippet = files("detectattn.report.plots").joinpath("runtime.js").read_text("utf-8")
    # Without a function of its own its hundreds of short names would be the page's.
    return f"(() => {{{close_script_ends(vl_convert.javascript_bundle(snippet))}\n}})();"


def close_script_ends(javascript: str) -> str:
    """The same program without anything that would end a ``<script>`` element, or open a comment in it.

    In JavaScript these letters stand together only inside of text, patterns and comments, where a backslash before a
    character that needs none changes nothing.
    """
    return re.sub(r"<(/script|!--)", r"<\\\1", javascript, flags=re.IGNORECASE)
