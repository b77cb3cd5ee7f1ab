"""Forbidden places: ids N10 to N14 of the catalogue of hostile inputs, and the set-ups that must not be refused.

Each place is tried as the address of a feed, as the target of a feed's redirect, as an article's link, as that of that
link's redirect, as an image of an article, and all that again with a proxy for all, and with the feeds' own. A trap
counts who comes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
from certificates import certificate
from forbidden import ADDRESSES, PUBLIC, SCHEMES, SPELLINGS, Internet, resolve, trap
from hostile import program, routes
from sqlite_utils import Database
from web_server import Answer, Asked, beside, reply, serving
from world import CATEGORIES, Clock, page

from aggregator.errors import FetchError
from aggregator.model import Feed, Page, Report, Request
from aggregator.pipeline import poll
from aggregator.web import Client, Network, unused_proxy
from aggregator.web.dial import Wire
from aggregator.web.guard import Guard
from aggregator.web.network import PROXY_VARIABLES

ROOT = Path(__file__).resolve().parent.parent
# How a place is turned down. A place that a server's own address completes ("http:path") is not found there.
REFUSED = {"refused", "scheme"}
WAYS = 5  # each without a proxy, with the network's, and with the feed's own
PROXIES = ("none", "network", "feed")


def nobody_is_led(folder: Path, places: Sequence[str]) -> None:
    """Whatever leads to the places, no connection is made, not even to a proxy that would make it."""
    for proxied in PROXIES:
        inside = folder / proxied
        inside.mkdir(parents=True)
        with trap() as hole, beside() as proxy:
            urls = [place.replace("PORT", str(hole.port)) for place in places]
            own = f'proxy: "{proxy.url}"'
            lines = {"network": own if proxied == "network" else "", "feed": own if proxied == "feed" else ""}
            reports = asyncio.run(_follow(inside, urls, lines, proxy.url if proxied == "feed" else None))
            assert (hole.caught(), proxy.connections) == (0, 0)
        _judge(inside, reports, len(urls))
    print(f"{len(places)} places, {len(places) * WAYS * len(PROXIES)} combinations")


async def _follow(folder: Path, urls: Sequence[str], lines: dict[str, str], proxy: str | None) -> list[Report]:
    """Poll feeds that lead to the URLs in all ways."""
    hops = [f"http://bad.example/to/{n}" for n in range(len(urls))]
    named = {f"feed {n}": url for n, url in enumerate(urls)} | {f"redirect {n}": hop for n, hop in enumerate(hops)}
    named |= {name: f"http://bad.example/{name}" for name in ("links", "hops", "images")}
    feeds = [Feed(name, "feed", url, CATEGORIES, proxy=proxy) for name, url in named.items()]
    images = "".join(
        f'<img src="{escape(url)}"><a href="{escape(url)}"><img srcset="{escape(url)} 2x"></a>' for url in urls
    )
    answers: dict[str, Answer] = {
        "/links": _listing(urls),
        "/hops": _listing(hops),
        "/images": _listing(["http://bad.example/pictures"], images),
        "/pictures": reply(200, page(0).replace(b"<article>", f"<article>{images}".encode())),
    }
    answers |= {f"/to/{n}": _redirect(url) for n, url in enumerate(urls)}
    async with program(folder, Clock(), resolve, deadline="1s", **lines) as (app, server):
        server.routes |= routes(answers)
        await app.archive.enrol(feeds)
        desk = replace(app.desk, feeds={feed.name: feed for feed in feeds})
        return [await poll(desk, feed) for feed in feeds]


def _listing(links: Sequence[str], extra: str = "") -> bytes:
    items = "".join(
        f"<item><title>第{n}号快讯</title><link>{escape(link)}</link><guid>{n}</guid>"
        f"<description>{escape(extra)}</description></item>"
        for n, link in enumerate(links)
    )
    return reply(200, f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode())


def _redirect(url: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % url.encode()


def _judge(folder: Path, reports: Sequence[Report], count: int) -> None:
    """Every attempt has ended in a refusal that is stored; the article with the images is archived."""
    told = {report.feed: report for report in reports}
    assert {told[f"feed {n}"].error_kind for n in range(count)} <= REFUSED
    assert {told[f"redirect {n}"].error_kind for n in range(count)} <= REFUSED | {"not_found"}
    assert [told[name].status for name in ("links", "hops", "images")] == ["ok"] * 3
    assert (told["hops"].new, told["images"].failed) == (count, 0)
    db = Database(folder / "archive.db")
    kinds = [row[0] for row in db.execute("SELECT error_kind FROM work")]
    pictures = db.execute("SELECT count(*) FROM revisions WHERE url LIKE '%/pictures'").fetchone()[0]
    db.close()
    assert set(kinds) <= REFUSED
    assert len(kinds) >= count
    assert pictures == 1


def test_n10_schemes(tmp_path: Path) -> None:
    nobody_is_led(tmp_path, SCHEMES)


def test_n11_this_machine_and_private_networks_in_every_spelling(tmp_path: Path) -> None:
    nobody_is_led(tmp_path, SPELLINGS)


def test_n12_addresses_that_python_takes_for_public(tmp_path: Path) -> None:
    hosts = [f"[{address}]" if ":" in address else address for address in ADDRESSES]
    nobody_is_led(tmp_path, [f"http://{host}:PORT/" for host in hosts])


@pytest.mark.parametrize("proxied", PROXIES)
def test_n13_rebinding(proxied: str) -> None:
    """A name that is public when first asked for is judged again for each connection, and never asked for twice."""
    calls: dict[str, int] = {}

    async def rebound(host: str) -> Sequence[str]:
        kind, number = host.removesuffix(".example").split("-")
        calls[host] = calls.get(host, 0) + 1
        address = ADDRESSES[int(number)]
        if kind == "later":
            return [PUBLIC] if calls[host] == 1 else [address]
        return [PUBLIC, address] if kind == "beside" else [address]

    def on(asked: Asked) -> bytes:
        return b"HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /inside\r\n\r\n"

    async def run() -> tuple[list[str | None], list[str], list[str]]:
        async with serving({"/": on}) as public, serving() as proxy:
            proxy.routes |= {f"http://later-{n}.example/": on for n in range(len(ADDRESSES))}
            network = Network(proxy=proxy.url if proxied == "network" else None, proxies=(proxy.url,))
            own = proxy.url if proxied == "feed" else None
            internet = Internet({PUBLIC: public.port})
            async with Client(network, transport=Wire(network, Guard.of(network), rebound, internet)) as fetch:
                kinds = [
                    await came_to(fetch, Request(f"http://{kind}-{number}.example/", proxy=own))
                    for kind in ("later", "beside", "only")
                    for number in range(len(ADDRESSES))
                ]
            return kinds, internet.dialled, [asked.target for asked in (*public.asked, *proxy.asked)]

    kinds, dialled, asked = asyncio.run(run())
    assert kinds == ["refused"] * 3 * len(ADDRESSES)
    assert dialled == ([PUBLIC] * len(ADDRESSES) if proxied == "none" else [])
    assert len(asked) == len(ADDRESSES)
    assert not [target for target in asked if "inside" in target]
    assert {calls[host] for host in calls if host.startswith("later")} == {2}
    assert {calls[host] for host in calls if not host.startswith("later")} == {1}


async def came_to(fetch: Client, request: Request) -> str | None:
    try:
        await fetch(request)
    except FetchError as error:
        return error.kind
    return None


# -- N14: the environment ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROXY_VARIABLES)
def test_n14_a_proxy_of_the_environment_is_spoken_of_where_none_is_configured(name: str) -> None:
    environ = {name: "http://me:pw@127.0.0.1:1", "PATH": "/bin"}
    said = unused_proxy(None, environ)
    assert said == f"{name} of the environment is not used; if a proxy is needed, set network.proxy in config.yaml"
    assert unused_proxy("http://127.0.0.1:1", environ) is None
    assert unused_proxy(None, {name: "", "NO_PROXY": "*"}) is None


@pytest.mark.parametrize("configured", [False, True])
def test_n14_proxies_of_the_environment_are_not_used_and_warned_of_once(tmp_path: Path, configured: bool) -> None:
    items = "".join(f"<item><title>第{n}号快讯</title><link>/{n}</link></item>" for n in (1, 2))
    listing = f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()
    pages = {f"/{n}": reply(200, page(n)) for n in (1, 2)}
    with beside({"/feed": reply(200, listing), **pages}) as server, beside() as proxy:
        chosen = f', proxy: "{proxy.url}"' if configured else ""
        feed = f"{{name: a, source: feed, url: '{server.url}/feed'}}"
        config = f"network: {{allow_private: [127.0.0.1]{chosen}}}\nfeeds: [{feed}]\n"
        (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        environ |= dict.fromkeys(PROXY_VARIABLES, proxy.url.replace("//", "//me:pw@"))
        command = [sys.executable, "-m", "aggregator", "fetch", "--json"]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["totals"]["archived"] == 2
        assert (proxy.connections, len(server.asked)) == (0, 3)
    warnings = [line for line in done.stderr.splitlines() if "environment" in line]
    assert len(warnings) == (0 if configured else 1)
    assert all("HTTPS_PROXY" in line and "network.proxy" in line for line in warnings)
    assert "pw" not in done.stderr


# -- set-ups that are meant ----------------------------------------------------------------------------------


async def answering(*addresses: str) -> Sequence[str]:
    return addresses


def reached(network: Network, url: str, addresses: Sequence[str], places: dict[str, int]) -> tuple[Page, list[str]]:
    """The page, and the addresses that were dialled, in a world where every name has these addresses."""

    async def run() -> tuple[Page, list[str]]:
        internet = Internet(places)
        wire = Wire(network, Guard.of(network), lambda _: answering(*addresses), internet)
        async with Client(network, transport=wire) as fetch:
            return await fetch(Request(url)), internet.dialled

    return asyncio.run(run())


def test_set_up_1_a_proxy_that_invents_addresses_for_names() -> None:
    with beside({"/": reply(200, b"here")}) as server:
        network = Network(fake_ip_ranges=("198.18.0.0/15",))
        got, dialled = reached(network, "http://news.example/", ["198.18.0.7"], {"198.18.0.7": server.port})
    assert (got.body, dialled) == (b"here", ["198.18.0.7"])


def test_set_up_2_nat64() -> None:
    mapped = "64:ff9b::5db8:d70e"  # PUBLIC, as a network without IPv4 writes it
    with beside({"/": reply(200, b"here")}) as server:
        got, dialled = reached(Network(), "http://news.example/", [mapped], {mapped: server.port})
    assert (got.body, dialled) == (b"here", [mapped])


def test_set_up_3_an_http_proxy_on_this_machine() -> None:
    with beside() as proxy:
        proxy.routes["http://news.example/"] = lambda _: reply(200, b"here")
        got, dialled = reached(Network(proxy=proxy.url), "http://news.example/", [PUBLIC], {})
        assert [asked.headers["host"] for asked in proxy.asked] == ["news.example"]
    assert (got.body, dialled) == (b"here", [])


@pytest.mark.parametrize("named", [False, True])
def test_set_up_4_ipv6_alone(named: bool) -> None:
    async def run() -> bytes:
        async with serving({"/": reply(200, b"here")}, address="::1") as server:
            network = Network(allow_private=("::1", "six.example"))
            url = f"http://six.example:{server.port}/" if named else f"{server.url}/"
            async with Client(network, resolve=lambda _: answering("::1")) as fetch:
                return (await fetch(Request(url))).body

    try:
        assert asyncio.run(run()) == b"here"
    except OSError:
        pytest.skip("no IPv6 on this machine")


def test_set_up_5_an_authority_of_ones_own(tmp_path: Path) -> None:
    cert, context = certificate(tmp_path, "own.example")
    with beside({"/": reply(200, b"here")}, context) as server:
        network = Network(ca_bundle=str(cert))
        got, dialled = reached(network, "https://own.example/", [PUBLIC], {PUBLIC: server.port})
    assert (got.body, dialled) == (b"here", [PUBLIC])


def test_set_up_6_a_host_that_is_reached_elsewhere() -> None:
    with beside({"/": reply(200, b"here")}) as server:
        network = Network(connect_to={"news.example": server.url})
        got, dialled = reached(network, "https://news.example/", ["127.0.0.1"], {})
    assert (got.body, dialled) == (b"here", ["127.0.0.1"])
