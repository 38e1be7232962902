from __future__ import annotations

import cv2
import numpy as np
import pytest

from detectattn.errors import UndecodableImage
from detectattn.sources import iter_frames, open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.types import FrameFailure, Media
from tests.scripted_server import ScriptedServer

PNG = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
HTML = {"content_type": "text/html; charset=utf-8"}


def _page(*links: str) -> bytes:
    return "".join(f'<li><a href="{link}">{link}</a></li>' for link in links).encode()


def _found(*texts: str, offline: bool = False) -> list[Media | FrameFailure]:
    return list(open_sources(texts, ReadOptions(offline=offline)).iter_media(ReadCounts()))


def test_what_a_server_lists_is_named_as_in_a_folder(http_server: ScriptedServer) -> None:
    links = ["../", "?C=N;O=D", "/pics/", "b.png", "a%20b/", "notes.txt", ".git/", "run/", "b.png"]
    elsewhere = ["http://other.example/pics/c.png", "/other/d.png", "b.png?size=1", "deep/er.png", "javascript:x()"]
    url = http_server.serve("/pics/", _page(*links, *elsewhere), **HTML)
    http_server.serve("/pics/a%20b/", _page(f"{http_server.url}/pics/a%20b/c.png"), **HTML)
    http_server.serve("/pics/run/", _page("run.json", "predictions.jsonl", "x.png"), **HTML)
    http_server.serve("/pics/b.png", PNG)
    found = _found(url)
    named = [(item.source, str(item.output), item.location) for item in found if isinstance(item, Media)]
    assert named == [
        ("a%20b/c.png".replace("%20", " "), "a b/c.png", f"{url}a%20b/c.png"),
        ("b.png", "b.png", f"{url}b.png"),
    ]
    assert isinstance(found[1], Media)
    assert len(list(iter_frames(found[1], ReadOptions()))) == 1


def test_among_other_sources_its_address_is_part_of_the_names(http_server: ScriptedServer) -> None:
    url = http_server.serve("/pics/", _page("b.png"), **HTML)
    first, _ = _found(url, http_server.serve("/b.png", PNG))
    assert isinstance(first, Media)
    assert (first.source, str(first.output)) == (f"{url}b.png", "pics/b.png")


def test_a_page_further_down_that_cannot_be_read_fails_alone(http_server: ScriptedServer) -> None:
    url = http_server.serve("/pics/", _page("a/", "b.png"), **HTML)
    http_server.serve("/pics/a/", b"", status=500)
    failed, media = _found(url)
    assert isinstance(failed, FrameFailure)
    assert (failed.source, failed.code) == ("a/", "http-status")
    assert isinstance(media, Media)


def test_an_address_that_lists_nothing_is_what_it_was(http_server: ScriptedServer) -> None:
    page = http_server.serve("/page/", b"<html><body><a href='https://elsewhere.example/'>hi</a></body></html>", **HTML)
    (media,) = _found(page)
    assert isinstance(media, Media)
    assert media.source == page
    with pytest.raises(UndecodableImage, match="is a web page"):
        list(iter_frames(media, ReadOptions()))
    (picture,) = _found(http_server.serve("/picture/", PNG, content_type="image/png"))
    assert isinstance(picture, Media)
    assert len(list(iter_frames(picture, ReadOptions()))) == 1


def test_offline_asks_for_nothing(http_server: ScriptedServer) -> None:
    assert len(_found(f"{http_server.url}/pics/", offline=True)) == 1
    assert http_server.requests == []
