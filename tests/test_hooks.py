"""Others are told what was archived: what is chosen, how it is sent, and that nothing is lost or delays a poll."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import signal
import sqlite3
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import feedparser
import pytest
from daemon import PATIENCE, Daemon, command, running
from feed_rules import atom_faults
from hostile import listing
from web_server import Asked, Server, beside, reply, serving
from world import Clock, Site, desk, feed, item, link, listened, page, rss, urls

from aggregator.archive import Reader
from aggregator.archive.hooks import Fact
from aggregator.articles.rules import built_in
from aggregator.config import parse
from aggregator.errors import ConfigError, FetchError
from aggregator.hooks import Hook, Sink, Surroundings, Teller, When, hooks_of, sink_of, told, trial, wanted
from aggregator.hooks.command import CommandError, environment, run
from aggregator.hooks.signing import key_of, signed
from aggregator.hooks.teller import AGAIN
from aggregator.model import Term
from aggregator.pipeline import Desk, poll, recheck
from aggregator.web import Client, Network

HOME = Network(allow_private=("127.0.0.1",), deadline=PATIENCE, timeout=PATIENCE)
SECRET = "whsec_" + b64encode(b"a key of 24 octets, say.").decode()
FEED = "https://wire.example/feed.xml"


# -- what is chosen ------------------------------------------------------------------------------------------------


def fact(kind: str = "new", **article: object) -> Fact:
    values: dict[str, object] = {"title": "央行宣布降准", "body": "<p>今日LPR报价</p>", "summary": None}
    values |= {"symbols": ["sh600519"], "categories": ["金融", "新浪财经", "国内"], **article}
    return Fact(kind, 7, 3, "2026-01-01T00:00:00.000Z", "d" * 64, ("one", "two"), values, {})  # type: ignore[arg-type]


FAILING = Fact("failing", 1, 2, "", "", ("one",), None, {"feed": "one", "categories": ["甲", "乙", "丙"]})


@pytest.mark.parametrize(
    ("when", "one", "expected"),
    [
        (When(), fact(), True),
        (When(), fact("changed"), False),
        (When(on=("changed", "gone")), fact("gone"), True),
        (When(feeds=("two", "three")), fact(), True),
        (When(feeds=("three",)), fact(), False),
        (When(words=(Term("any", "降准"),)), fact(), True),
        (When(words=(Term("title", "lpr"),)), fact(), False),
        (When(words=(Term("body", "ｌｐｒ"),)), fact(), True),
        (When(words=(Term("any", "/降[准息]/"),)), fact(), True),
        (When(words=(Term("any", "加息"), Term("symbols", "sh600519"))), fact(), True),
        (When(words=(Term("any", "加息"),)), fact(), False),
        (When(symbols=("hk00700", "sh600519")), fact(), True),
        (When(symbols=("hk00700",)), fact(), False),
        (When(categories=("国内",)), fact(), True),
        (When(categories=("国际",)), fact(), False),
        (When(feeds=("one",), symbols=("hk00700",)), fact(), False),  # each that is given must hold
        (When(on=("failing",)), FAILING, True),
        (When(on=("failing",), categories=("乙",)), FAILING, True),
        (When(on=("failing",), words=(Term("any", "one"),)), FAILING, False),  # words are an article's
    ],
)
def test_a_hook_tells_what_its_rule_says(when: When, one: Fact, expected: bool) -> None:
    assert wanted(when, one, built_in()) is expected


def test_an_event_is_what_is_stored_and_the_same_each_time() -> None:
    one = fact()
    assert told(one) == told(replace(one))
    whole = json.loads(told(one).body)
    assert whole["article"] == one.article
    assert (whole["id"], whole["type"], whole["commit"], whole["feeds"]) == (one.id, "new", 3, ["one", "two"])
    ids = {one.id, replace(one, row=8).id, replace(one, digest="e" * 64).id, replace(one, kind="gone").id}
    assert len(ids) == 4


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    # The example of the specification's reference implementations.
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "X")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', key)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert key_of("plain", "X") == b"plain"
    with pytest.raises(ConfigError) as refused:
        key_of("whsec_not base64", "HOOK_SECRET")
    assert "not base64" not in str(refused.value)


# -- how it is sent ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def newsroom(tmp_path: Path, **answers: bytes | int | FetchError) -> AsyncIterator[tuple[Desk, Site]]:
    """A desk over a feed with one article."""
    site = Site(Clock(), {FEED: rss(item(1)), **urls([1, 2, 3]), **answers})
    async with desk(tmp_path / "archive.db", site, feed(recheck=(3_600, 86_400))) as made:
        yield made, site


def teller(desk: Desk, hook: Hook, sink: Sink) -> Teller:
    log, _ = listened()
    return Teller(hook, sink, Surroundings(desk.archive, built_in(), log, desk.clock, lambda: 0.0))  # type: ignore[arg-type]


def states(tmp_path: Path, columns: str = "state, attempts, error_kind") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{tmp_path / 'archive.db'}?mode=ro", uri=True)) as db:
        return db.execute(f"SELECT {columns} FROM deliveries ORDER BY id").fetchall()


def test_a_new_hook_begins_with_now_and_what_fails_is_tried_again_until_it_is_given_up(tmp_path: Path) -> None:
    answers = [reply(500), reply(302, Location="/elsewhere"), reply(429, Retry_After="3600"), *[reply(503)] * 20]

    async def scene() -> None:
        async with newsroom(tmp_path) as (made, site), serving() as server, Client(HOME, clock=site.clock) as client:
            await poll(made, feed())
            assert states(tmp_path) == []
            hook = Hook("h", When(), webhook=f"{server.url}/in?token=abcdef")
            tell = teller(made, hook, sink_of(hook, tmp_path / "archive.db", client.post, {}, made.clock))
            await made.archive.deliveries.enrol(["h"])
            server.routes["/in"] = lambda _: answers[len(server.asked) - 1]
            site.answers[FEED] = rss(item(1), item(2))
            site.clock.move(hours=1)
            await poll(made, feed())
            waits = []
            for _ in range(len(AGAIN) + 1):
                assert await tell.step() > 0
                ((state, attempts, kind, again),) = states(tmp_path, "state, attempts, error_kind, next_try")
                if again is None:
                    break
                at = datetime.fromisoformat(str(again))
                waits.append((at - site.clock()).total_seconds())
                await tell.step()
                site.clock.at = at
            assert (state, attempts, kind) == ("dead", len(AGAIN) + 1, "rate_limited")
            assert waits == [5, 60, 3_600, *AGAIN[3:]]  # Retry-After counts where it is longer
            site.clock.move(days=30)
            await tell.step()
            assert len(server.asked) == len(AGAIN) + 1
            assert {one.target for one in server.asked} == {"/in?token=abcdef"}  # no redirect was followed
            (event,) = {one.headers["webhook-id"] for one in server.asked}
            (body,) = {one.body for one in server.asked}
            whole = json.loads(body)
            assert whole["id"] == event
            assert whole["article"]["title"] == "第2号快讯"
            assert "webhook-signature" not in server.asked[0].headers

    asyncio.run(scene())


def test_a_receiver_that_is_gone_is_not_asked_again_for_that_event(tmp_path: Path) -> None:
    async def scene() -> None:
        async with newsroom(tmp_path) as (made, _), serving({"/in": reply(410)}) as server, Client(HOME) as client:
            hook = Hook("h", When(), webhook=f"{server.url}/in")
            await made.archive.deliveries.enrol(["h"])
            await poll(made, feed())
            tell = teller(made, hook, sink_of(hook, tmp_path / "archive.db", client.post, {}, made.clock))
            await tell.step()
            await tell.step()
            assert states(tmp_path) == [("dead", 1, "gone")]
            assert len(server.asked) == 1
            with Reader(tmp_path / "archive.db") as reader:
                (row,) = reader.hooks()
            assert (row["waiting"], row["dead"], row["error_kind"]) == (0, 1, "gone")

    asyncio.run(scene())


def test_a_hook_reaches_no_private_address_and_no_byte_of_an_answer_is_read(tmp_path: Path) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()

    async def silent(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def scene() -> None:
        async with serving({"/endless": lambda _: endless, "/silent": lambda _: silent}) as server:
            async with Client(Network()) as client:
                for url in (
                    server.url,
                    f"http://127.1:{server.port}",
                    "http://[::ffff:7f00:1]/",
                    "http://169.254.169.254/",
                ):
                    with pytest.raises(FetchError) as refused:
                        await client.post(f"{url}/token-in-the-path", {}, b"{}", PATIENCE)
                    assert refused.value.kind == "refused"
                    assert "token-in" not in str(refused.value)
            assert server.connections == 0
            async with Client(HOME) as client:
                assert await client.post(f"{server.url}/endless", {}, b"{}", PATIENCE) == 200
                with pytest.raises(FetchError) as late:
                    await client.post(f"{server.url}/silent", {}, b"{}", 0.2)
                assert late.value.kind == "timeout"
                with pytest.raises(FetchError) as missing:
                    await client.post(f"{server.url}/secret-path", {}, b"{}", PATIENCE)
                assert (missing.value.kind, "secret-path" in str(missing.value)) == ("not_found", False)
                server.routes["/in"] = lambda _: reply(204)
                named = server.url.replace("//", "//me:pass%20word@")
                assert await client.post(f"{named}/in", {"X-A": "b"}, b"{}", PATIENCE) == 204
                asked = server.asked[-1]
                assert asked.headers["authorization"] == f"Basic {b64encode(b'me:pass word').decode()}"
                assert asked.headers["host"] == f"127.0.0.1:{server.port}"
                assert (asked.target, asked.headers["x-a"], asked.body) == ("/in", "b", b"{}")

    asyncio.run(scene())


def test_what_is_told_of_an_article_that_changed_went_or_was_erased_and_of_a_feed_that_fails(tmp_path: Path) -> None:
    async def scene() -> None:
        async with newsroom(tmp_path) as (made, site), serving({"/in": reply(204)}) as server, Client(HOME) as client:
            on = ("new", "changed", "gone", "failing", "gap")
            hook = Hook("h", When(on=on), webhook=f"{server.url}/in")  # type: ignore[arg-type]
            await made.archive.deliveries.enrol(["h"])
            tell = teller(made, hook, sink_of(hook, tmp_path / "archive.db", client.post, {}, made.clock))

            async def heard() -> list[dict[str, object]]:
                begun = len(server.asked)
                while await tell.step() == 0:
                    pass
                return [json.loads(one.body) for one in server.asked[begun:]]

            await poll(made, feed())
            assert [one["type"] for one in await heard()] == ["new"]
            site.answers[link(1)] = page(1, "工厂停产，年产能降为零，原因尚在调查之中，公司随后发布公告说明有关情况。")
            site.clock.move(hours=2)
            await recheck(made)
            (changed,) = await heard()
            assert (changed["type"], changed["article"]["version"], changed["article"]["verdict"]) == (  # type: ignore[index]
                "changed",
                2,
                "material",
            )
            assert "停产" in str(changed["article"]["body"])  # type: ignore[index]
            site.answers[link(1)] = 410
            for _ in range(2):  # it is gone when a second look says so, too
                site.clock.move(days=1)
                await recheck(made)
            (absent,) = await heard()
            assert (absent["type"], absent["status"], absent["article"]["version"]) == ("gone", 410, 2)  # type: ignore[index]
            site.answers[FEED] = 404
            await poll(made, feed())
            site.clock.move(hours=2)
            await poll(made, feed())  # the same failure once more is none
            (failing,) = await heard()
            assert (failing["type"], failing["feed"], failing["error_kind"]) == ("failing", "wire", "not_found")
            site.answers[FEED] = rss(item(1), item(3))
            site.clock.move(hours=9)
            await poll(made, feed())
            assert [one["type"] for one in await heard()] == ["new"]
            site.answers[FEED] = rss(item(4), item(5))
            await poll(made, feed())
            gap, *_ = await heard()
            assert (gap["type"], gap["feed"], gap["since"]) == ("gap", "wire", gap["until"])
            assert "one page" in str(gap["message"])
            site.answers[FEED] = rss(item(4), item(6))
            await poll(made, feed())
            with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
                (number,) = db.execute("SELECT max(id) FROM articles").fetchone()
            await tell._look()  # planned, not told: in between the text is erased
            await made.archive.forget(number)
            assert await heard() == []
            assert states(tmp_path)[-1] == ("dead", 1, "erased")

    asyncio.run(scene())


def test_another_rule_under_the_same_name_begins_where_the_first_one_ended(tmp_path: Path) -> None:
    async def scene() -> None:
        async with newsroom(tmp_path) as (made, site), serving({"/in": reply(200)}) as server, Client(HOME) as client:
            hook = Hook("h", When(symbols=("hk00700",)), webhook=f"{server.url}/in")
            sink = sink_of(hook, tmp_path / "archive.db", client.post, {}, made.clock)
            await made.archive.deliveries.enrol(["h"])
            await poll(made, feed())
            first, second = teller(made, hook, sink), teller(made, replace(hook, when=When()), sink)
            while await first.step() == 0:
                pass
            await first.settle()
            while await second.step() == 0:
                pass
            assert server.asked == []
            site.answers[FEED] = rss(item(1), item(2))
            await poll(made, feed())
            while await second.step() == 0:
                pass
            assert [json.loads(one.body)["article"]["title"] for one in server.asked] == ["第2号快讯"]

    asyncio.run(scene())


# -- commands and files --------------------------------------------------------------------------------------------

HOSTILE = "'; touch owned; echo $(touch owned) `touch owned` \"\n--help ${IFS}"


def test_a_command_gets_the_event_on_its_input_and_no_word_of_a_stranger_elsewhere(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    script = (
        "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ), sys.stdin.buffer.read().decode()],"
        f" open({str(out)!r}, 'w'))"
    )
    argv = (sys.executable, "-c", script, "$HOME; touch owned", "a b")
    environ = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "HOOK_SECRET": "never", "AWS_KEY": "never"}
    hook = Hook("h", When(), command=argv)
    event = told(fact(title=HOSTILE, body=HOSTILE))
    asyncio.run(sink_of(hook, tmp_path, None, environ, Clock()).send([event]))  # type: ignore[arg-type]
    given, around, read = json.loads(out.read_text())
    assert given == ["$HOME; touch owned", "a b"]
    assert read.encode() == event.body
    names = {"PATH", "HOME", "AGGREGATOR_HOOK", "AGGREGATOR_EVENT", "AGGREGATOR_EVENT_ID"}
    assert set(around) - {"LC_CTYPE"} == names  # Python's own
    assert around["AGGREGATOR_EVENT_ID"] == event.id
    assert not list(tmp_path.rglob("owned"))
    assert not Path("owned").exists()


def test_a_command_is_killed_with_all_it_started_when_it_takes_too_long(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    argv = ("sh", "-c", f"sleep 1000 & echo $! > {pid}.new; mv {pid}.new {pid}; wait")

    async def scene() -> None:
        task = asyncio.create_task(run(argv, b"x" * 1_000_000, dict(os.environ), PATIENCE))
        while not pid.exists():
            await asyncio.sleep(0.01)
        task.cancel()  # as at the end of the daemon
        await asyncio.gather(task, return_exceptions=True)
        gone(int(pid.read_text()))
        pid.unlink()
        with pytest.raises(CommandError) as late:
            await run(argv, b"", dict(os.environ), 0.5)
        assert late.value.kind == "timeout"
        if pid.exists():
            gone(int(pid.read_text()))

    asyncio.run(scene())


def test_a_command_is_killed_with_all_it_started_also_while_it_is_being_started() -> None:
    """Cancelled at each turn of the loop, from before it is started to after it."""
    seconds = "1000.71825"

    async def scene(turns: int) -> None:
        task = asyncio.create_task(run(("sh", "-c", f"sleep {seconds} & wait"), b"", dict(os.environ), PATIENCE))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), PATIENCE)

    for turns in range(12):
        asyncio.run(scene(turns))
        for one in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if seconds.encode() in one.read_bytes():
                    gone(int(one.parent.name))


def gone(process: int) -> None:
    """Wait until a process is no more, or only waits to be buried."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.01)
    raise AssertionError("it still runs")


