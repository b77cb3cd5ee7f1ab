"""A small HTTP server on loopback that answers exactly the bytes a test wants, and counts what it was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """One request as it came in; header names in lower case."""

    target: str
    headers: Mapping[str, str]
    body: bytes = b""


Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
Route = Answer | Callable[[Asked], Answer]


@dataclass
class Server:
    """A running server. ``routes`` maps a path (without query) to its answer; anything else is a 404."""

    port: int = 0
    address: str = "127.0.0.1"
    routes: dict[str, Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://{f'[{self.address}]' if ':' in self.address else self.address}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(head[0].split(" ")[1], headers, body)
        self.asked.append(asked)
        route = self.routes.get(asked.target.split("?")[0], lambda _: reply(404))
        answer = route(asked)
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            return b"Connection: close" not in answer
        await answer(writer)
        return False


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return a whole answer; ``Content_Type`` stands for Content-Type."""
    lines = [f"HTTP/1.1 {status} Status"]
    if status != 304 and "Content_Length" not in headers and "Transfer_Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


@asynccontextmanager
async def serving(
    routes: Mapping[str, Answer | Callable[[Asked], Answer]] | None = None,
    tls: SSLContext | None = None,
    address: str = "127.0.0.1",
) -> AsyncIterator[Server]:
    """Serve ``routes`` until the block ends. A route is bytes, or a function of the request that returns an answer."""
    server = Server(address=address)
    for path, route in (routes or {}).items():
        server.routes[path] = route if callable(route) else _always(route)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await server.serve(reader, writer)
        tasks.discard(task)

    listener = await asyncio.start_server(accept, address, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


@contextmanager
def beside(
    routes: Mapping[str, Answer | Callable[[Asked], Answer]] | None = None, tls: SSLContext | None = None
) -> Iterator[Server]:
    """Serve ``routes`` from a thread with a loop of its own, for a test that runs other loops or processes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(timeout=60)

    running = serving(routes, tls)
    try:
        yield done(running.__aenter__())
        done(running.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _always(answer: bytes) -> Callable[[Asked], Answer]:
    return lambda _: answer
