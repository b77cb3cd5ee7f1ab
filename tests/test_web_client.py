"""The client against real servers on loopback: conditions, redirects, statuses, limits, broken answers, privacy."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard
from virtual import VirtualClock, in_virtual_time
from web_server import Answer, Asked, Server, reply, serving

from aggregator.errors import ConfigError, FetchError
from aggregator.model import Hold, Page, Request, Validators
from aggregator.web import Client, Network
from aggregator.web.manners import CONNECTIONS

HOME = ("127.0.0.1",)
NOW = datetime(2022, 7, 14, 7, 0, tzinfo=UTC)
SINA = "finance.sina.com.cn"

Routes = Mapping[str, Answer | Callable[[Asked], Answer]]
Answered = Page | FetchError
Fetching = Callable[[str], Awaitable[Page]]


async def loopback(host: str) -> Sequence[str]:
    return ["127.0.0.1"]


async def unknown(host: str) -> Sequence[str]:
    raise OSError("not known here")


async def attempt(fetch: Client, request: Request) -> Answered:
    try:
        return await fetch(request)
    except FetchError as error:
        return error


def ask(routes: Routes, *requests: Request, network: Network | None = None) -> tuple[list[Answered], Server]:
    """Serve ``routes`` and send the requests one after the other; a request's URL may begin with ``/``."""

    async def run() -> tuple[list[Answered], Server]:
        async with serving(routes) as server:
            settings = network or Network(allow_private=HOME)
            async with Client(settings, clock=lambda: NOW, resolve=loopback) as fetch:
                return [await attempt(fetch, _at(server, request)) for request in requests], server

    return asyncio.run(run())


def _at(server: Server, request: Request) -> Request:
    base = server.url if request.url.startswith("/") else ""
    url = base + request.url.replace("PORT", str(server.port))
    return Request(url, request.kind, request.headers, request.validators)


def error_of(answer: bytes | Callable[[Asked], Answer], network: Network | None = None) -> FetchError:
    """Return the error that one answer to a request without validators leads to."""
    (result,), _ = ask({"/": answer}, Request("/"), network=network)
    assert isinstance(result, FetchError), result
    assert result.where.startswith("http://127.0.0.1:")
    assert result.hint
    return result


def page_of(routes: Routes, request: Request | None = None, network: Network | None = None) -> tuple[Page, Server]:
    (result,), server = ask(routes, request or Request("/"), network=network)
    assert isinstance(result, Page), result
    return result, server


# -- asking --------------------------------------------------------------------------------------------------


def test_a_page_is_what_the_server_meant() -> None:
    answer = reply(200, gzip.compress("新闻".encode()), Content_Encoding="gzip", ETag='W/"1"', Set_Cookie="a=b")
    page, server = page_of({"/": answer}, Request("/?a=1#part"))
    assert page.body.decode() == "新闻"
    assert page.status == 200
    assert page.headers["etag"] == 'W/"1"'
    assert page.validators == Validators(etag='W/"1"')
    assert "set-cookie" not in page.headers
    assert page.fetched_at == NOW
    assert page.url == f"{server.url}/?a=1#part"
    assert page.final_url == f"{server.url}/?a=1"
    assert server.asked[0].target == "/?a=1"


@pytest.mark.parametrize("pack", [("zstd", zstandard.compress), ("br", brotli.compress), ("gzip", gzip.compress)])
def test_encodings_that_are_offered_are_understood(pack: tuple[str, Callable[[bytes], bytes]]) -> None:
    name, packed = pack
    page, server = page_of({"/": reply(200, packed(b"x" * 9_999), Content_Encoding=name)})
    assert page.body == b"x" * 9_999
    assert name in server.asked[0].headers["accept-encoding"].split(", ")


def test_one_connection_serves_several_requests() -> None:
    results, server = ask({"/": reply(200, b"x"), "/b": reply(304)}, *[Request("/")] * 3)
    assert [isinstance(result, Page) for result in results] == [True] * 3
    assert server.connections == 1


def test_cookies_are_not_kept() -> None:
    _, server = ask({"/": reply(200, Set_Cookie="session=1")}, Request("/"), Request("/"))
    assert ["cookie" in asked.headers for asked in server.asked] == [False, False]


def test_the_feeds_headers_are_sent_but_not_those_of_the_connection() -> None:
    headers = {
        "X-Key": "k",
        "User-Agent": "mine",
        "X-Name": "值",
        "Accept-Encoding": "compress",
        "Host": "other.example",
    }
    _, server = page_of({"/": reply(200)}, Request("/", headers=headers))
    said = server.asked[0].headers
    assert (said["x-key"], said["user-agent"]) == ("k", "mine")
    assert said["x-name"].encode("latin-1").decode() == "值"
    assert "compress" not in said["accept-encoding"]
    assert said["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X-名": "1"}, {"X A": "1"}, {"": "1"}])
