"""What may stand inside of a page's ``<script>``, and what the page allows itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

# In a script, an HTML parser looks for its end and for comments, whatever JavaScript makes of the place.
_MARKUP = re.compile(r"<(?=/script|!--)", re.IGNORECASE)
_JSON_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def embed_json(value: Any) -> Markup:
    """JSON in which nothing is markup: ASCII alone, ``<``, ``>`` and ``&`` escaped.

    Raises:
        ValueError: It holds NaN or an infinity.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_JSON_ESCAPES))  # noqa: S704 - nothing of markup is left


def embed_script(source: str) -> Markup:
    """A script of this project or of a library, such that no string in it ends its element."""
    return Markup(_MARKUP.sub(r"\\x3c", source))  # noqa: S704 - scripts are the package's own


def content_policy(scripts: Iterable[str]) -> str:
    """The page's Content-Security-Policy: no network at all, no script but these.

    Args:
        scripts: As they stand between their tags.

    Pictures come from the page's own folder; plots style their elements in place.
    """
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src 'self' data: file: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
