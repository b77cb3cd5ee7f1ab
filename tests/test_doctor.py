"""The doctor names the cause of each break-down; a bundle of it says the same again, and holds no secret."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from test_cli import aggregator
from web_server import Answer, Asked, Server, beside, reply, serving
from world import START, item, link, page, rss

from aggregator.app import utc_now
from aggregator.archive import SqliteArchive
from aggregator.archive.lock import WriterLock
from aggregator.config import parse, starter
from aggregator.demo import Replica
from aggregator.doctor import Finding, Visit, load, overall, replay, save, sentence, visit
from aggregator.doctor.disk import ArchiveFacts, inspected, of_archive
from aggregator.doctor.machine import MachineFacts, Package, of_machine, surveyed
from aggregator.doctor.redaction import body_without, text_without
from aggregator.doctor.verdicts import Facts
from aggregator.errors import ConfigError
from aggregator.model import Page
from aggregator.sources.rolldata import ESSENTIAL, LISTS, RARE, USUAL, keys_in

FINE = Facts(ArchiveFacts("archive.db", free=10**11), MachineFacts())
ROLL = "https://feed.mix.sina.com.cn/api/roll/get?pageid={pageid}&lid={lid}"
Route = bytes | Callable[[Asked], Answer]


def nothing(_done: int, _total: int) -> None:
    """Nobody watches."""


async def loopback(_host: str) -> Sequence[str]:
    return ["127.0.0.1"]


def rows(url: str, source: str = "feed", **more: object) -> str:
    """A configuration's feed."""
    return json.dumps({"name": "wire", "source": source, "url": url, **more})


def examine(
    folder: Path,
    feed: str,
    routes: Mapping[str, Route] | None = None,
    network: str = "",
    reached: Sequence[str] = ("wire.example", "feed.mix.sina.com.cn"),
    resolve: Callable[[str], object] = loopback,
    facts: Facts = FINE,
) -> tuple[Visit, Server]:
    """A visit to one feed; the hosts ``reached`` are a server with these routes. Its bundle must say the same again."""

    async def run() -> tuple[Visit, Server]:
        async with serving(routes) as server:
            hosts = json.dumps(dict.fromkeys(reached, server.url))
            text = f"archive: archive.db\nnetwork:\n  connect_to: {hosts}\n{network}feeds: [{feed}]\n"
            settings = parse(text, folder / "config.yaml")
            done = await visit(settings, [], facts, clock=lambda: START, resolve=resolve, watch=nothing)  # type: ignore[arg-type]
        save(done.bundle, folder / "bundle")
        again = await replay(load(folder / "bundle"), nothing)
        assert again.findings == done.findings
        return done, server

    return asyncio.run(run())


def wrong(findings: Sequence[Finding], verdict: str = "bad") -> dict[str, tuple[str, str]]:
    """What is wrong, by subject; the first finding of each."""
    found: dict[str, tuple[str, str]] = {}
    for finding in findings:
        if finding.verdict == verdict:
            found.setdefault(finding.subject, (finding.what, finding.remedy))
    return found


def healthy() -> dict[str, Route]:
    return {"/feed.xml": reply(200, rss(item(1))), "/news/1.html": reply(200, page(1), Content_Type="text/html")}


def test_all_is_fine(tmp_path: Path) -> None:
    done, server = examine(tmp_path, rows("https://wire.example/feed.xml"), healthy())
    assert overall(done.findings) == "ok", wrong(done.findings)
    assert sentence(done.findings) == f"Nothing is wrong: {len(done.findings)} checks"
    told = {finding.subject: finding.what for finding in done.findings}
    assert "1 entries, the newest of 0 min ago" in told["wire"]
    assert told[link(1)].startswith("rule trafilatura, proven by its address and title; title")
    assert [asked.target for asked in server.asked] == ["/feed.xml", "/news/1.html"]


def test_dns_fails(tmp_path: Path) -> None:
    async def unknown(_host: str) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    done, _ = examine(tmp_path, rows("https://wire.example/feed.xml"), reached=(), resolve=unknown)
    found = wrong(done.findings)
    assert "DNS: the name is not known: [Errno -2] Name or service" in found["wire.example"][0]
    assert "getent hosts wire.example" in found["wire.example"][1]
    assert found["wire"] == ("could not be reached (dns)", "See wire.example")


