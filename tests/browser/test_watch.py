"""What these tests watch for is seen: a page with every fault is found out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_FAULTY = """<!doctype html><title>Faulty</title>
<meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline'">
<img src="gone.jpg" alt="">
<img src="http://example.invalid/pixel.png" alt="">
<script>console.error("a complaint"); setTimeout(() => { throw new Error("a slip"); });</script>
<script src="other.js"></script>"""


def test_a_faulty_page_is_found_out(open_page: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "faulty.html"
    file.write_text(_FAULTY)
    shown = open_page(file)
    shown.page.wait_for_timeout(100)
    with pytest.raises(pytest.fail.Exception) as found:
        shown.check()
    told = str(found.value)
    for fault in ("a complaint", "a slip", "against its policy", "asks for http://example.invalid", "/gone.jpg"):
        assert fault in told