def test_what_a_command_says_is_bounded_and_its_failure_told() -> None:
    environ = environment(os.environ, "h", "new", "id")

    async def scene() -> None:
        said = await run(("sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x"), b"unread" * 100_000, environ)
        assert said == "x" * 4_000
        for argv, kind, words in (
            (("sh", "-c", "echo broken; exit 3"), "exit", "it ended with 3. broken"),
            (("no-such-program-here",), "missing", "No such file"),
        ):
            with pytest.raises(CommandError, match=words) as refused:
                await run(argv, b"", environ)
            assert refused.value.kind == kind

    asyncio.run(scene())


def test_an_atom_file_has_the_newest_events_and_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "news.xml"

    async def scene() -> None:
        async with newsroom(tmp_path) as (made, site):
            hook = Hook("规则", When(on=("new", "failing")), file=path)
            await made.archive.deliveries.enrol([hook.name])
            tell = teller(made, hook, sink_of(hook, tmp_path / "archive.db", None, {}, made.clock))  # type: ignore[arg-type]
            site.answers |= urls(range(1, 61))
            site.answers[FEED] = rss(*(item(n, f"{n}号 <b>&amp;" if n == 60 else "") for n in range(1, 61)))
            await poll(made, feed())
            while await tell.step() == 0:
                pass
            first = path.read_bytes()
            parsed = feedparser.parse(first)
            assert not parsed.bozo
            assert atom_faults(first) == []
            assert len(parsed.entries) == 50
            assert parsed.feed.title == "规则"
            assert len({one.id for one in parsed.entries}) == 50
            site.answers[FEED] = 404
            site.clock.move(hours=1)
            await poll(made, feed())
            tmp_path.joinpath(".news.xml.new").mkdir()  # it cannot be written
            assert await tell.step() > 0
            assert path.read_bytes() == first
            tmp_path.joinpath(".news.xml.new").rmdir()
            site.clock.move(minutes=1)
            assert await tell.step() == 0
            assert feedparser.parse(path.read_bytes()).entries[0].title == "failing: wire"
            assert atom_faults(path.read_bytes()) == []
            assert {state for state, *_ in states(tmp_path)} == {"delivered"}

    asyncio.run(scene())


