"""A small HTTP/1.1 server on loopback: keep-alive, conditional GET, gzip; bounded, quiet, gone when stopped."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from aggregator.demo.pages import Answer, http_date

MOST_CONNECTIONS = 64
IDLE = 30.0  # seconds without a request after which a connection is closed
PATIENCE = 5.0  # seconds to wait for a thread at the end


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; header names in lower case, ``host`` without its port."""

    method: str
    host: str
    target: str  # path and query
    headers: Mapping[str, str]


Reply = Callable[[Asked], Answer]


class Server(ThreadingHTTPServer):
    """Answers each GET and HEAD with what ``reply`` says. ``close`` ends every connection and every thread."""

    daemon_threads = True  # a program that forgets to close must still be able to end
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, port: int, reply: Reply) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.reply = reply
        self._open: set[socket.socket] = set()
        self._serving: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self.serve_forever, args=(0.05,), name="replica", daemon=True)
        self._accepting.start()

    def server_bind(self) -> None:
        """Bind without the look-up of the machine's name that the standard class makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]  # socketserver's own annotation is wider
        """Serve a new connection in a thread of its own, or close it when there are too many."""
        with self._lock:
            full = len(self._open) >= MOST_CONNECTIONS
            if not full:
                self._open.add(request)
        if full:
            super().shutdown_request(request)
            return
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="replica-connection", daemon=True
        )
        self._serving = [*(other for other in self._serving if other.is_alive()), thread]
        thread.start()

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # as above
        """A connection has ended."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away in the middle of an answer is nothing to report."""

    def close(self) -> None:
        """Stop accepting, end the open connections, wait for the threads."""
        self.shutdown()
        with self._lock:
            left = set(self._open)
        for connection in left:
            _hang_up(connection)
        for thread in (self._accepting, *self._serving):
            thread.join(PATIENCE)
        self.server_close()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it had ended by itself


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "replica"
    sys_version = ""
    timeout = IDLE
    wbufsize = -1  # head and body leave together: no wait for a delayed acknowledgement
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers.get("host", "").partition(":")[0].lower()
        asked = Asked(self.command, host, self.path, headers)
        self._send(asked, self.server.reply(asked))

    do_HEAD = do_GET

    def _send(self, asked: Asked, answer: Answer) -> None:
        etag = f'"{sha256(answer.body).hexdigest()[:20]}"'
        unchanged = answer.modified is not None and _is_known(asked.headers, etag, answer.modified)
        body, encoded = _encoded(answer, asked)
        self.send_response(304 if unchanged else answer.status)
        if answer.modified is not None:
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", http_date(answer.modified))
        if answer.location is not None:
            self.send_header("Location", answer.location)
        if not unchanged:
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(body)))
        if encoded and not unchanged:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        if not unchanged and asked.method == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the requests are counted, see ``Replica.requests``."""


def _encoded(answer: Answer, asked: Asked) -> tuple[bytes, bool]:
    if len(answer.body) < 1_000 or answer.type.startswith("image/"):
        return answer.body, False
    if "gzip" not in asked.headers.get("accept-encoding", ""):
        return answer.body, False
    return gzip.compress(answer.body, 1, mtime=0), True


def _is_known(headers: Mapping[str, str], etag: str, modified: datetime) -> bool:
    """RFC 9110 section 13.2.2: If-None-Match decides; only without it does If-Modified-Since."""
    if (tags := headers.get("if-none-match")) is not None:
        return tags.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
    try:
        since = parsedate_to_datetime(headers.get("if-modified-since", ""))
    except ValueError:
        return False
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    return modified.replace(microsecond=0) <= aware