def test_a_header_that_cannot_be_sent_is_an_error(headers: dict[str, str]) -> None:
    (result,), server = ask({"/": reply(200)}, Request("/", headers=headers))
    assert isinstance(result, FetchError)
    assert result.kind == "protocol"
    assert "headers" in result.hint
    assert server.asked == []


def test_referer_goes_to_sina_only() -> None:
    agent = "Mozilla/5.0 (compatible; aggregator/9)"

    async def run() -> dict[str, str | None]:
        async with serving({"/": reply(200)}) as server:
            targets = dict.fromkeys((SINA, "n.sinaimg.cn", "notsina.cn"), server.url)
            async with Client(Network(connect_to=targets, user_agent=agent)) as fetch:
                for host in targets:
                    await fetch(Request(f"https://{host}/"))
        assert {asked.headers["user-agent"] for asked in server.asked} == {agent}
        return {asked.headers["host"]: asked.headers.get("referer") for asked in server.asked}

    referer = "https://finance.sina.com.cn/"
    assert asyncio.run(run()) == {SINA: referer, "n.sinaimg.cn": referer, "notsina.cn": None}


# -- conditions ----------------------------------------------------------------------------------------------


def test_a_304_to_our_question_is_an_unchanged_page() -> None:
    validators = Validators('"é1"', "Thu, 14 Jul 2022 07:10:07 GMT")
    page, server = page_of({"/": reply(304, ETag='"2"')}, Request("/", validators=validators))
    assert page.unchanged
    assert page.body == b""
    assert page.headers["etag"] == '"2"'
    said = server.asked[0].headers
    assert (said["if-none-match"], said["if-modified-since"]) == (validators.etag, validators.last_modified)


def test_answers_304_leave_the_connection_open() -> None:
    asked = [Request("/", validators=Validators("1"))] * 3
    results, server = ask({"/": reply(304, ETag='"1"')}, *asked)
    assert [page.status for page in results if isinstance(page, Page)] == [304] * 3
    assert server.connections == 1


def test_a_304_nobody_asked_for_is_an_error() -> None:
    error = error_of(reply(304))
    assert (error.kind, error.status) == ("protocol", 304)


@pytest.mark.parametrize("etag", ['"' + "x" * 1_000 + '"', '"中"', '"a\r\nX: 1"', ""])
def test_a_validator_that_is_too_long_or_cannot_be_sent_is_not(etag: str) -> None:
    _, server = page_of({"/": reply(200)}, Request("/", validators=Validators(etag, "x" * 2_000)))
    assert not {"if-none-match", "if-modified-since"} & server.asked[0].headers.keys()


# -- redirects -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/b", "b", "//127.0.0.1:PORT/b", "http://127.0.0.1:PORT/x/../b", "?q", "/b#f"])
def test_redirects_lead_on(status: int, location: str) -> None:
    def start(asked: Asked) -> bytes:
        there = location.replace("PORT", asked.headers["host"].split(":")[1])
        return reply(200, b"here") if asked.target == "/?q" else reply(status, Location=there)

    page, server = page_of({"/": start, "/b": reply(200, b"here")})
    assert page.body == b"here"
    assert page.url == f"{server.url}/"
    assert page.final_url == server.url + ("/?q" if location == "?q" else "/b")


def test_a_location_in_gbk_leads_where_its_octets_say() -> None:
    answer = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\xd0\xc2\r\n\r\n"
    page, _ = page_of({"/": answer, "/%D0%C2": reply(200, b"here")})
    assert page.body == b"here"


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [
        ([], None),
        ([301], "/1"),
        ([308, 301], "/2"),
        ([301, 302, 301], "/1"),
        ([308, 307], "/1"),
        ([302, 301], None),
        ([307], None),
        ([303], None),
    ],
)
def test_a_page_tells_where_its_address_moved_for_good(statuses: list[int], moved: str | None) -> None:
    routes: dict[str, Answer] = {f"/{n}": reply(status, Location=f"/{n + 1}") for n, status in enumerate(statuses)}
    page, server = page_of({**routes, f"/{len(statuses)}": reply(200)}, Request("/0"))
    assert page.moved_to == (server.url + moved if moved else None)


def test_a_page_tells_how_long_it_was_on_the_wire() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(reply(302, Location="/b"))
        await writer.drain()

    page, _ = page_of({"/": lambda _: slow, "/b": reply(200)})
    assert 0.05 <= page.seconds < 5


