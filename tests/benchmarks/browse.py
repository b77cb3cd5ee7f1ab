"""What each page costs the server, beside stock Datasette's table page of the same archive, and as the archive grows.

    python tests/benchmarks/browse.py [--sizes 10000 100000] [--rounds 15] [--dir DIR] [--only TEXT]

Makes an archive of each size (``newspaper.py``) and serves it by ``aggregator browse`` and, without any plugin, by
``datasette archive.db``; asks all pages of all servers in turn, round by round, and counts the CPU time of the server's
process for each, all its threads included. Printed are the medians. The measure is stock's page of the table
``articles``, its first 20 rows in all 16 columns, as it comes (``?_size=20``) and without what it adds to the rows: no
count, no facets, no suggestions of facets (``lean``). Exits with 1 where in the largest archive a page of ours costs
more than 3 times the lean one, the front page more than twice, or a page more than 1.5 times what it costs in the
smallest. That growth is told and not bounded of what has more to show in the larger one: of words in a fifth of all
articles 2,000 hits of 10,000 are ranked in the one, and 10,000 of 20,000 in the other (by time or as first seen they
are bounded); the table counts all 20,000; and 10,000 articles are not yet the month that the coverage is of.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import quote

from newspaper import EVERYWHERE, RARE, make

from aggregator.archive.opening import open_writer

MOST, FRONT, GROWTH = 3.0, 2.0, 1.5  # times
# What has more to show in a larger archive.
_RANKED = ("央行", "央行, page 2", "央行, of two media", "a phrase", "two phrases")
MORE = {*(f"search: {words}" for words in _RANKED), "query search", "table articles, searched", "query coverage"}
_STOCK = "/archive/articles?_size=20"
LEAN = f"{_STOCK}&_nocount=1&_nofacet=1&_nosuggest=1"


def searches() -> Iterator[tuple[str, str]]:
    """Searches by name: frequent words and rare ones, in each order, narrowed, further on, as of an instant."""
    queries = {
        "央行": "q=央行",
        "央行, page 2": "q=央行&page=2",
        "央行, by time": "q=央行&sort=time",
        "央行, as first seen": "q=央行&sort=seen",
        "央行, of two media": "q=央行&media=京日报&media=沪晚报",
        "央行, as of yesterday": "q=央行&as_of={day}",
        "a phrase": "q=数字经济",
        "two phrases": "q=数字经济 LPR报价",
        "in every article": f"q={EVERYWHERE}",
        "in every article, by time": f"q={EVERYWHERE}&sort=time",
        "in 200 articles": f"q={RARE}",
        "in none": "q=航母下水",
        "of a stock": "symbol=sh600519",
        "without words": "",
    }
    for name, query in queries.items():
        yield f"search: {name}", f"/archive/-/search?{quote(query, safe='=&{}')}"


def pages() -> dict[str, str]:
    """The pages by name. ``{last}`` is an article's number, ``{day}`` a day that is archived whole."""
    known = {
        "front page": "/",
        "front page of a feed and an hour": f"/archive/-/news?hour=9&feed={quote('财经第3频道')}",
        "article": "/archive/articles/{last}",
        "comparison": "/archive/-/diff/{last}",
        **dict(searches()),
        "figures": "/archive/-/figures",
        "feeds": "/archive/-/feeds",
        "feed": f"/archive/-/feeds/{quote('财经第3频道')}",
        "feed as Atom": f"/archive/feed/{quote('财经第3频道')}.atom",
        "search as Atom": f"/archive/feed.atom?q={quote('央行')}",
        "20 articles as JSON": "/archive/-/articles.json?limit=20",
        "document": "/archive/-/document/url:https://wire.example/news/{last}.html.md",
        "stored page": "/archive/-/page/{last}",
        "the database": "/archive",
    }
    tables = ("articles", "revisions", "entries", "feeds", "polls", "pages", "symbols", "links", "v1_articles")
    known |= {f"table {name}, 20 rows": f"/archive/{name}?_size=20" for name in tables}
    known["table articles, searched"] = f"/archive/articles?_size=20&_search={quote('央行')}"
    asked = {"by_symbol": "?symbol=sh600519", "search": f"?q={quote('央行')}", "as_of": "?as_of={day}"}
    asked["by_day"] = "?day={day}"
    names = ("latest", "by_day", "by_symbol", "search", "as_of", "reprints", "edited", "gone", "feed_health")
    known |= {f"query {name}": f"/archive/{name}{asked.get(name, '')}" for name in (*names, "coverage")}
    return known


