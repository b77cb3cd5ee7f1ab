"""The command line as a user meets it: against the replica, and with thirty mistakes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.app import utc_now
from aggregator.archive import Reader
from aggregator.cli.output import print_table
from aggregator.config import starter
from aggregator.demo import Replica

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    started = utc_now()
    with Replica(lambda: started) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, replica: Replica) -> Path:
    """A folder with the real configuration, whose hosts are the replica's."""
    hosts = "\n".join(f'    "{host}": "{replica.address}"' for host in replica.hosts)
    config = starter().replace("\nnetwork:", "\n#network:", 1)
    (tmp_path / "config.yaml").write_text(f"{config}\nnetwork:\n  connect_to:\n{hosts}\n", encoding="utf-8")
    return tmp_path


def aggregator(home: Path, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
    """The program run in a folder, with nothing of the environment that would matter."""
    command = [sys.executable, "-m", "aggregator", *words]
    return subprocess.run(command, cwd=home, env=environment(home), capture_output=True, text=True, timeout=60, **more)  # type: ignore[call-overload]


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def test_fetch_status_show_export_and_again(home: Path, replica: Replica) -> None:
    fetched = aggregator(home, "fetch", "--json")
    assert fetched.returncode == 1, fetched.stderr
    told = json.loads(fetched.stdout)
    assert told["totals"]["archived"] >= 120
    broken = {f"sina:comos:{one.id}": one.expect for one in replica.ledger.broken()}
    assert {one["key"]: one["kind"] for one in told["articles_failed"]} == {
        key: kind for key, kind in broken.items() if kind in ("wrong_page", "extract_failed")
    }
    by_name = {one["feed"]: one for one in told["feeds"]}
    assert by_name["sina-domestic"]["status"] == "ok"
    assert by_name["sina-macro"]["error"]["kind"] == "api_error"
    assert {one["status"] for one in told["feeds"]} == {"ok", "failed", "empty", "stale"}
    pages = [n for (_, host, path), n in replica.requests.items() if "doc-i" in path and host != "n.sinaimg.cn"]
    assert len(pages) >= 120
    assert set(pages) == {1}

    second = json.loads(aggregator(home, "fetch", "--json").stdout)
    assert (second["totals"]["new"], second["totals"]["archived"]) == (0, 0)

    status = json.loads(aggregator(home, "status", "--json").stdout)
    assert status["totals"]["articles"] >= 120
    assert {one["error_kind"] for one in status["troubles"]} == {"wrong_page", "extract_failed"}

    key = next(f"sina:comos:{one.id}" for one in replica.ledger.good() if one.template == "finance2026")
    shown = json.loads(aggregator(home, "show", key, "--json").stdout)
    assert (shown["key"], shown["rule"]) == (key, "sina-finance-2018")
    document = aggregator(home, "show", shown["url"], "--document").stdout
    assert document == shown["document"]
    with sqlite3.connect(home / "archive.db") as plain:
        assert plain.execute("select document from articles limit 1").fetchone()[0].startswith("\n---\ntitle: ")
        (reprint,) = plain.execute("select key from links join articles on articles.id = b").fetchone()
    plain.close()
    cluster = json.loads(aggregator(home, "show", reprint, "--json").stdout)["reprints"]
    others = [one for one in cluster if one["key"] != reprint]
    assert others
    assert all(f"{one['title']}  {one['key']}" in aggregator(home, "show", reprint).stdout for one in others)

    first = json.loads(aggregator(home, "export", "--to", "posts", "--json").stdout)
    times = {path: path.stat().st_mtime_ns for path in (home / "posts").rglob("*.md")}
    again = json.loads(aggregator(home, "export", "--to", "posts", "--json").stdout)
    assert (first["written"], again) == (len(times), {"written": 0, "unchanged": len(times)})
    assert times == {path: path.stat().st_mtime_ns for path in (home / "posts").rglob("*.md")}
    assert (home / "posts" / shown["file"]).read_text(encoding="utf-8") == document


def test_fetch_of_one_url_files_it_under_its_host(home: Path, replica: Replica) -> None:
    good = next(one for one in replica.ledger.good() if one.template == "finance2019")
    assert aggregator(home, "fetch", good.url).returncode == 0
    shown = json.loads(aggregator(home, "show", good.url, "--json").stdout)
    assert (shown["key"], shown["title"]) == (f"sina:comos:{good.id}", good.title)
    assert shown["categories"] == ["未分类", "finance.sina.com.cn", "finance.sina.com.cn"]


def test_fetch_limit_leaves_the_rest_waiting(home: Path) -> None:
    assert aggregator(home, "fetch", "sina-banking", "--limit", "3").returncode == 0
    totals = json.loads(aggregator(home, "status", "--json").stdout)["totals"]
    assert totals["articles"] == 3
    assert totals["pending"] > 10


def test_feeds_are_edited_in_place(home: Path) -> None:
    before = (home / "config.yaml").read_text(encoding="utf-8")
    assert (
        aggregator(home, "feeds", "add", "wire", "https://wire.example/feed", "--categories", "甲,乙,丙").returncode
        == 0
    )
    assert aggregator(home, "feeds", "pause", "wire").returncode == 0
    listed = json.loads(aggregator(home, "feeds", "list", "--json").stdout)
    assert [(one["name"], one["enabled"], one["categories"]) for one in listed][-1] == (
        "wire",
        False,
        ["甲", "乙", "丙"],
    )
    assert aggregator(home, "feeds", "remove", "wire").returncode == 0
    assert (home / "config.yaml").read_text(encoding="utf-8") == before


def test_the_demo_archives_at_least_120_and_finds_nothing_new_the_second_time(tmp_path: Path) -> None:
    first = aggregator(tmp_path, "demo", "--dir", "try", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["unexpected"] == []
    assert told["totals"]["archived"] >= 120
    assert told["exported"] >= 120
    again = aggregator(tmp_path, "demo", "--dir", "try", "--json")
    assert again.returncode == 0, again.stdout
    assert json.loads(again.stdout)["totals"]["new"] == 0


def broken_config(text: str) -> dict[str, str]:
    return {"config.yaml": text}


FEED = "feeds:\n  - {name: a, source: feed, url: 'https://a.example/f'}\n"
MISTAKES: tuple[tuple[str, dict[str, str], tuple[str, ...], int, tuple[str, ...]], ...] = (
    ("no configuration", {}, ("fetch",), 2, ("config.yaml", "aggregator init")),
    ("named configuration is missing", {}, ("status", "--config", "no.yaml"), 2, ("no.yaml",)),
    ("a folder as configuration", {}, ("status", "--config", "."), 2, ("folder", "file in it")),
    ("unknown key", broken_config("archiv: a.db\n"), ("fetch",), 2, ("config.yaml:1", "archive")),
    ("unknown key in network", broken_config("network:\n  timout: 3\n"), ("fetch",), 2, ("config.yaml:2", "timeout")),
    ("a tab", broken_config("feeds:\n\t- a\n"), ("fetch",), 2, ("config.yaml:2", "tab")),
    ("a duplicate name", broken_config(FEED + FEED.split("\n", 1)[1]), ("fetch",), 2, ("config.yaml:3",)),
    ("a bad URL", broken_config("feeds:\n  - {name: a, source: feed, url: 'a.example/f'}\n"), ("fetch",), 2, ("url",)),
    ("zero interval", broken_config("defaults: {every: 0}\n"), ("fetch",), 2, ("defaults.every",)),
    ("an unknown source", broken_config(FEED.replace("source: feed", "source: rss")), ("fetch",), 2, ("source",)),
    ("no such zone", broken_config("timezone: Asia/Shangai\n"), ("fetch",), 2, ("timezone", "Asia/Shanghai")),
    ("an empty section", broken_config("interval: {}\n"), ("fetch",), 2, ("interval.min", "is missing")),
    ("a BOM", broken_config("\ufeffarchive: a.db\n"), ("fetch",), 2, ("BOM",)),
    ("broken YAML", broken_config("feeds: [\n"), ("fetch",), 2, ("config.yaml:",)),
    ("unknown feed", broken_config(FEED), ("fetch", "b"), 2, ("'b'", "Known feeds: a")),
    ("unknown command", broken_config(FEED), ("fetsch",), 2, ("fetch",)),
    ("unknown option", broken_config(FEED), ("fetch", "--al"), 2, ("--al",)),
    ("a URL of no web", broken_config(FEED), ("fetch", "ftp://a.example/x"), 2, ("ftp://", "https://host/path")),
    ("no archive yet, status", broken_config(FEED), ("status",), 3, ("archive.db", "aggregator fetch")),
    ("no archive yet, show", broken_config(FEED), ("show", "x"), 3, ("archive.db", "aggregator fetch")),
    ("no archive yet, export", broken_config(FEED), ("export", "--to", "x"), 3, ("archive.db",)),
    ("no archive yet, browse", broken_config(FEED), ("browse",), 3, ("archive.db",)),
    (
        "archive is text",
        {**broken_config(FEED), "archive.db": "hello " * 50},
        ("status",),
        3,
        ("archive.db", "no archive"),
    ),
    ("archive is empty", {**broken_config(FEED), "archive.db": ""}, ("fetch",), 3, ("archive.db", "empty")),
    ("archive folder missing", broken_config("archive: no/a.db\n" + FEED), ("fetch",), 3, ("no/a.db", "mkdir")),
    ("nowhere to export", broken_config(FEED), ("export",), 2, ("export.hexo.dir", "--to DIR")),
    ("feed name taken", broken_config(FEED), ("feeds", "add", "a", "https://b.example"), 2, ("a",)),
    ("feed to pause unknown", broken_config(FEED), ("feeds", "pause", "b"), 2, ("b",)),
    ("file to parse missing", {}, ("parse", "no.xml"), 2, ("no.xml", "No such file")),
    ("nothing that parses", {"x.xml": "hello"}, ("parse", "x.xml"), 1, ("not_a_feed",)),
    ("a header without colon", {"x.xml": "x"}, ("parse", "x.xml", "--header", "a"), 2, ("--header",)),
    ("an unknown source to parse", {"x.xml": "x"}, ("parse", "x.xml", "--source", "y"), 2, ("sina-roll",)),
    (
        "an unreadable date",
        {"x": "x"},
        ("article", "x", "--url", "https://a.example", "--published", "soon"),
        2,
        ("soon",),
    ),
    ("init over a file", broken_config(FEED), ("init",), 2, ("config.yaml", "aggregator init PATH")),
    ("nothing to poll", broken_config("feeds: []\n"), ("run",), 2, ("aggregator feeds add",)),
    (
        "a dead host",
        broken_config(FEED.replace("https://a.example", "http://127.0.0.1:9")),
        ("fetch",),
        1,
        ("127.0.0.1",),
    ),
    (
        "a private address names the line to add",
        broken_config(FEED.replace("https://a.example", "http://127.0.0.1:9")),
        ("fetch",),
        1,
        ("refused", "network.allow_private"),
    ),
)


@pytest.mark.parametrize(
    ("files", "words", "code", "fragments"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_gets_one_message_and_the_next_step(
    tmp_path: Path, files: dict[str, str], words: tuple[str, ...], code: int, fragments: tuple[str, ...]
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = aggregator(tmp_path, *words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert [fragment for fragment in fragments if fragment not in done.stderr] == []
    if code != 1:
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".lock"} == before


def test_the_version_is_answered_before_anything_is_loaded(tmp_path: Path) -> None:
    done = aggregator(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, "aggregator 0.1.0\n")
    probe = (
        "import sys; sys.argv = ['aggregator', '--version']\n"
        "from aggregator.__main__ import main; main(); print('typer' in sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.splitlines()[-1] == "False"


def test_ctrl_c_keeps_what_is_settled_and_the_next_fetch_does_the_rest(home: Path) -> None:
    slow = (home / "config.yaml").read_text(encoding="utf-8") + "  per_host: {interval: 100ms, connections: 1}\n"
    (home / "config.yaml").write_text(slow, encoding="utf-8")
    command = [sys.executable, "-m", "aggregator", "fetch", "sina-banking"]
    with subprocess.Popen(command, cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "articles to fetch" in process.stderr.readline()
        settled = 0
        while settled < 3:  # until some are in the archive, which a reader sees at once
            with Reader(home / "archive.db") as reader:
                settled = int(str(reader.totals()["articles"]))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    totals = json.loads(aggregator(home, "status", "--json").stdout)["totals"]
    assert totals["articles"] >= settled
    assert totals["pending"] > 0
    (home / "config.yaml").write_text(slow.replace("interval: 100ms", "interval: 0s"), encoding="utf-8")
    aggregator(home, "fetch", "sina-banking")
    after = json.loads(aggregator(home, "status", "--json").stdout)["totals"]
    assert after["articles"] + after["pending"] == totals["articles"] + totals["pending"]
    assert after["pending"] <= 4


def test_a_table_that_nobody_looks_at_on_a_terminal_is_plain_and_straight(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["feed", "listed#", "why"], [("新浪", 12, "[b]\x1b[31m"), ("long name", 3, None)], title="Hooks")
    assert capsys.readouterr().out.splitlines() == [
        "Hooks",
        "feed       listed  why",
        "新浪           12  [b]\\x1b[31m",
        "long name       3",
    ]