@pytest.mark.parametrize(
    ("address", "case", "remedy"),
    [
        ("10.1.2.3", "a private address", "network.allow_private: [wire.example]"),
        ("198.18.0.7", "only a local proxy answers", "network.fake_ip_ranges: [198.18.0.0/15]"),
    ],
)
def test_dns_answers_a_private_range(tmp_path: Path, address: str, case: str, remedy: str) -> None:
    async def inside(_host: str) -> Sequence[str]:
        return ["93.184.215.14", address]

    done, _ = examine(tmp_path, rows("https://wire.example/feed.xml"), reached=(), resolve=inside)
    what, advice = wrong(done.findings)["wire.example"]
    assert address in what
    assert case in what
    assert remedy in advice


def test_tls_fails(tmp_path: Path) -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(reply(400, b"this port speaks HTTP"))
        writer.close()

    async def run() -> Visit:
        async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as listener:
            url = f"https://wire.example:{listener.sockets[0].getsockname()[1]}/feed.xml"
            text = f"network: {{allow_private: [wire.example]}}\nfeeds: [{rows(url)}]"
            settings = parse(text, tmp_path / "config.yaml")
            done = await visit(settings, [], FINE, clock=lambda: START, resolve=loopback, watch=nothing)
        save(done.bundle, tmp_path / "bundle")
        assert (await replay(load(tmp_path / "bundle"), nothing)).findings == done.findings
        return done

    what, remedy = wrong(asyncio.run(run()).findings)["wire.example"]
    assert what.startswith("TLS: no secure connection: ")
    assert "speaks no TLS" in remedy


def test_a_certificate_nobody_vouches_for(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=wire.example -addext subjectAltName=DNS:wire.example"
    try:
        words = ["openssl", *command.split(), "-keyout", str(key), "-out", str(cert)]
        subprocess.run(words, check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no openssl command to make a certificate with")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def run() -> Visit:
        async with serving(tls=context) as server:
            url = f"https://wire.example:{server.port}/feed.xml"
            text = f"network: {{allow_private: [wire.example]}}\nfeeds: [{rows(url)}]"
            settings = parse(text, tmp_path / "config.yaml")
            return await visit(settings, [], FINE, clock=lambda: START, resolve=loopback, watch=nothing)

    what, remedy = wrong(asyncio.run(run()).findings)["wire.example"]
    assert "self-signed certificate" in what
    assert remedy == "If you trust who signed it, add the certificate: network.ca_bundle: FILE.pem"


def test_403_without_a_referer(tmp_path: Path) -> None:
    def guarded(asked: Asked) -> bytes:
        return reply(200, rss(item(1))) if "referer" in asked.headers else reply(403, b"no hot-linking")

    done, server = examine(tmp_path, rows("https://wire.example/feed.xml"), {"/feed.xml": guarded})
    what, remedy = wrong(done.findings)["wire.example"]
    assert what == "answers 200 with a Referer, 403 without"
    assert remedy == "Give its feeds this line: headers: {Referer: https://wire.example/}"
    assert len(server.asked) == 2
    bodies = [file.read_bytes() for file in sorted((tmp_path / "bundle" / "exchanges").glob("*.body"))]
    assert bodies[0] == b"no hot-linking"


def test_403_for_the_host(tmp_path: Path) -> None:
    refusing = {"/api/roll/get": reply(403, b"go away")}
    done, server = examine(tmp_path, rows(ROLL.format(pageid=384, lid=2519), "sina-roll"), refusing)
    what, remedy = wrong(done.findings)["feed.mix.sina.com.cn"]
    assert what == "answers 403 with a Referer, 403 without: it refuses this machine"
    assert "less often" in remedy
    assert wrong(done.findings)["wire"] == ("HTTP 403, the server refuses us", "See feed.mix.sina.com.cn")
    assert ["referer" in asked.headers for asked in server.asked] == [True, False]


def test_a_host_that_refuses_is_left_alone_and_the_bundle_says_so_too(tmp_path: Path) -> None:
    many = ", ".join(
        json.dumps({"name": f"feed-{lid}", "source": "sina-roll", "url": ROLL.format(pageid=384, lid=lid)})
        for lid in range(2670, 2680)
    )
    slowly = "  per_host: {interval: 100ms}\n"
    done, server = examine(tmp_path, many, {"/api/roll/get": reply(403, b"go away")}, slowly)
    bad, odd = wrong(done.findings), wrong(done.findings, "warning")
    assert len(server.asked) <= 4
    assert len(bad) + len(odd) == 11
    assert odd["feed-2679"] == ("not asked: feed.mix.sina.com.cn refused before", "See feed.mix.sina.com.cn")


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "wants credentials"), (429, "fewer requests"), (502, "the server failed")],
)
def test_other_refusals_name_their_remedy(tmp_path: Path, status: int, words: str) -> None:
    done, _ = examine(tmp_path, rows("https://wire.example/feed.xml"), {"/feed.xml": reply(status)})
    what, remedy = wrong(done.findings)["wire.example"]
    assert what.startswith(f"answers {status} (1 ×): HTTP {status}")
    assert words in what
    assert remedy