class Server:
    """A server of an archive in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port
        # The clock of another process's CPU time (clock_getcpuclockid(3)): its number, inverted, and which clock.
        self.clock = ~process.pid << 3 | 2

    def cost(self, address: str) -> float:
        """Seconds of CPU of the answer to a request.

        Raises:
            AssertionError: it was no good one.
        """
        began = time.clock_gettime(self.clock)
        with_body = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        with_body.request("GET", address, headers={"accept-language": "zh-CN"})
        answer = with_body.getresponse()
        assert answer.read() or answer.status == 200
        assert answer.status == 200, (address, answer.status)
        with_body.close()
        return time.clock_gettime(self.clock) - began

    def ready(self) -> None:
        """Wait until it answers."""
        while True:
            assert self.process.poll() is None, "the server ended"
            try:
                self.cost("/-/versions.json")
            except ConnectionError:
                time.sleep(0.05)  # between two tries: it says nothing when it begins to listen
            else:
                return


@contextmanager
def served(archive: Path, *, stock: bool) -> Iterator[Server]:
    """The archive, served by stock Datasette or by us."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = archive.with_name("config.yaml")
    config.write_text(f"archive: {archive.name}\nfeeds: []\n", encoding="utf-8")
    ours = ["aggregator", "browse", "--config", str(config)]
    command = [sys.executable, "-m", *(["datasette", "serve", str(archive)] if stock else ours), "--port", str(port)]
    environment = os.environ | ({"DATASETTE_LOAD_PLUGINS": ""} if stock else {})
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server = Server(process, port)
        server.ready()
        yield server
    finally:
        process.terminate()
        process.wait()


def measured(folder: Path, sizes: Sequence[int], rounds: int, only: str) -> dict[str, list[float]]:
    """The median CPU seconds of each page, in each archive."""
    taken: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    wanted = {name: address for name, address in pages().items() if only in name}
    with ExitStack() as stack:
        servers = {}
        for size in sizes:
            archive = folder / str(size) / "archive.db"
            servers[size] = [stack.enter_context(served(archive, stock=stock)) for stock in (True, False)]
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 40 * 3600))
        for turn in range(rounds + 1):
            for size, (stock, ours) in servers.items():
                costs = {name: stock.cost(address) for name, address in (("stock", _STOCK), ("lean", LEAN))}
                for name, address in wanted.items():
                    costs[name] = ours.cost(address.replace("{last}", str(size - 20)).replace("{day}", day))
                for name, cost in costs.items():
                    taken[name, size] += [cost] if turn else []  # the first round warms up
    return {name: [median(taken[name, size]) for size in sizes] for name in ("stock", "lean", *wanted)}


def told(costs: dict[str, list[float]], sizes: Sequence[int]) -> bool:
    """Print each page's cost, its ratio to stock's page, and its growth; whether all stay within the bounds."""
    good = True
    print(f"{'CPU ms':42} {'  '.join(f'{size:>8}' for size in sizes)}  x stock  x lean  growth")
    for name, each in costs.items():
        ratio, growth = each[-1] / costs["lean"][-1], each[-1] / each[0]
        within = ratio <= (FRONT if name == "front page" else MOST) and (growth <= GROWTH or name in MORE)
        within |= name in ("stock", "lean")
        good &= within
        shown = "  ".join(f"{cost * 1e3:8.1f}" for cost in each)
        stock = each[-1] / costs["stock"][-1]
        verdict = ("" if within else " BAD") + (" +" if name in MORE else "")
        print(f"{name:42} {shown}  {stock:7.2f} {ratio:7.2f} {growth:7.2f}{verdict}")
    bounds = f"at most {MOST} x lean, the front page {FRONT}, growth {GROWTH} (but of +)"
    print(f"{bounds}: {'good' if good else 'BAD'}")
    return good


def main() -> int:
    """0 where every page stays within the bounds."""
    parser = argparse.ArgumentParser(description="what pages cost")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--dir", type=Path, help="where archives are made and kept for the next run; else nowhere")
    parser.add_argument("--only", default="", help="pages whose names have this")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="browse-") as temporary:
        folder = asked.dir or Path(temporary)
        for size in asked.sizes:
            archive = folder / str(size) / "archive.db"
            archive.parent.mkdir(parents=True, exist_ok=True)
            if not archive.exists():
                make(archive, size)
            open_writer(archive).close()  # brings one that an earlier version made forward
        return 0 if told(measured(folder, asked.sizes, asked.rounds, asked.only), asked.sizes) else 1


if __name__ == "__main__":
    sys.exit(main())
