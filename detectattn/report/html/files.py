"""Templates, style sheet and scripts of the page, as they lie beside this module."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

from detectattn.sources.naming import to_one_line

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_HERE = Path(__file__).parent
# After a sign that parts names and paths; of letters, so many may stand together.
_PIECES = re.compile(r"[^_\-.=/:,\\]{0,23}[_\-.=/:,\\]{1,4}|[^_\-.=/:,\\]{1,24}")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# No control characters, though they are not printable in Python's words; then everything else.
_NARROW_AND_HARD_SPACES = re.compile("([\u00a0\u2009\u202f]+)|[^\u00a0\u2009\u202f]+")


@cache
def open_templates() -> jinja2.Environment:
    """The templates: everything is escaped, and a name that does not exist is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_show,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = show_breakable
    environment.filters["options_whole"] = show_options_whole
    return environment


def render_template(name: str, page: DataclassInstance) -> str:
    """The text of a template that shows the fields of ``page``, each under its own name."""
    return open_templates().get_template(name).render({field.name: getattr(page, field.name) for field in fields(page)})


def show_breakable(name: str) -> Markup:
    """A name or path, escaped, that may break after its signs, and anywhere where it has none for long."""
    return Markup("<wbr>").join(_PIECES.findall(_show(name)))


def show_options_whole(text: str) -> Markup:
    """A sentence, escaped, in which no option of the command line is broken after its hyphens."""
    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', str(escape(_show(text)))))  # noqa: S704


def _show(value: Any) -> Any:
    """Text on one line, its control characters escaped; markup as it is."""
    if isinstance(value, Markup | int):
        return value
    return _NARROW_AND_HARD_SPACES.sub(lambda match: match[1] or to_one_line(match[0]), str(value))


def read_style() -> str:
    """The style sheet of the page."""
    return "\n".join(_read(f"style/{name}.css") for name in ("page", "top", "figures", "print"))


def read_script(name: str) -> str:
    """A script of the page: ``theme``, which comes before anything is shown, or ``page``."""
    return _read(f"script/{name}.js")


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