def test_a_redirect_to_a_private_host_names_that_host(tmp_path: Path) -> None:
    moved = {"/feed.xml": reply(302, Location="https://10.0.0.7/feed.xml")}
    done, _ = examine(tmp_path, rows("https://wire.example/feed.xml"), moved)
    what, remedy = wrong(done.findings)["wire"]
    assert "10.0.0.7 is a private address" in what
    assert "network.allow_private: [10.0.0.7]" in remedy


@pytest.mark.parametrize(
    ("pageid", "lid", "remedy"),
    [(153, 1686, "write pageid=155&lid=1686"), (155, 1687, "used to be right"), (1, 9, "Check the pair")],
)
def test_code_11(tmp_path: Path, pageid: int, lid: int, remedy: str) -> None:
    answer = reply(200, '{"result":{"status":{"code":11,"msg":"列表和页面没有经过注册"},"data":[]}}'.encode())
    feed = rows(ROLL.format(pageid=pageid, lid=lid), "sina-roll")
    what, advice = wrong(examine(tmp_path, feed, {"/api/roll/get": answer})[0].findings)["wire"]
    assert "code 11" in what
    assert f"pageid {pageid}, lid {lid}" in what
    assert remedy in advice


def test_a_stale_channel_and_an_empty_one(tmp_path: Path) -> None:
    old = healthy() | {"/feed.xml": reply(200, rss(item(1, at=START - timedelta(days=9))))}
    what, remedy = wrong(examine(tmp_path / "a", rows("https://wire.example/feed.xml"), old)[0].findings)["wire"]
    assert "the newest of 9 days ago: stale (expected within 24 hours)" in what
    assert "expect_newest_within" in remedy
    empty = {"/feed.xml": reply(200, rss())}
    what, _ = wrong(examine(tmp_path / "b", rows("https://wire.example/feed.xml"), empty)[0].findings)["wire"]
    assert "it is empty" in what


def new_archive(path: Path) -> Path:
    async def run() -> None:
        await (await SqliteArchive.open(path, utc_now, parser="test", rules="test")).close()

    asyncio.run(run())
    return path


def test_the_disk_is_full(tmp_path: Path) -> None:
    path = new_archive(tmp_path / "archive.db")
    full = list(of_archive(inspected(path, lambda _: 4_096)))
    assert wrong(full) == {
        "archive": ("the disk is full: 4.1 kB free on its disk", "Make room; everything committed so far is safe")
    }
    assert wrong(list(of_archive(inspected(path, lambda _: 900_000_000))), "warning")["archive"][0].startswith(
        "only 900"
    )
    assert overall(list(of_archive(inspected(path, lambda _: 2 * 10**9)))) == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_archive_is_another_users(tmp_path: Path) -> None:
    path = new_archive(tmp_path / "archive.db")
    os.chown(path, 12_345, 12_345)
    facts = inspected(path)
    what, remedy = wrong(list(of_archive(facts)), "warning")["archive"]  # root may do all, but spoils it for its owner
    assert what == f"{path} belongs to user 12345, and this is root"
    assert "sudo -u '#12345'" in remedy
    mine = replace(facts, user=54_321, writable=False)
    found = [finding.what for finding in of_archive(mine) if finding.verdict == "bad"]
    assert found == [
        f"{path} belongs to user 12345, and this is user 54321",
        f"user 54321 may not write {path} ({facts.mode})",
    ]


