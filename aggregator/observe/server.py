"""A small HTTP server for the three questions.

It is the standard library's ``ThreadingHTTPServer`` in a thread of its own: kept as long as Python is, no further
package, and independent of the event loop it reports on. Of prometheus_client's own servers the threaded one bounds
neither connections nor time, and the others would run on that very loop. Here at most 16 connections are served at
once, each ends after 10 seconds however slowly its bytes come, one request each, GET and HEAD only. A page in a
browser cannot read it through a name that its owner points at 127.0.0.1: the Host must be an address, or localhost,
unless it is meant for others anyway.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET6, SHUT_RDWR
from typing import Any, NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST

from aggregator.observe.metrics import Metrics

_MOST = 16  # connections at once
_LONGEST = 10.0  # seconds for one
_LOOK = 0.1  # seconds between two looks at connections that take too long, and the longest its end takes
_JSON = "application/json; charset=utf-8"


class Reply(NamedTuple):
    """An answer: status, media type, body."""

    status: int
    type: str
    body: bytes


@asynccontextmanager
async def answering(
    metrics: Metrics, listen: tuple[str, int], *, by_name: bool = False, longest: float = _LONGEST
) -> AsyncIterator[str]:
    """Answer at an address and port until the block ends; yields where, as ``http://127.0.0.1:9464``.

    ``by_name``: also who asks by a name, as other machines do. ``longest`` is the seconds for one connection.

    Raises:
        OSError: nothing can listen there.
    """
    pages: dict[str, Callable[[], Reply]] = {
        "/healthz": lambda: _judged(metrics.unhealthy()),
        "/readyz": lambda: _judged(metrics.unready()),
        "/metrics": lambda: Reply(200, CONTENT_TYPE_LATEST, metrics.text()),
    }
    server = _Server(listen, pages, longest, by_name=by_name)
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK,), name="observe", daemon=True)
    thread.start()
    host, port = server.server_address[:2]
    shown = f"[{host!s}]" if ":" in str(host) else host
    try:
        yield f"http://{shown!s}:{port}"
    finally:
        await asyncio.to_thread(server.shutdown)  # waits for its next look, not for connections
        server.server_close()
        server.cut(lambda _: True)


def _judged(troubles: list[str]) -> Reply:
    body = json.dumps({"status": "failing" if troubles else "ok", "reasons": troubles}, ensure_ascii=False)
    return Reply(503 if troubles else 200, _JSON, body.encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = _MOST

    def __init__(
        self, listen: tuple[str, int], pages: Mapping[str, Callable[[], Reply]], longest: float, *, by_name: bool
    ) -> None:
        self.pages = pages
        self.by_name = by_name
        self.longest = longest
        self._open: dict[Any, float] = {}
        self._guard = threading.Lock()
        if ":" in listen[0]:
            self.address_family = AF_INET6
        super().__init__(listen, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, if there are not too many."""
        with self._guard:
            full = len(self._open) >= _MOST
            if not full:
                self._open[request] = time.monotonic()
        if full:
            super().shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """A connection has ended."""
        with self._guard:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """At each look: end the connections that take too long, whatever they do."""
        limit = time.monotonic() - self.longest
        self.cut(lambda begun: begun < limit)

    def cut(self, when: Callable[[float], bool]) -> None:
        """End the connections that began at such a time."""
        with self._guard:
            late = [request for request, begun in self._open.items() if when(begun)]
        for request in late:
            with suppress(OSError):
                request.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone, or was cut off: nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "aggregator"
    sys_version = ""
    timeout = _LONGEST  # for a silent one; `service_actions` sees to the others

    def do_GET(self) -> None:
        """Answer one of the three questions."""
        self._send(self._reply(), body=True)

    def do_HEAD(self) -> None:
        """The same without its body."""
        self._send(self._reply(), body=False)

    def _reply(self) -> Reply:
        if not self.server.by_name and not _is_plain(self.headers.get("Host", "")):
            return _said(421, "ask by an address or as localhost")
        page = self.server.pages.get(self.path.split("?")[0])
        return page() if page else _said(404, "/healthz, /readyz, /metrics")

    def _send(self, reply: Reply, *, body: bool) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Connection", "close")
        self.end_headers()
        if body:
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not a word: a scrape every few seconds is no event."""


def _said(status: int, words: str) -> Reply:
    return Reply(status, "text/plain; charset=utf-8", f"{words}\n".encode())


def _is_plain(host: str) -> bool:
    """Whether a Host is an address or localhost: no name that a stranger's DNS may lead here."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else host
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
