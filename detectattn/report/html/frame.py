"""What every page shares: what its plots are drawn from, its scripts and style."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from detectattn.report.html.blocks import Block, Fold, PlotView
from detectattn.report.html.embed import embed_json, embed_script
from detectattn.report.html.explorer import read_explorer_script, read_explorer_style
from detectattn.report.html.files import read_script, read_style
from detectattn.report.plots import bundle_javascript, theme_config


def embed_plots(blocks: Iterable[Block]) -> Markup | None:
    """What the plots among these blocks are drawn from, in both themes; None without any."""
    specs = {plot.name: plot.spec for plot in _iter_plots(blocks)}
    if not specs:
        return None
    themes = {"light": theme_config(dark=False), "dark": theme_config(dark=True)}
    return embed_json({"specs": specs, "themes": themes})


def _iter_plots(blocks: Iterable[Block]) -> Iterator[PlotView]:
    for block in blocks:
        if isinstance(block, PlotView):
            yield block
        elif isinstance(block, Fold):
            yield from _iter_plots(block.blocks)


def read_scripts(*, with_plots: bool, with_pictures: bool) -> dict[str, Markup]:
    """Scripts by place: ``theme`` first of all, the others at the end of the page."""
    scripts = {"theme": embed_script(read_script("theme"))}
    if with_plots:
        scripts["library"] = embed_script(bundle_javascript())
        scripts["plots"] = embed_script(read_script("plots"))
    scripts["page"] = embed_script(read_script("page"))
    if with_pictures:
        scripts["explorer"] = embed_script(read_explorer_script())
    return scripts


def join_style(*, with_pictures: bool) -> Markup:
    """The style sheet."""
    sheets = [read_style(), *([read_explorer_style()] if with_pictures else [])]
    return Markup("\n".join(sheets))  # noqa: S704 - style sheets are the package's own
