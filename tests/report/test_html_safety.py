"""Nothing from outside becomes markup or a script, and the page asks nothing of a network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.report.content import Report
from detectattn.report.html import render_html
from detectattn.report.html.embed import content_policy, embed_json, embed_script
from samples.studies.galleries import make_gallery
from tests.report.html_pages import Element, read_page

HOSTILE = (
    "<img src=x onerror=alert(1)>\"'</script>",
    "{{7*7}}{% raw %}",
    "</title></style><svg/onload=alert(1)>",
    "<!--<script>",
    "' onfocus=alert(1) autofocus='",
    "javascript:alert(1)",
    "caf\udce9 \u202e \x1b[31m \u2028 \u2029",
    "line\nbreak\r\n",
)
_LOADS = ("src", "href", "srcset", "data", "action", "formaction", "poster", "background", "xlink:href")


def shape(page: Element) -> list[tuple[str, tuple[str, ...]]]:
    return [(e.tag, tuple(sorted(e.attributes))) for e in page.walk() if e.tag != "wbr"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_becomes_markup(text: str, study: Report, hostile: Callable[[Report, str], Report]) -> None:
    rendered = render_html(hostile(study, text))
    rendered.encode("utf-8")
    page, plain = read_page(rendered), read_page(render_html(hostile(study, "plain")))
    assert shape(page) == shape(plain)
    scripts = [e.source for e in page.find("script") if e.attributes.get("type") is None]
    assert scripts == [e.source for e in plain.find("script") if e.attributes.get("type") is None]
    assert page.words.count("49") == plain.words.count("49")
    json.loads(page.by_id("plots-data").source)


def test_names_show_as_they_are(study: Report, hostile: Callable[[Report, str], Report]) -> None:
    text = HOSTILE[0]
    page = read_page(render_html(hostile(study, text)))
    assert text in page.by_id("verdict").words
    assert text in page.by_id("conditions").words
    assert page.find("title")[0].source.startswith(text)


def test_pictures_of_any_name_are_text(study: Report) -> None:
    gallery = make_gallery((HOSTILE[0], "b"), 2, inline=1)
    odd = replace(gallery, pictures=tuple(replace(p, source=HOSTILE[0]) for p in gallery.pictures))
    page, plain = read_page(render_html(study, odd)), read_page(render_html(study, gallery))
    assert shape(page) == shape(plain)
    assert HOSTILE[0] in json.dumps(json.loads(page.by_id("explorer-data").source)).replace('\\"', '"')


def test_nothing_is_loaded(study: Report) -> None:
    page = read_page(render_html(study, make_gallery(("rtdetr-l", "yolo11n"), 3)))
    loads = [e.attributes[name] or "" for e in page.walk() for name in _LOADS if name in e.attributes]
    assert [url for url in loads if not url.startswith(("#", "pictures/"))] == []
    assert page.find("link", "iframe", "object", "embed", "form", "base") == []
    styles = "".join(e.source for e in page.find("style"))
    assert not re.search(r"url\(|@import|@font-face", styles)
    assert [name for e in page.walk() for name in e.attributes if name.startswith("on")] == []


def test_the_policy_forbids_the_network_and_any_other_script(study: Report) -> None:
    page = read_page(render_html(study, make_gallery(("rtdetr-l",), 3)))
    [policy] = [e for e in page.find("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy"]
    rules = {words[0]: words[1:] for rule in (policy.attributes["content"] or "").split(";") if (words := rule.split())}
    assert rules["default-src"] == ["'none'"]
    assert rules["img-src"] == ["'self'", "data:", "file:", "blob:"]
    assert not {"connect-src", "font-src", "frame-src", "media-src"} & rules.keys()
    scripts = [e for e in page.find("script") if e.attributes.get("type") is None]
    hashes = [hashlib.sha256(e.source.encode()).digest() for e in scripts]
    assert rules["script-src"] == [f"'sha256-{base64.b64encode(h).decode()}'" for h in hashes]
    # What stands before the policy is not bound by it.
    head = [e for e in page.find("head")[0].children if isinstance(e, Element)]
    assert head.index(policy) < min(head.index(e) for e in head if e.tag in ("script", "style"))


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_embedded_json_is_json_without_markup(value: object) -> None:
    text = str(embed_json(value))
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&") & set(text)


def test_json_that_browsers_cannot_read_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        embed_json({"x": float("nan")})


def test_a_script_cannot_end_its_element() -> None:
    source = 'const end = "</script>" + "</SCRIPT " + "<!-- <script>";'
    embedded = str(embed_script(source))
    assert not re.search(r"</script|<!--", embedded, re.IGNORECASE)
    assert embedded.replace(r"\x3c", "<") == source
    digest = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    assert f"script-src 'sha256-{digest}';" in content_policy(["x"])