def test_a_redirect_without_a_place_is_an_error() -> None:
    assert error_of(reply(302)).kind == "protocol"
    assert error_of(reply(300, Location="/b")).kind == "protocol"


def test_what_is_secret_stays_with_its_origin() -> None:
    headers = {"Authorization": "Bearer t", "X-Key": "k"}
    network = Network(allow_private=("one.example", "two.example"))
    routes: Routes = {
        "/": lambda asked: reply(302, Location=f"http://u:p@two.example:{asked.headers['host'].split(':')[1]}/b"),
        "/b": lambda asked: reply(302, Location=f"http://one.example:{asked.headers['host'].split(':')[1]}/c"),
        "/c": reply(200),
    }
    page, server = page_of(routes, Request("http://one.example:PORT/", headers=headers), network)
    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer t", None, "Bearer t"]
    assert [asked.headers.get("x-key") for asked in server.asked] == ["k", None, "k"]
    assert "u:p" not in page.final_url


def test_credentials_in_a_url_are_sent_and_never_shown() -> None:
    network = Network(allow_private=("one.example", "two.example"))
    routes: Routes = {
        "/": lambda asked: reply(302, Location=f"http://two.example:{asked.headers['host'].split(':')[1]}/b"),
        "/b": reply(403),
    }
    (error,), server = ask(routes, Request("http://me:s%40crt@one.example:PORT/?token=abc&k=1"), network=network)
    assert isinstance(error, FetchError)
    assert [asked.headers.get("authorization") for asked in server.asked] == ["Basic bWU6c0BjcnQ=", None]
    (error,), _ = ask({}, Request("http://me:s%40crt@one.example:PORT/?token=abc&k=1"), network=network)
    assert isinstance(error, FetchError)
    assert error.where.endswith("/?token=***&k=1")
    assert "crt" not in str(error)


# -- what answers mean ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "http"),
        (401, "blocked"),
        (403, "blocked"),
        (404, "not_found"),
        (410, "gone"),
        (418, "blocked"),
        (429, "rate_limited"),
        (451, "blocked"),
        (456, "blocked"),
        (500, "http"),
        (502, "http"),
        (503, "rate_limited"),
        (599, "http"),
    ],
)
def test_a_status_is_a_kind(status: int, kind: str) -> None:
    error = error_of(reply(status, b"body"))
    assert (error.kind, error.status) == (kind, status)
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize("status", [200, 201, 203, 204, 206])
def test_any_success_is_a_page(status: int) -> None:
    page, _ = page_of({"/": reply(status) if status != 204 else b"HTTP/1.1 204 None\r\n\r\n"})
    assert (page.status, page.body) == (status, b"")


def test_a_host_that_asks_for_quiet_is_left_alone() -> None:
    now = [NOW]
    kept: list[Hold] = []

    async def run() -> list[Answered]:
        async with serving({"/": reply(429, Retry_After="120"), "/ok": reply(200)}) as server:
            busy, well = Request(f"{server.url}/"), Request(f"{server.url}/ok")
            network = Network(allow_private=HOME)
            async with Client(network, clock=lambda: now[0]) as fetch:
                results = [await attempt(fetch, busy), await attempt(fetch, well)]
                kept.extend(fetch.holds())
            async with Client(network, clock=lambda: now[0], holds=kept) as fetch:
                results.append(await attempt(fetch, well))
                assert len(server.asked) == 1
                now[0] += timedelta(seconds=120)
                results.append(await attempt(fetch, well))
                kept[:] = fetch.holds()
        return results

    busy, held, still, well = asyncio.run(run())
    assert isinstance(busy, FetchError)
    assert isinstance(held, FetchError)
    assert isinstance(still, FetchError)
    assert isinstance(well, Page)
    assert [(e.kind, e.retry_at) for e in (busy, held, still)] == [
        ("rate_limited", NOW + timedelta(seconds=120)),
        ("held", NOW + timedelta(seconds=120)),
        ("held", NOW + timedelta(seconds=120)),
    ]
    assert held.where.endswith("/ok")
    assert kept == [Hold("127.0.0.1", None, 0)]


# -- limits and broken answers -------------------------------------------------------------------------------

SMALL = Network(allow_private=HOME, max_page=1_000, max_listing=2_000, timeout=5.0, deadline=0.3)


