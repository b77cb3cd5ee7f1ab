"""The wire: a name is resolved once, every address judged, and the connection made to a judged address.

This stands below httpcore's pool as its network backend, so no path to the network goes around it. TLS, SNI and Host
keep the name, since only the TCP connection is made by address.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Any
from urllib.parse import unquote

from aggregator.errors import ConfigError, FetchError
from aggregator.web.guard import Address, Guard, check, literal, spelling
from aggregator.web.lean import httpcore, httpx
from aggregator.web.manners import CONNECTIONS
from aggregator.web.network import Network

Resolve = Callable[[str], Awaitable[Sequence[str]]]

PROXY = "aggregator.proxy"  # the extension of a request that names its proxy

_IDLE = 4.0  # seconds an idle connection is kept: below the 5 s after which many servers close it
_TRIES = 4  # addresses tried for one name


async def resolve_by_system(host: str) -> Sequence[str]:
    """Return the addresses of a name as this machine's resolver gives them. Raises ``OSError`` if there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Dialler(httpcore.AsyncNetworkBackend):
    """httpcore's way to a TCP connection. ``detours`` maps a host to the address and port where it is reached.

    ``tcp`` makes the connections, and is asked for judged addresses only.
    """

    def __init__(
        self,
        guard: Guard,
        detours: Mapping[str, tuple[str, int]],
        resolve: Resolve,
        tcp: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._guard = guard
        self._detours = detours
        self._resolve = resolve
        self._tcp = tcp or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to ``host``. Raises ``FetchError``: ``refused``, ``dns``, ``connect``, ``timeout``."""
        target, port = self._detours.get(host, (host, port))
        if target is host:
            addresses = await self.judged(host)
        else:
            addresses = await self._known(target)
        share = None if timeout is None else timeout / min(len(addresses), _TRIES)
        faults: list[Exception] = []
        for address in addresses[:_TRIES]:
            try:
                stream = await self._tcp.connect_tcp(str(address), port, share, local_address, socket_options)
                return _Stream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                faults.append(fault)
        raise self._unreachable(host, target, port, faults)

    async def judged(self, host: str) -> list[Address]:
        """Return the addresses of a host, all of which may be asked. Raises ``FetchError`` ``refused`` or ``dns``."""
        addresses = await self._known(host)
        answered = literal(host) is None
        for address in addresses:
            check(self._guard, host, address, answered=answered)
        return addresses

    async def _known(self, host: str) -> list[Address]:
        """The address a host spells, or those its name resolves to."""
        spelled = literal(host)
        return [spelled] if spelled else await self._addresses(host)

    async def _addresses(self, host: str) -> list[Address]:
        try:
            found = [ip_address(text) for text in dict.fromkeys(await self._resolve(host))]
        except (OSError, ValueError) as error:  # ValueError: a label longer than DNS allows
            raise _unresolved(host, str(error)) from None
        if not found:
            raise _unresolved(host, "no address")
        # The families take turns, so that a network without one of them does not use up all tries.
        lead = [a for a in found if a.version == found[0].version]
        other = [a for a in found if a.version != found[0].version]
        return [a for a in chain.from_iterable(zip_longest(lead, other)) if a is not None]

    def _unreachable(self, host: str, target: str, port: int, faults: list[Exception]) -> FetchError:
        slow = all(isinstance(fault, httpcore.ConnectTimeout) for fault in faults)
        hint = "Check the network, and that the site is up"
        if target is not host:
            hint = f"config.yaml sends {host} there (network.connect_to): is the replica running?"
        why = "no answer in time" if slow else str(faults[-1])
        return FetchError(
            f"no connection to {target} port {port}: {why}", kind="timeout" if slow else "connect", hint=hint
        )


def _unresolved(host: str, why: str) -> FetchError:
    return FetchError(
        f"the name {host[:100]} is not known: {why}",
        kind="dns",
        hint="Check the spelling of the host and this machine's network",
    )


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is asked cheaply whether its peer has closed it.

    The pool asks that of every idle connection at each request and each answer, and anyio made a table of all the
    socket's properties for it: with eight connections a quarter of what a request took.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._socket = stream.get_extra_info("socket")

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        if info != "is_readable" or self._socket is None or self._socket.fileno() < 0:
            return self._stream.get_extra_info(info)
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))


class Wire(httpx.AsyncBaseTransport):
    """Requests over the dialler's connections, through a proxy if one is configured.

    A request's extension ``PROXY`` names one of ``Network.proxies`` to be used instead of ``Network.proxy``. Each has a
    pool of its own, of as many connections as the direct one.

    It is driven directly and not through ``httpx.AsyncClient``, which keeps cookies, reads the environment and logs
    whole URLs. Hosts that the configuration places on one's own network are reached without the proxy. A proxy
    resolves names itself, so there the answer of our own resolver is judged, and a name only the proxy knows passes.
    """

    def __init__(
        self, network: Network, guard: Guard, resolve: Resolve, tcp: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._guard = guard
        self._dialler = Dialler(guard, detours(network), resolve, tcp)
        context = _tls(network.ca_bundle)
        self._direct = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=CONNECTIONS,
            keepalive_expiry=_IDLE,
            network_backend=self._dialler,
        )
        self._proxy = network.proxy
        named = dict.fromkeys(network.proxies, "feeds[].proxy") | (
            {network.proxy: "network.proxy"} if network.proxy else {}
        )
        self._proxied = {proxy: _proxy_pool(proxy, where, context, resolve) for proxy, where in named.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer with its body still to be read. Raises httpcore's exceptions."""
        host = request.url.raw_host.decode("ascii")
        pool = self._direct
        proxy = request.extensions.get(PROXY) or self._proxy
        if proxy is not None and host not in self._guard.hosts:
            await self._judge_proxied(host)
            pool = self._proxied[proxy]
        answer = await pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.content or None,
                extensions={name: value for name, value in request.extensions.items() if name != PROXY},
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), request=request)

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in (self._direct, *self._proxied.values()):
            await pool.aclose()

    async def _judge_proxied(self, host: str) -> None:
        try:
            await self._dialler.judged(host)
        except FetchError as error:
            if error.kind != "dns":
                raise


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        assert isinstance(answer.stream, AsyncIterable)
        self._answer = answer
        self._stream = answer.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