def test_a_missing_extra_and_packages_that_will_not_do() -> None:
    facts = surveyed({"HTTPS_PROXY": "http://127.0.0.1:1", "no_proxy": "x"}, find=lambda name: name != "datasette")
    assert facts.proxies == ("HTTPS_PROXY",)
    _, remedy = wrong(list(of_machine(facts)), "warning")["datasette"]
    assert "pip install 'aggregator[browse]'" in remedy
    old = MachineFacts(
        packages=(Package("httpx", "0.9.1", "0.28.1"), Package("lxml", "", ""), Package("rich", "14", "13.9"))
    )
    assert wrong(list(of_machine(old))) == {
        "httpx": ("0.9.1 is too old", "pip install 'httpx>=0.28.1'"),
        "lxml": ("is not installed", "pip install 'lxml'"),
    }


@pytest.mark.parametrize(
    ("facts", "subject"),
    [
        (Facts(replace(FINE.archive, free=4_096), FINE.machine), "archive"),
        (Facts(replace(FINE.archive, user=54_321, owner=12_345, writable=False), FINE.machine), "archive"),
        (Facts(replace(FINE.archive, refusal=("damaged", "it is damaged", "Restore it")), FINE.machine), "archive"),
        (Facts(FINE.archive, MachineFacts(lacking=("browse",))), "datasette"),
        (Facts(FINE.archive, MachineFacts(packages=(Package("httpx", "0.9.1", "0.28.1"),))), "httpx"),
    ],
)
def test_what_is_wrong_with_this_machine_stands_in_the_bundle_too(tmp_path: Path, facts: Facts, subject: str) -> None:
    """``examine`` asks the saved bundle again, which must come to the same."""
    done, _ = examine(tmp_path, rows("http://wire.example/feed.xml"), healthy(), facts=facts)
    assert [one.subject for one in done.findings if one.verdict != "ok"][:1] == [subject]


def test_archives_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    assert "does not exist" in wrong(list(of_archive(inspected(tmp_path / "no" / "a.db"))))["archive"][0]
    assert next(of_archive(inspected(tmp_path / "a.db", lambda _: 10**10))).what.startswith("there is none yet")
    (tmp_path / "text.db").write_text("hello " * 50)
    assert "no SQLite file" in wrong(list(of_archive(inspected(tmp_path / "text.db"))))["archive"][0]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["text.db"]


def test_the_writer_of_an_archive_is_named(tmp_path: Path) -> None:
    path = new_archive(tmp_path / "archive.db")
    assert inspected(path).holder is None
    lock = WriterLock(path)
    lock.acquire()
    assert f"process {os.getpid()} is writing" in next(of_archive(inspected(path))).what
    lock.release()
    (tmp_path / "archive.db.lock").write_text("1\n")  # its process was killed
    assert inspected(path).holder is None


def test_a_proxy_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses for sure
        proxy = f"http://me:hunter22@127.0.0.1:{taken.getsockname()[1]}"
        done, _ = examine(tmp_path, rows("http://wire.example/feed.xml"), network=f"  proxy: {proxy}\n", reached=())
    findings = {finding.subject: finding for finding in done.findings}
    assert findings["wire.example"].verdict == "bad"  # the name is at a private address
    assert findings["proxy"].verdict == "bad"
    assert "hunter22" not in "".join(f"{finding.what}{finding.remedy}" for finding in done.findings)


