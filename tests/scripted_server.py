"""A web server that says what a test wants it to say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ScriptedServer:
    """A web server on 127.0.0.1 that answers as a test tells it to, and remembers what it was asked.

    Attributes:
        url: Its address, without a final slash.
        requests: The path and the headers of every request so far.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.routes: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                self.close_connection = True
                try:
                    outer.routes.get(self.path, lambda handler: handler.send_error(404))(self)
                except OSError:
                    return  # The client went away, which is what some tests are about.

            def log_message(self, *_: object) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def serve(self, path: str, body: bytes = b"", *, status: int = 200, **headers: str) -> str:
        """Answer ``path`` with ``body``; ``content_type="image/jpeg"`` is a header. Returns the URL."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for key, value in {"content_length": str(len(body)), **headers}.items():
                handler.send_header(key.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.routes[path] = answer
        return f"{self.url}{path}"

    def redirect(self, path: str, target: str) -> str:
        """Redirect ``path`` to ``target``. Returns the URL."""
        return self.serve(path, status=302, location=target)