def detours(network: Network) -> dict[str, tuple[str, int]]:
    """Read ``network.connect_to``: the address and port for each host. Raises ``ConfigError`` for a target that is not ``http://address[:port]``."""
    found = {}
    for host, target in network.connect_to.items():
        try:
            url = httpx.URL(target)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme != "http" or not url.host:
            raise ConfigError(
                f"{target!r} is no place to connect to",
                where=f"network.connect_to.{host}",
                hint="Write it as http://127.0.0.1:8377",
            )
        found[spelling(host)] = (url.raw_host.decode("ascii"), url.port or 80)
    return found


def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"{ca_bundle} cannot be used: {error}",
                where="network.ca_bundle",
                hint="Name a file with certificates in PEM form",
            ) from None
    return context


def _proxy_pool(proxy: str, where: str, context: ssl.SSLContext, resolve: Resolve) -> httpcore.AsyncHTTPProxy:
    try:
        url = httpx.URL(proxy)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(
            "the proxy is no http:// or https:// address",
            where=where,
            hint="Write it as http://127.0.0.1:7890; a SOCKS proxy usually has an HTTP port too",
        )
    host = url.raw_host.decode("ascii")
    userinfo = url.userinfo.decode("ascii")
    user, _, password = userinfo.partition(":")
    return httpcore.AsyncHTTPProxy(
        proxy_url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        proxy_auth=(unquote(user), unquote(password)) if userinfo else None,
        ssl_context=context,
        proxy_ssl_context=context if url.scheme == "https" else None,
        max_connections=CONNECTIONS,
        keepalive_expiry=_IDLE,
        # The person who configured the proxy vouches for its address, which is usually a loopback one.
        network_backend=Dialler(Guard(hosts=frozenset({host})), {}, resolve),
    )
