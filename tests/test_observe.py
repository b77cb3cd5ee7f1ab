"""The daemon seen from outside, over loopback: its health, its metrics by Prometheus's own parser, its manners."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from daemon import PATIENCE, ROOT, command, running
from daemon import Daemon as Process
from hostile import listing, program
from prometheus_client.parser import text_string_to_metric_families
from test_hostile_storage import REST, foreign_writer
from web_server import Server, beside, reply
from world import Clock, Site, desk, feed, link, listened, page

from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.vitals import Growth, Lag
from aggregator.config import Settings, parse
from aggregator.errors import ConfigError
from aggregator.model import Announced, Discovery, Entry
from aggregator.observe import Metrics, Pulse, answering, beating
from aggregator.schedule import Daemon
from aggregator.service import Watch

CONFIG = """
observe: {{listen: "127.0.0.1:0"}}
network: {{connect_to: {{a.example: "{server}", b.example: "{server}"}}}}
defaults: {{every: 1s, recheck: off}}
hooks: [{{name: told, then: {{atom: told.xml}}}}]
feeds:
  - {{name: one, source: feed, url: "http://a.example/a"}}
  - {{name: two, source: feed, url: "http://b.example/b"}}
"""
ALERTS = (ROOT / "packaging" / "alerts.yml").read_text(encoding="utf-8")


@pytest.fixture
def site() -> Iterator[Server]:
    """Two feeds with two articles each."""
    with beside() as server:
        for name in "ab":
            server.routes[f"/{name}"] = lambda _, name=name: reply(200, listing(name, 1, 2))
            for n in (1, 2):
                answer = reply(200, page(n, title=f"{name}{n}"), Content_Type="text/html")
                server.routes[f"/{name}/{n}"] = lambda _, answer=answer: answer
        yield server


@contextmanager
def watched(folder: Path, site: Server) -> Iterator[tuple[Process, httpx.Client]]:
    """A daemon, and a client that asks it."""
    (folder / "config.yaml").write_text(CONFIG.format(server=site.url), encoding="utf-8")
    with running(folder) as daemon:
        address = str(daemon.until("observe.listening")["address"])
        with httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE) as client:
            yield daemon, client


def samples(client: httpx.Client) -> dict[str, float]:
    """What a scrape finds, each as ``name{label=value,…}``."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return read(answer.text)