@pytest.mark.parametrize("running", [False, True])
def test_a_feeds_own_proxy_is_asked_and_told_of_without_its_password(tmp_path: Path, running: bool) -> None:
    async def unknown(_host: str) -> Sequence[str]:
        raise OSError("not known here")

    with beside() as proxy, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses for sure
        proxy.routes |= {
            f"http://wire.example{path}": lambda _, answer=answer: answer for path, answer in healthy().items()
        }
        port = proxy.port if running else taken.getsockname()[1]
        feed = rows("http://wire.example/feed.xml", proxy=f"http://me:hunter22@127.0.0.1:{port}")
        done, _ = examine(tmp_path, feed, reached=(), resolve=unknown)
        assert len(proxy.asked) == (2 if running else 0)
    findings = {finding.subject: finding for finding in reversed(done.findings)}  # the first of each
    assert findings["wire.example"].what == "has no address here; the proxy finds it"
    told = findings["proxy of wire"]
    assert told.verdict == ("ok" if running else "bad")
    assert "the feed's `proxy`" in told.remedy or running
    whole = b"".join(file.read_bytes() for file in (tmp_path / "bundle").rglob("*") if file.is_file())
    assert "hunter22" not in f"{done.findings} {whole!r}"


def roll(*items: Mapping[str, object]) -> bytes:
    return reply(200, json.dumps({"result": {"status": {"code": 0}, "data": items}}).encode())


def one_item(**more: object) -> dict[str, object]:
    at = str(int(START.timestamp()))
    return dict.fromkeys(USUAL, "") | {
        "docid": "comos:nitmeau2811260", "url": "https://wire.example/a", "title": "题", "ctime": at, **more
    }  # fmt: skip


def test_keys_that_are_new_or_gone_are_told(tmp_path: Path) -> None:
    fewer = {key: value for key, value in one_item(novelty="1").items() if key not in ("intime", "level")}
    done, _ = examine(tmp_path, rows(ROLL.format(pageid=384, lid=2519), "sina-roll"), {"/api/roll/get": roll(fewer)})
    assert wrong(done.findings, "warning")["wire"][0] == "its items have new keys: novelty"
    assert wrong(done.findings)["wire"][0] == "its items lack: intime, level"


def test_the_known_keys_are_those_of_captures_and_the_known_lists_those_of_the_documentation(shared: Path) -> None:
    capture = next((shared / "corpus" / "sina").glob("roll_*.json")).read_bytes()
    keys = keys_in(Page("", "", 200, {}, capture, START))
    assert (keys.unknown, keys.missing) == ((), ())
    assert ESSENTIAL < USUAL
    assert not USUAL & RARE
    documented = (Path(__file__).parent.parent / "docs" / "sina.md").read_text(encoding="utf-8")
    assert [lid for lid in LISTS if str(lid) not in documented] == []


SECRETS = {
    "password": "correct-horse-battery",
    "token": "tok3n-of-the-feed",
    "cookie": "sid-7f3a9c21",
    "given cookie": "visitor-55aa66bb",
    "cookie of a file": "jar-1b2c3d4e",
    "header": "key-9d8e7f6a5b",
    "staff": "xiaoming7@staff.sina.com.cn",
    "encoded staff": "laowang3\\u0040staff.sina.com.cn",
    "operator": "me@operator.example.org",
    "proxy": "sesame-open-9",
}


def test_a_bundle_holds_no_secret(tmp_path: Path) -> None:
    body = rss(item(1, extra="<description>laowang3\\u0040staff.sina.com.cn</description>"))
    echoed = ("password", "token", "cookie", "header", "cookie of a file")
    echo = f"<!-- {' '.join(SECRETS[name] for name in echoed)} -->".encode()
    words = "编辑 xiaoming7@staff.sina.com.cn 报道，图见 logo@2x.png。" * 3
    article = page(1, words).decode().encode("gb18030")
    routes: dict[str, Route] = {
        "/feed.xml": reply(200, body + echo, Set_Cookie=f"v={SECRETS['given cookie']}", X_Editor=SECRETS["staff"]),
        "/news/1.html": reply(200, article, Content_Type="text/html; charset=gb18030"),
    }
    url = f"https://reader:{SECRETS['password']}@wire.example/feed.xml?token={SECRETS['token']}"
    headers = {"Cookie": f"sid={SECRETS['cookie']}", "X-Api-Key": SECRETS["header"]}
    network = f"  contact: {SECRETS['operator']}\n"
    jar = f"# Netscape HTTP Cookie File\nwire.example\tFALSE\t/\tFALSE\t0\tjar\t{SECRETS['cookie of a file']}\n"
    (tmp_path / "jar.txt").write_text(jar)
    done, server = examine(tmp_path, rows(url, headers=headers, cookies_file="jar.txt"), routes, network)
    assert server.asked[0].headers["cookie"] == f"{headers['Cookie']}; jar={SECRETS['cookie of a file']}"
    assert "authorization" in server.asked[0].headers
    whole = b"".join(file.read_bytes() for file in (tmp_path / "bundle").rglob("*") if file.is_file())
    assert [name for name, secret in SECRETS.items() if secret.encode() in whole] == []
    assert b"reader" not in whole
    assert b"jar.txt" not in whole
    assert b"set-cookie" not in whole.lower()
    assert b"logo@2x.png" in whole
    assert "编辑 xxxxxxxxx@xxxxx.xxxx.xxx.xx 报道".encode("gb18030") in whole
    assert overall(done.findings) == "ok", wrong(done.findings)


