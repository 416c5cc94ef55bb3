"""A provider of lists on loopback, with whatever manners a test asks for."""

from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

Manners = Callable[[BaseHTTPRequestHandler], None]
"""How one request is answered."""


class Provider:
    """A small HTTP server on 127.0.0.1, while it is entered as a context.

    Attributes:
        url: Where its list is; every other path gives the same answer.
        manners: How requests are answered; ``serve`` sets the ordinary ones.
        asked: The path and the headers of each request so far.
    """

    def __init__(self) -> None:
        self.manners: Manners = lambda handler: send(handler, b"")
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append((self.path, dict(self.headers)))
                provider.manners(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        Handler.protocol_version = "HTTP/1.1"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}/list.csv"

    def serve(self, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with this from now on."""
        self.manners = lambda handler: send(handler, body, status=status, headers=headers)

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let go of the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def send(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer a request with a body and hang up; the headers may contradict the body."""
    handler.send_response(status)
    for name, value in {"Connection": "close", "Content-Length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