def read(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def test_health_turns_red_when_every_feed_fails_and_green_again(tmp_path: Path, site: Server) -> None:
    good = dict(site.routes)
    with watched(tmp_path, site) as (daemon, client):
        daemon.wait(lambda: client.get("/readyz").status_code == 200)
        daemon.wait(lambda: {one["feed"] for one in daemon.events("feed.polled")} == {"one", "two"})
        assert client.get("/healthz").json() == {"status": "ok", "reasons": []}

        site.routes["/a"] = lambda _: reply(404)
        daemon.until("feed.polled", feed="one", status="failed")
        assert client.get("/healthz").status_code == 200  # one feed is that feed's matter
        site.routes["/b"] = lambda _: reply(404)
        daemon.wait(lambda: client.get("/healthz").status_code == 503)
        told = client.get("/healthz").json()
        assert told == {"status": "failing", "reasons": ["every feed fails (2 of 2)"]}
        assert samples(client)["aggregator_healthy"] == 0
        assert client.get("/readyz").status_code == 200  # it does its work
        status = command(tmp_path, "status", "--json")
        assert json.loads(status.stdout)["health"] == told
        assert "not healthy: every feed fails (2 of 2)" in command(tmp_path, "status").stderr

        site.routes.update(good)
        daemon.wait(lambda: client.get("/healthz").status_code == 200)
        assert samples(client)["aggregator_healthy"] == 1
        assert json.loads(command(tmp_path, "status", "--json").stdout)["health"]["status"] == "ok"


def test_the_metrics_count_what_happened_and_the_alerts_name_none_that_is_not_there(
    tmp_path: Path, site: Server
) -> None:
    with watched(tmp_path, site) as (daemon, client):
        daemon.wait(lambda: len(daemon.events("feed.polled")) >= 2 and samples(client)["aggregator_feeds_due"] >= 0)
        found = samples(client)
        assert found["aggregator_polls_total{status=ok}"] == 2
        assert found["aggregator_poll_seconds_count"] >= 2
        assert found["aggregator_entries_total"] == 4
        assert found["aggregator_articles_total"] == found["aggregator_revisions_total{cause=first}"] == 4
        assert found["aggregator_feeds{status=ok}"] + found.get("aggregator_feeds{status=unchanged}", 0) == 2
        assert found["aggregator_articles_pending"] == 0
        assert found["aggregator_deliveries_dead{hook=told}"] == 0
        assert found["aggregator_archive_bytes"] > 0
        assert found["aggregator_archive_log_bytes"] > 0
        assert found["process_resident_memory_bytes"] > 1e7
        assert found["process_open_fds"] > 5
        assert found["process_cpu_seconds_total"] > 0
        assert found["aggregator_archive_readable"] == found["aggregator_healthy"] == found["aggregator_ready"] == 1
        assert found["aggregator_feed_last_success_timestamp_seconds{feed=one}"] > 1.7e9
        assert {"aggregator_beat_age_seconds{part=loop}", "aggregator_beat_age_seconds{part=writer}"} < set(found)
        assert not [name for name in found if name.startswith("aggregator_publication_lag_seconds_count")]

        # What was there at the first poll says nothing of lag; what comes later does, and a listing that breaks counts.
        site.routes["/a"] = lambda _: reply(
            200,
            listing("a", 1, 2, 3).replace(b"<guid>a-3", b"<pubDate>Mon, 05 Jan 2026 08:00:00 GMT</pubDate><guid>a-3"),
        )
        site.routes["/a/3"] = lambda _: reply(200, page(3, title="a3"), Content_Type="text/html")
        site.routes["/b"] = lambda _: reply(404)
        daemon.wait(lambda: samples(client).get("aggregator_errors_total{kind=not_found,what=poll}"))
        daemon.wait(lambda: samples(client).get("aggregator_publication_lag_seconds_count{clock=published}"))
        named = {name.partition("{")[0] for name in samples(client)}
    used = set(re.findall(r"\b(?:aggregator|process)_[a-z_]+", " ".join(rule["expr"] for rule in rules())))
    assert used <= named
    assert len(used) > 8
    described = set(re.findall(r"`(aggregator_[a-z_]+)`", (ROOT / "docs" / "operations.md").read_text("utf-8")))
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in named if name.startswith("aggregator_")}
    assert families - {"aggregator_archive_readable"} <= described | {"aggregator_build_info"}
    assert described <= families | {"aggregator_archive_readable"}


def rules() -> list[dict[str, str]]:
    (group,) = yaml.safe_load(ALERTS)["groups"]
    return [dict(rule) for rule in group["rules"]]


def test_each_alert_says_what_and_how_bad() -> None:
    assert [
        rule["alert"] for rule in rules() if not rule["labels"]["severity"] or not rule["annotations"]["summary"]
    ] == []  # type: ignore[index]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


@contextmanager
def answered(tmp_path: Path, longest: float = 60.0) -> Iterator[tuple[str, Pulse]]:
    """The three questions over an empty archive, the pulse in the test's hand."""

    async def made() -> None:
        archive = await SqliteArchive.open(tmp_path / "archive.db", Clock(), parser="test", rules="test")
        await archive.close()

    asyncio.run(made())
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    metrics = Metrics(tmp_path / "archive.db", Clock(), pulse)
    told: list[str] = []
    begun, end = threading.Event(), threading.Event()

    async def serve() -> None:
        async with answering(metrics, ("127.0.0.1", 0), longest=longest) as address:
            told.append(address)
            begun.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert begun.wait(PATIENCE)
    pulse.move = lambda seconds: now.__setitem__(0, now[0] + seconds)  # type: ignore[attr-defined]
    try:
        yield told[0], pulse
    finally:
        end.set()
        thread.join()