# -- the daemon ----------------------------------------------------------------------------------------------------

CONFIG = """
timezone: UTC
network: {{allow_private: [127.0.0.1], connect_to: {{a.example: "{server}"}}}}
defaults: {{every: 1s, recheck: off}}
feeds:
  - {{name: one, source: feed, url: "http://a.example/a", categories: [甲, 乙, 丙]}}
hooks:
  - name: mine
    then: {{webhook: "{server}/in/path-that-is-secret", secret_env: HOOK_SECRET}}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """A feed with one article, and a receiver at /in/…"""
    with beside() as made:
        publish(made, 1)
        made.routes["/in/path-that-is-secret"] = lambda _: reply(200)
        yield made


def publish(server: Server, *numbers: int) -> None:
    """Have the feed list these articles."""
    for n in numbers:
        answer = reply(200, page(n, title=f"a{n}"), Content_Type="text/html")
        server.routes[f"/a/{n}"] = lambda _, answer=answer: answer
    server.routes["/a"] = lambda _: reply(200, listing("a", *numbers))


def messages(server: Server) -> list[Asked]:
    return [one for one in server.asked if one.target.startswith("/in/")]


def configure(folder: Path, server: Server) -> None:
    (folder / "config.yaml").write_text(CONFIG.format(server=server.url), encoding="utf-8")


def test_a_kill_between_sending_and_storing_repeats_the_same_event_and_loses_none(
    tmp_path: Path, server: Server
) -> None:
    configure(tmp_path, server)
    secret = {"HOOK_SECRET": SECRET}
    assert command(tmp_path, "fetch").returncode == 0  # what was there before the hook is not told
    killed: list[Daemon] = []

    def kill(asked: Asked) -> bytes:
        """Kill it whenever an event comes for the first time."""
        if [one.headers["webhook-id"] for one in messages(server)].count(asked.headers["webhook-id"]) == 1:
            killed[-1].process.send_signal(signal.SIGKILL)
        return reply(200)

    for number in range(2, 8):
        publish(server, *range(1, number + 1))
        server.routes["/in/path-that-is-secret"] = kill
        daemon = Daemon(tmp_path, secret)
        killed.append(daemon)
        assert daemon.ended() == -signal.SIGKILL
    server.routes["/in/path-that-is-secret"] = lambda _: reply(200)
    with running(tmp_path, secret) as daemon:
        daemon.wait(lambda: [state for state, *_ in states(tmp_path)] == ["delivered"] * 6)
        daemon.stop()
    later = messages(server)
    titles = {json.loads(one.body)["article"]["title"] for one in later}
    assert titles == {f"a{n}" for n in range(2, 8)}
    bodies = {(one.headers["webhook-id"], one.body) for one in later}
    assert len(bodies) == 6  # what was repeated had the same id and the same bytes
    assert len(later) == 12  # each was
    for one in later:
        text = b".".join((one.headers["webhook-id"].encode(), one.headers["webhook-timestamp"].encode(), one.body))
        mac = hmac.new(b64decode(SECRET.removeprefix("whsec_")), text, sha256).digest()
        assert one.headers["webhook-signature"] == f"v1,{b64encode(mac).decode()}"


def test_a_receiver_that_hangs_or_fails_delays_no_poll_and_shows_no_secret(tmp_path: Path, server: Server) -> None:
    async def silent(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    answers: list[object] = [reply(500), silent]
    server.routes["/in/path-that-is-secret"] = lambda _: answers[min(len(messages(server)), 2) - 1]  # type: ignore[return-value]
    configure(tmp_path, server)
    assert command(tmp_path, "fetch").returncode == 0
    with running(tmp_path, {"HOOK_SECRET": SECRET}) as daemon:
        daemon.until("feed.polled", feed="one")
        publish(server, 1, 2, 3)
        daemon.until("hook.failed", kind="http")
        daemon.wait(lambda: len(messages(server)) >= 2)
        polls = len(daemon.events("feed.polled"))
        daemon.wait(lambda: len(daemon.events("feed.polled")) >= polls + 3)  # while the receiver hangs
        assert daemon.stop() == 0
    shown = [
        command(tmp_path, *words)
        for words in (("status",), ("status", "--json"), ("hooks", "list"), ("hooks", "list", "--json"))
    ]
    assert "mine" in shown[0].stdout
    assert json.loads(shown[1].stdout)["hooks"][0]["waiting"] == 2
    told = "".join(one.stdout + one.stderr for one in shown).encode() + (tmp_path / "log.jsonl").read_bytes()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("archive.db*") if path.is_file())
    for hidden in (SECRET, SECRET.removeprefix("whsec_"), "path-that-is-secret"):
        assert hidden.encode() not in told + stored


def test_a_hook_is_tried_and_run_over_what_there_is(tmp_path: Path, server: Server) -> None:
    configure(tmp_path, server)
    publish(server, 1, 2)
    assert command(tmp_path, "fetch").returncode == 0
    dry = command(tmp_path, "hooks", "run", "mine", "--since", "2026", "--dry-run", "--json")
    assert [one["title"] for one in json.loads(dry.stdout)["events"]] == ["a1", "a2"]
    assert messages(server) == []
    assert "no secret in the environment variable HOOK_SECRET" in command(tmp_path, "hooks", "test", "mine").stderr
    assert messages(server) == []
    text = CONFIG.format(server=server.url).replace(", secret_env: HOOK_SECRET", "")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert command(tmp_path, "hooks", "test", "mine").returncode == 0
    assert json.loads(messages(server)[0].body)["type"] == "test"
    for _ in range(2):
        assert command(tmp_path, "hooks", "run", "mine", "--limit", "1").returncode == 0
    (once,) = {(one.headers["webhook-id"], one.body) for one in messages(server)[1:]}
    assert once[0] == json.loads(dry.stdout)["events"][0]["id"]
    server.routes["/in/path-that-is-secret"] = lambda _: reply(500)
    failed = command(tmp_path, "hooks", "run", "mine")
    assert failed.returncode == 1
    assert "2 of 2 events were not taken" in failed.stderr
    assert command(tmp_path, "hooks", "run", "yours").returncode == 2
    assert command(tmp_path, "hooks", "run", "mine", "--since", "2199").returncode == 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{name: a, then: {}}", "exactly one of"),
        ("{name: a, then: {webhook: 'https://h.example/', command: [a]}}", "exactly one of"),
        ("{name: a, then: {webhook: 'ftp://h.example/'}}", "https://"),
        ("{name: a, then: {command: [a], secret_env: B}}", "for a webhook"),
        ("{name: a, then: {webhook: 'https://h.example/', secret_env: 'whsec_abc='}}", "not the secret itself"),
        ("{name: a, when: {on: [old]}, then: {atom: a.xml}}", "new"),
        ("{name: a, when: {words: ['/(/']}, then: {atom: a.xml}}", "regular expression"),
        ("{name: a, when: {until: 3}, then: {atom: a.xml}}", "until"),
        ("{when: {}, then: {atom: a.xml}}", "name"),
        ("{name: a, then: {atom: a.xml}}, {name: a, then: {atom: b.xml}}", "already the name of the hook"),
    ],
)
def test_a_hook_that_cannot_work_is_a_mistake_of_the_configuration(row: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(f"hooks: [{row}]", Path("config.yaml"))


def test_a_hook_reads_as_it_is_written() -> None:
    text = """
    hooks:
      - name: a
        when: {on: changed, feeds: one, words: [降准, {title: /LPR/}], symbols: [sh600519], categories: [国内]}
        then: {command: [notify, --level, 3]}
      - {name: b, then: {atom: news.xml}}
      - {name: c, when: {on: gap}, then: {atom: gaps.xml}}
    """
    settings = parse(text, Path("/etc/aggregator/config.yaml"))
    one, two, _ = hooks_of(settings)
    words = (Term("any", "降准"), Term("title", "/LPR/"))
    assert one.when == When(("changed",), ("one",), words, ("sh600519",), ("国内",))
    assert (one.command, one.where) == (("notify", "--level", "3"), "notify")
    assert (two.when, two.file) == (When(), Path("/etc/aggregator/news.xml"))
    assert [said for said in settings.warnings() if "hook" in said] == [
        "the hook a waits for one, and there is no such feed",
    ]


def test_a_trial_is_no_event() -> None:
    assert json.loads(trial("mine", "2026-01-01T00:00:00Z").body) == {
        "id": "test-2026-01-01T00:00:00Z",
        "type": "test",
        "at": "2026-01-01T00:00:00Z",
        "hook": "mine",
    }
