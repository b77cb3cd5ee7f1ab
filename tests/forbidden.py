"""Places no feed may lead the program to: their spellings, traps that count who comes, and a world without internet."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpcore

PUBLIC = "93.184.215.14"  # an address of the public internet; nothing here ever reaches it

# What is no web address. PORT is the trap's, here and below.
SCHEMES = (
    "file:///etc/hostname",
    "file://127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_GET%20/",
    "dict://127.0.0.1:PORT/",
    "ldap://127.0.0.1:PORT/",
    "ws://127.0.0.1:PORT/",
    "feed://127.0.0.1:PORT/",
    "feed:http://127.0.0.1:PORT/",
    "view-source:http://127.0.0.1:PORT/",
    "jar:http://127.0.0.1:PORT/!/",
    "unix:///var/run/docker.sock",
    "javascript:fetch('http://127.0.0.1:PORT/')",
    "data:text/html,<img src=http://127.0.0.1:PORT/>",
)

# This machine and private networks, as a feed could write them.
SPELLINGS = (
    "http://127.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://127.255.255.254:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0X7F.1:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.1:PORT/",
    "http://017700000001:PORT/",
    "http://00.0.0.0:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://１２７．０．０．１:PORT/",
    "http://127。0。0。1:PORT/",
    "http://①②⑦.0.0.1:PORT/",
    "http://127%2e0%2e0%2e1:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://[::1]:PORT/",
    "http://[::]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[fe80::1%25lo]:PORT/",
    "http://[fd00:ec2::254]:PORT/",
    "http://user:pw@127.0.0.1:PORT/",
    "http://good.example@127.0.0.1:PORT/",
    "http://good.example\\@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@good.example/",
    "http:127.0.0.1:PORT/",
    "http:/127.0.0.1:PORT/",
    "http:\\\\127.0.0.1:PORT\\",
    "HTTP://127.0.0.1:PORT/",
    " http://127.0.0.1:PORT/",
    "h\tttp://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST.:PORT/",
    "https://localhost:PORT/",
    "http://inside.example:PORT/",
    "http://mixed.example:PORT/",
    "http://mapped.example:PORT/",
    "http://10.0.0.1:PORT/",
    "http://172.16.0.1:PORT/",
    "http://192.168.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://100.100.100.200/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.example/",
    "http://198.18.0.1/",
    "http://255.255.255.255/",
    "//[",
    "http://1.2.3.4.5:PORT/",
    "http://256.256.256.256:PORT/",
    "http://good.example:0/",
    "http://good.example:65536/",
    "http://a b.example/",
)

# Addresses that are not of the public internet, though Python's ``is_global`` says so of many of them.
ADDRESSES = (
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
)

NAMES = {
    "localhost": ["127.0.0.1"],
    "inside.example": ["127.0.0.1"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
}


async def resolve(host: str) -> Sequence[str]:
    """The addresses of ``NAMES``; ``OSError`` for others."""
    if host not in NAMES:
        raise OSError("no such name")
    return NAMES[host]


@dataclass
class Trap:
    """Listeners on one port of 127.0.0.1 and, where there is IPv6, of ::1. They answer nobody."""

    port: int
    listeners: list[socket.socket]

    def caught(self) -> int:
        """How many connections have been made: the kernel completes each without the listener's doing."""
        return sum(1 for listener in self.listeners for _ in _waiting(listener))


def _waiting(listener: socket.socket) -> Iterator[None]:
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            yield


@contextmanager
def trap() -> Iterator[Trap]:
    """A trap, until the block ends."""
    first = _listener(socket.AF_INET, "127.0.0.1", 0)
    port = first.getsockname()[1]
    listeners = [first]
    with suppress(OSError):  # no IPv6 here
        listeners.append(_listener(socket.AF_INET6, "::1", port))
    try:
        yield Trap(port, listeners)
    finally:
        for listener in listeners:
            listener.close()


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((address, port))
    listener.listen(1_000)
    listener.setblocking(False)
    return listener


@dataclass
class Internet(httpcore.AsyncNetworkBackend):
    """The internet as it is to the dialler: the addresses of ``places`` lead to a port of loopback, which a connection
    reaches whatever its port; loopback itself is where it is, and nothing else answers. ``dialled`` tells all it did.
    """

    places: dict[str, int] = field(default_factory=dict)
    dialled: list[str] = field(default_factory=list)
    wire: httpcore.AsyncNetworkBackend = field(default_factory=httpcore.AnyIOBackend)

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *more: object, **and_more: object
    ) -> httpcore.AsyncNetworkStream:
        """Connect, or raise ``ConnectError``."""
        self.dialled.append(host)
        if host in self.places:
            return await self.wire.connect_tcp("127.0.0.1", self.places[host], timeout)
        if host in ("127.0.0.1", "::1"):
            return await self.wire.connect_tcp(host, port, timeout)
        raise httpcore.ConnectError("nobody is there")