def ask(address: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(address + path, headers=headers, trust_env=False, timeout=PATIENCE)


def test_the_lag_is_by_the_sources_clock_and_not_of_what_was_listed_before(tmp_path: Path) -> None:
    async def scene() -> None:
        site = Site(Clock())
        async with desk(tmp_path / "archive.db", site, feed()) as made:

            async def listed(number: int, indexed: float | None, published: float | None) -> None:
                """One more entry, with its source's clocks so many seconds ago."""
                indexed_at, published_at = (
                    None if ago is None else site.clock() - timedelta(seconds=ago) for ago in (indexed, published)
                )
                entry = Entry(
                    f"{number}", link(number), f"题{number}", published=published_at, indexed=indexed_at, raw=b"{}"
                )
                one = Announced((f"guid:wire:{number}",), entry, None)
                await made.archive.note(feed(), Discovery("ok", (one,), 1, digest=str(number)))
                site.clock.move(seconds=1)

            await listed(1, 9_000, 9_000)
            with Reader(tmp_path / "archive.db") as reader:
                before = reader.newest()
                assert reader.growth(Growth()).lags == ()
                await listed(2, 90, 600)
                await listed(3, None, 45)
                await listed(4, None, None)
                await listed(2, 50, 600)  # the same article once more
                come = reader.growth(before)
                assert come.lags == (Lag("intime", 90.0), Lag("published", 45.0))
                assert reader.growth(come).lags == ()

    asyncio.run(scene())


def test_a_part_that_stands_still_is_seen(tmp_path: Path) -> None:
    with answered(tmp_path) as (address, pulse):
        assert ask(address, "/readyz").json() == {"status": "failing", "reasons": ["no feed has been looked at yet"]}
        assert ask(address, "/healthz").status_code == 200
        for part in ("loop", "writer", "tick"):
            pulse.beat(part)
        assert ask(address, "/readyz").status_code == 200
        pulse.move(61)  # type: ignore[attr-defined]
        pulse.beat("loop")
        reasons = ["the schedule's tick has not moved for 61 s", "the archive's thread has not moved for 61 s"]
        for path in ("/healthz", "/readyz"):
            assert ask(address, path).json() == {"status": "failing", "reasons": reasons}
        pulse.beat("writer")
        pulse.rest("tick")
        assert ask(address, "/healthz").status_code == 200
        pulse.refuse("writing", "disk full")
        assert ask(address, "/healthz").json()["reasons"] == ["the archive takes nothing: disk full"]
        (tmp_path / "archive.db").rename(tmp_path / "elsewhere")
        assert ask(address, "/healthz").status_code == 503
        assert read(ask(address, "/metrics").text)["aggregator_archive_readable"] == 0


def test_an_archive_that_takes_nothing_is_no_health(tmp_path: Path) -> None:
    async def scene() -> None:
        clock = Clock()
        async with program(tmp_path, clock) as (app, _):
            metrics = Metrics(tmp_path / "archive.db", clock, Pulse())
            daemon = Daemon(app, listened()[0], Watch(metrics))
            await app.archive._run(lambda db: db.execute("PRAGMA busy_timeout = 100").fetchone())
            with foreign_writer(tmp_path / "archive.db", 60):
                await daemon.tick()
                await daemon.drain()
            assert "the archive takes nothing" in metrics.unhealthy()[0]
            clock.at += REST
            await daemon.tick()
            await daemon.drain()
            assert metrics.unhealthy() == []

    asyncio.run(scene())


def test_an_archive_that_hangs_makes_no_beat() -> None:
    asyncio.run(_an_archive_that_hangs())


async def _an_archive_that_hangs() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    hangs = asyncio.Event()
    beats = 0

    async def asked() -> None:
        nonlocal beats
        beats += 1
        await hangs.wait()

    async with beating(pulse, asked):
        while not beats:
            await asyncio.sleep(0)
        now[0] += 100
        while pulse.ages()["loop"]:
            await asyncio.sleep(0.01)
        assert list(pulse.stuck()) == ["the archive's thread has not moved for 100 s"]
        hangs.set()
        while pulse.ages()["writer"]:
            await asyncio.sleep(0.01)
        assert list(pulse.stuck()) == []
    assert pulse.ages() == {}  # what has ended on purpose is not stuck


def test_a_loop_that_hangs_is_told_by_the_thread_beside_it(tmp_path: Path) -> None:
    now = [0.0]
    pulse, told = Pulse(lambda: now[0]), list[str]()
    blocked, released, end = (threading.Event() for _ in range(3))

    async def nothing() -> None:
        return

    def hang() -> None:
        blocked.set()
        released.wait(PATIENCE)

    async def serve() -> None:
        metrics = Metrics(tmp_path / "archive.db", Clock(), pulse)
        async with answering(metrics, ("127.0.0.1", 0)) as address, beating(pulse, nothing):
            told.append(address)
            asyncio.get_running_loop().call_soon(hang)
            while not end.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert blocked.wait(PATIENCE)
    try:
        now[0] += 1_000
        assert ask(told[0], "/healthz").json()["reasons"][0] == "the event loop has not moved for 1000 s"
        assert read(ask(told[0], "/metrics").text)["aggregator_beat_age_seconds{part=loop}"] == 1_000
    finally:
        released.set()
        end.set()
        thread.join()


def test_only_three_questions_are_answered_and_none_through_a_strangers_name(tmp_path: Path) -> None:
    with answered(tmp_path) as (address, _):
        port = urlsplit(address).port
        assert ask(address, "/").status_code == ask(address, "/metrics/../x").status_code == 404
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            assert httpx.request(method, address + "/metrics", trust_env=False).status_code == 501
        head = httpx.head(address + "/healthz", trust_env=False)
        assert (head.status_code, head.content) == (200, b"")
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil", ""):
            assert ask(address, "/metrics", Host=host).status_code == 421, host
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost", f"[::1]:{port}", "[::1]"):
            assert ask(address, "/metrics", Host=host).status_code == 200, host


def test_who_asks_from_elsewhere_may_use_a_name(tmp_path: Path) -> None:
    async def scene() -> None:
        metrics = Metrics(tmp_path / "archive.db", Clock(), Pulse())
        async with answering(metrics, ("127.0.0.1", 0), by_name=True) as address:
            answer = await asyncio.to_thread(ask, address, "/readyz", Host="aggregator.internal:9464")
            assert answer.json()["reasons"] == ["no feed has been looked at yet"]

    asyncio.run(scene())


def test_who_sends_slowly_is_cut_off_and_no_crowd_keeps_others_out(tmp_path: Path) -> None:
    with answered(tmp_path, longest=1.0) as (address, _):
        place = ("127.0.0.1", urlsplit(address).port or 0)
        slow = socket.create_connection(place, timeout=PATIENCE)
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        stop = threading.Event()

        def trickle() -> None:
            with slow:
                while not stop.wait(0.1):
                    try:
                        slow.sendall(b"X-A: b\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        assert until_closed(slow) == b""
        crowd = [socket.create_connection(place, timeout=PATIENCE) for _ in range(40)]
        assert [until_closed(one) for one in crowd] == [b""] * 40
        stop.set()
        thread.join()
        for one in crowd:
            one.close()
        assert ask(address, "/healthz").status_code == 200


def until_closed(connection: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    read: Callable[[int], bytes] = connection.recv
    try:
        return b"".join(iter(lambda: read(4096), b""))
    except ConnectionError:
        return b""


def settings(observe: str) -> Settings:
    return parse(f"observe: {observe}", Path("config.yaml"))


def test_nothing_listens_unless_it_is_asked_to_and_never_by_mistake_for_everybody() -> None:
    assert settings("{}").observe.listen is None
    assert settings("{listen: '[::1]:9464'}").observe.listen == ("::1", 9464)
    assert settings("{listen: '0.0.0.0:9464', public: true}").observe.listen == ("0.0.0.0", 9464)
    for listen in ("0.0.0.0:9464", "192.168.1.5:9464", "[::]:9464", "localhost:9464", "127.0.0.1", "127.0.0.1:99999"):
        with pytest.raises(ConfigError, match="127"):
            settings(f"{{listen: '{listen}'}}")


def test_a_port_that_is_taken_stops_nothing(tmp_path: Path, site: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = CONFIG.format(server=site.url).replace("127.0.0.1:0", f"127.0.0.1:{port}")
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        with running(tmp_path) as daemon:
            assert str(port) in daemon.until("observe.unavailable")["address"]
            daemon.until("feed.polled", feed="one")
            assert daemon.stop() == 0