def test_folders_that_are_no_bundle_are_refused(tmp_path: Path) -> None:
    for name, about in (
        ("none", None),
        ("text", "hello"),
        ("list", "[]"),
        ("new", '{"format": 99}'),
        ("half", '{"format": 1}'),
    ):
        (tmp_path / name).mkdir()
        if about:
            (tmp_path / name / "bundle.json").write_text(about)
        with pytest.raises(ConfigError, match="bundle"):
            load(tmp_path / name)
    done, _ = examine(tmp_path, rows("https://wire.example/feed.xml"), healthy())
    with pytest.raises(ConfigError, match="something in it"):
        save(done.bundle, tmp_path / "bundle")


def leaves(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value in a JSON value."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from leaves(one, (*at, key))


def planted(text: str, at: tuple[str | int, ...], value: object) -> str:
    whole = {"": json.loads(text)}
    place: object = whole
    for key in ("", *at)[:-1]:
        place = place[key]  # type: ignore[index]
    place[("", *at)[-1]] = value  # type: ignore[index]
    return json.dumps(whole[""])


def test_a_damaged_bundle_is_refused_or_judged_but_never_a_crash(tmp_path: Path) -> None:
    examine(tmp_path, rows("https://wire.example/feed.xml"), healthy())
    refused = judged = 0
    for file in [*(tmp_path / "bundle").glob("*.json"), *(tmp_path / "bundle" / "exchanges").glob("*.json")]:
        text = file.read_text(encoding="utf-8")
        for at in leaves(json.loads(text)):
            for value in (None, 7, "\x00题", [], {}, [1]):
                file.write_text(planted(text, at, value), encoding="utf-8")
                try:
                    asyncio.run(replay(load(tmp_path / "bundle"), nothing))
                    judged += 1
                except ConfigError:
                    refused += 1
        file.write_text(text, encoding="utf-8")
    assert refused > 50
    assert judged > 50


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose configuration leads to the replica, which is gone after the one visit that is saved there."""
    folder = tmp_path_factory.mktemp("doctor")
    started = utc_now()
    with Replica(lambda: started) as replica:
        hosts = "\n".join(f'    "{host}": "{replica.address}"' for host in replica.hosts)
        config = starter().replace("\nnetwork:", "\n#network:", 1)
        (folder / "config.yaml").write_text(f"{config}\nnetwork:\n  connect_to:\n{hosts}\n", encoding="utf-8")
        done = aggregator(folder, "doctor", "--json", "--save", "bundle")
        assert done.returncode == 1, done.stderr
        (folder / "first.json").write_text(done.stdout, encoding="utf-8")
        most = max(sum(n for (_, host, _), n in replica.requests.items() if host == one) for one in replica.hosts)
        assert most <= 11  # ten feeds on one host, and once without a Referer
    return folder


def test_of_the_replica_only_what_it_breaks_on_purpose_is_wrong(home: Path) -> None:
    told = json.loads((home / "first.json").read_text(encoding="utf-8"))
    bad = {one["subject"]: one["what"] for one in told["findings"] if one["verdict"] == "bad"}
    assert set(bad) == {"sina-macro", "sina-world", "sina-forex"}
    assert ["code 11" in bad["sina-macro"], "empty" in bad["sina-world"], "stale" in bad["sina-forex"]] == [True] * 3
    assert told["verdict"] == "bad"
    assert [one for one in told["findings"] if one["verdict"] == "bad" and not one["remedy"]] == []
    told_of = [one["what"] for one in told["findings"] if one["subject"] == "feed.mix.sina.com.cn"]
    assert told_of[1:] == ["answers 200 (10 ×)", "answers 200 with a Referer, 403 without"]


def test_the_bundle_says_the_same_with_the_replica_gone(home: Path) -> None:
    again = aggregator(home, "doctor", "--replay", "bundle", "--json")
    assert again.returncode == 1, again.stderr
    assert json.loads(again.stdout) == json.loads((home / "first.json").read_text(encoding="utf-8"))
    shown = aggregator(home, "doctor", "--replay", "bundle")
    assert "bad  sina-macro  HTTP 200, but api_error" in "\n".join(
        " ".join(x.split(" ")) for x in shown.stdout.split("\n")
    )
    assert "found something wrong" in shown.stderr


def test_a_page_and_a_listing_of_a_bundle_become_golden_cases(home: Path) -> None:
    told = json.loads((home / "first.json").read_text(encoding="utf-8"))
    url = next(one["subject"] for one in told["findings"] if "rule sina-finance-2018" in one["what"])
    for name, of in (("page", url), ("list", "sina-banking")):
        done = aggregator(home, "doctor", "--replay", "bundle", "--as-test", f"cases/{name}", "--of", of)
        assert done.returncode == 0, done.stderr
    case = json.loads((home / "cases" / "page.json").read_text(encoding="utf-8"))
    assert (case["url"], case["fields"]["rule"]) == (url, "sina-finance-2018")
    listed = aggregator(home, "parse", "cases/list.listing", "--json")
    assert json.loads(listed.stdout) == json.loads((home / "cases" / "list.json").read_text(encoding="utf-8"))
    twice = aggregator(home, "doctor", "--replay", "bundle", "--as-test", "cases/page", "--of", url)
    assert (twice.returncode, "there already" in twice.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (("nofeed",), "nofeed"),
        (("--replay", "nowhere"), "nowhere"),
        (("--replay", "bundle", "sina-macro"), "Leave out"),
        (("--as-test", "x"), "--replay"),
        (("--replay", "bundle", "--as-test", "x", "--of", "nothing"), "sina-domestic"),
    ],
)
def test_usage(home: Path, words: Sequence[str], fragment: str) -> None:
    done: subprocess.CompletedProcess[str] = aggregator(home, "doctor", *words)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert fragment in done.stderr


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("写信给 Wang.Wu-3@mail.sina.com.cn。", "写信给 xxxx.xx-x@xxxx.xxxx.xxx.xx。"),
        ("a%40b.example and a&#64;b.example", "x%40x.xxxxxxx and x&#64;x.xxxxxxx"),
        ("@media print { } img@2x.png user@localhost", "@media print { } img@2x.png user@localhost"),
        ('href="https://u:pw@h.example/?a=1&amp;token=abc&b=2"', 'href="https://h.example/?a=1&amp;token=***&b=2"'),
        ("the author = nobody; key = value", "the author = nobody; key = value"),
        ("pass-phrase-1 stays not", "xxxx-xxxxxx-x stays not"),
    ],
)
def test_what_is_hidden_in_texts_and_bodies_of_any_encoding(text: str, left: str) -> None:
    secrets = ("pass-phrase-1",)
    assert text_without(text, secrets) == left
    for encoding in ("utf-8", "gb18030", "utf-16"):
        assert body_without(text.encode(encoding), secrets).decode(encoding) == left


def test_a_large_body_is_redacted_in_seconds() -> None:
    def seconds(megabytes: int) -> float:
        body = b"abcdefgh" * (megabytes * 125_000)
        started = time.process_time()
        assert body_without(body + b"@" * 1_000, ()) == body + b"@" * 1_000
        return time.process_time() - started

    assert seconds(4) < 2.0
