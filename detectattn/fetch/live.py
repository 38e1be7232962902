"""The body of an answer that may have no end: read like a file, given up when it falls silent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from detectattn.fetch.body import iter_chunks
from detectattn.fetch.connection import Origin, open_response, translate_client_errors
from detectattn.fetch.limits import FetchLimits


class LiveBody:
    """An answer whose body is read piece by piece, for as long as it goes on.

    Args:
        url: An http or https address.
        limits: Of them, ``total_s`` counts until the answer begins, and anew with each :meth:`renew`; ``max_bytes``
            does not count.
        origin: What named the address, where that was another server's answer and not the user: the rules of
            redirects hold then.
        headers: Sent along.

    Attributes:
        name: The address after redirects, unredacted.
        origin: This answer, for the addresses that it names in turn.
        is_part: Whether the server sends the part that a ``Range`` header asked for.

    Raises:
        FetchError: It cannot be reached, or answers with an error.
    """

    def __init__(
        self, url: str, limits: FetchLimits, *, origin: Origin | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self._url = url
        self._limits = replace(limits, max_bytes=sys.maxsize)
        with ExitStack() as stack:
            self._answer = stack.enter_context(open_response(url, limits, origin=origin, headers=headers))
            self._chunks = iter_chunks(self._answer, url, self._limits)
            self._opened = stack.pop_all()
        self._pending = b""
        self.name = self._answer.final_url
        self.origin = self._answer.origin
        self.is_part = self._answer.response.status_code == 206
        self.content_type = self._answer.content_type

    def read(self, count: int) -> bytes:
        """The next bytes, ``count`` at most; fewer where no more have come, none at the end.

        Raises:
            FetchError: The transfer broke off, or took too long.
        """
        if not self._pending:
            with translate_client_errors(self._url, self._limits, self._answer.clock):
                self._pending = next(self._chunks, b"")
        piece, self._pending = self._pending[:count], self._pending[count:]
        return piece

    def peek(self, count: int) -> bytes:
        """The first bytes, ``count`` of them unless there are fewer; they stay to be read."""
        parts, size = [self._pending], len(self._pending)
        self._pending = b""
        while size < count and (piece := self.read(sys.maxsize)):
            parts.append(piece)
            size += len(piece)
        self._pending = b"".join(parts)
        return self._pending[:count]

    def renew(self, total_s: float) -> None:
        """Give it so much time again, from now on."""
        self._answer.clock.renew(total_s)

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._opened.close()