def test_sizes_are_bounded_by_kind() -> None:
    bomb = reply(200, gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")
    routes = {"/1500": reply(200, b"x" * 1_500), "/2500": reply(200, b"x" * 2_500), "/bomb": bomb}
    requests = [Request(path, kind) for path in routes for kind in ("page", "listing")]
    results, _ = ask(routes, *requests, network=SMALL)
    kinds = [result.kind if isinstance(result, FetchError) else "fine" for result in results]
    assert kinds == ["too_large", "fine", "too_large", "too_large", "too_large", "too_large"]


def forever(first: bytes, more: bytes, pause: float) -> Callable[[Asked], Answer]:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(more)
            await writer.drain()
            await asyncio.sleep(pause)

    return lambda _: write


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (OK + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n", "protocol"),
        (b"\x15\x03\x01\r\n\r\nConnection: close", "protocol"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello", "protocol"),
    ],
)
def test_a_bad_answer_is_a_typed_error(answer: bytes | Callable[[Asked], Answer], kind: str) -> None:
    assert error_of(answer, SMALL).kind == kind


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({f"X-{n}": "a" for n in range(200)}, None),
        ({f"X-{n}": "a" for n in range(256)}, "protocol"),
        ({"Content_Security_Policy": "b" * 63_000}, None),
        ({"Content_Security_Policy": "b" * 64_000}, "protocol"),
        ({f"X-{n}": "c" * 6_400 for n in range(10)}, "protocol"),
    ],
)
def test_headers_are_bounded_in_number_and_size(headers: dict[str, str], kind: str | None) -> None:
    (result,), _ = ask({"/": reply(200, b"x", **headers)}, Request("/"))
    assert (result.kind if isinstance(result, FetchError) else None) == kind


def test_silence_is_a_timeout_of_one_read() -> None:
    error = error_of(forever(OK, b"", 0.01), Network(allow_private=HOME, timeout=0.05))
    assert (error.kind, error.message) == ("timeout", "no answer in time")


def test_the_deadline_covers_the_redirects_and_names_itself() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(reply(302, Location="/b"))
        await writer.drain()

    (result,), _ = ask({"/": lambda _: slow, "/b": lambda _: slow}, Request("/"), network=SMALL)
    assert isinstance(result, FetchError)
    assert (result.kind, result.where[-2:]) == ("timeout", "/b")
    assert "0.3 s" in result.message


def test_waiting_for_a_turn_is_not_on_the_deadline() -> None:
    asked: list[float] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(asyncio.get_running_loop().time())
        return httpx.Response(200, stream=httpx.ByteStream(b"x"))

    async def run() -> None:
        network = Network(allow_private=HOME, deadline=5.0, interval=60.0)
        clock = VirtualClock(asyncio.get_running_loop())
        async with Client(network, clock=clock, transport=httpx.MockTransport(answer)) as fetch:
            await asyncio.gather(*(fetch(Request(f"http://127.0.0.1/?{n}")) for n in range(8)))

    in_virtual_time(run())
    assert asked == [60.0 * n for n in range(8)]


# -- reaching hosts ------------------------------------------------------------------------------------------


def test_connect_to_speaks_plain_http_and_keeps_the_host() -> None:
    async def run() -> tuple[Page, Page, list[str]]:
        async with serving({"/a": reply(301, Location=f"http://{SINA}/b"), "/b": reply(200, b"here")}) as server:
            async with Client(Network(connect_to={SINA: server.url}), resolve=loopback) as fetch:
                secure = await fetch(Request(f"https://{SINA}/b"))
                plain = await fetch(Request(f"https://{SINA}/a"))
            return secure, plain, [asked.headers["host"] for asked in server.asked]

    secure, plain, hosts = asyncio.run(run())
    assert hosts == [SINA] * 3
    assert secure.final_url == f"https://{SINA}/b"
    assert plain.final_url == f"http://{SINA}/b"
    assert secure.body == plain.body == b"here"


def test_a_replica_that_is_down_is_named() -> None:
    async def run() -> FetchError:
        async with serving() as server:
            pass
        async with Client(Network(connect_to={SINA: server.url})) as fetch:
            with pytest.raises(FetchError) as error:
                await fetch(Request(f"https://{SINA}/"))
        return error.value

    error = asyncio.run(run())
    assert error.kind == "connect"
    assert "is the replica running?" in error.hint
    assert SINA in error.hint


def test_a_name_that_does_not_resolve() -> None:
    async def unknown(host: str) -> Sequence[str]:
        raise OSError("Name or service not known")

    async def nothing(host: str) -> Sequence[str]:
        return []

    async def run() -> list[tuple[str, str]]:
        found = []
        for resolve in (unknown, nothing):
            async with Client(Network(), resolve=resolve) as fetch:
                with pytest.raises(FetchError) as error:
                    await fetch(Request("https://nowhere.example/feed"))
            found.append((error.value.kind, error.value.where))
        return found

    assert asyncio.run(run()) == [("dns", "https://nowhere.example/feed")] * 2


def test_the_next_address_is_tried_when_the_first_is_dead() -> None:
    async def two(host: str) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async def run() -> bytes:
        client = Client(Network(allow_private=("two.example",)), resolve=two)
        async with serving({"/": reply(200, b"here")}) as server, client as fetch:
            return (await fetch(Request(f"http://two.example:{server.port}/"))).body

    assert asyncio.run(run()) == b"here"


def test_settings_that_cannot_be_used_are_configuration_errors(tmp_path: Path) -> None:
    for network, key in [
        (Network(connect_to={SINA: "https://127.0.0.1"}), f"network.connect_to.{SINA}"),
        (Network(connect_to={SINA: "127.0.0.1:80"}), f"network.connect_to.{SINA}"),
        (Network(proxy="socks5://127.0.0.1:1"), "network.proxy"),
        (Network(proxy="http://"), "network.proxy"),
        (Network(proxies=("socks5://127.0.0.1:1",)), "feeds[].proxy"),
        (Network(ca_bundle=str(tmp_path / "missing.pem")), "network.ca_bundle"),
    ]:
        with pytest.raises(ConfigError) as error:
            Client(network)
        assert error.value.where == key


# -- proxies and TLS -----------------------------------------------------------------------------------------


def through_proxy(
    run: Callable[[Fetching, Server], Awaitable[None]], resolve: Callable[[str], Awaitable[Sequence[str]]], *, own: bool
) -> Server:
    """What a proxy was asked: the network's, or the request's ``own``."""

    async def main() -> Server:
        async with serving() as proxy:
            proxy.routes["http://far.example/a"] = lambda _: reply(200, b"by proxy")
            url = proxy.url.replace("//", "//me:pw@")
            network = Network(proxies=(url,)) if own else Network(proxy=url)
            async with Client(replace(network, allow_private=("near.example",)), resolve=resolve) as fetch:
                await run(lambda url: fetch(Request(url, proxy=network.proxies[0] if own else None)), proxy)
            return proxy

    return asyncio.run(main())


@pytest.mark.parametrize("own", [False, True])
def test_a_configured_proxy_on_loopback_is_used_even_for_names_only_it_knows(own: bool) -> None:
    async def run(fetch: Fetching, proxy: Server) -> None:
        assert (await fetch("http://far.example/a")).body == b"by proxy"
        with pytest.raises(FetchError, match="proxy refuses"):
            await fetch("https://far.example/a")

    proxy = through_proxy(run, unknown, own=own)
    assert [asked.target for asked in proxy.asked] == ["http://far.example/a", "far.example:443"]
    assert proxy.asked[0].headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize("own", [False, True])
def test_hosts_of_ones_own_network_are_reached_without_the_proxy(own: bool) -> None:
    async def run(fetch: Fetching, proxy: Server) -> None:
        async with serving({"/": reply(200, b"near")}) as near:
            assert (await fetch(f"http://near.example:{near.port}/")).body == b"near"

    assert through_proxy(run, loopback, own=own).connections == 0


def test_all_proxies_together_have_eight_open_requests() -> None:
    hosts = [f"http://h{n}.example/" for n in range(20)]
    open_now = most = 0
    full = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        if open_now == CONNECTIONS:
            full.set()
        await full.wait()
        open_now -= 1
        writer.write(reply(200, b"x", Connection="close"))

    async def run() -> list[int]:
        async with serving() as one, serving() as two:
            for server in (one, two):
                server.routes |= dict.fromkeys(hosts, lambda _: slow)
            async with Client(Network(proxy=one.url, proxies=(two.url,)), resolve=unknown) as fetch:
                asked = [Request(host, proxy=proxy) for host in hosts for proxy in (two.url, None)]
                await asyncio.gather(*(fetch(request) for request in asked))
            return [len(one.asked), len(two.asked)]

    assert asyncio.run(run()) == [20, 20]
    assert most == CONNECTIONS


def test_https_that_is_none_is_a_tls_error() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(reply(400, b"this port speaks HTTP"))
        writer.close()
        await writer.wait_closed()

    async def run() -> Answered:
        async with await asyncio.start_server(plain, "127.0.0.1", 0) as listener:
            port = listener.sockets[0].getsockname()[1]
            async with Client(Network(allow_private=HOME)) as fetch:
                return await attempt(fetch, Request(f"https://127.0.0.1:{port}/"))

    error = asyncio.run(run())
    assert isinstance(error, FetchError)
    assert error.kind == "tls"
