"""The programs that are compared: how each is set up in a folder, and what it is told to do there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from origin import PAGES, SINA, address

HERE = Path(__file__).parent
ENV = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Cost:
    """What a process and its children took: CPU seconds, seconds, and the most memory of one of them in MiB."""

    cpu: float
    wall: float
    memory: float


def run(command: list[str], folder: Path, codes: tuple[int, ...] = (0,)) -> tuple[Cost, str]:
    """Run a command to its end; what it took and printed."""
    env = ENV if command[0].startswith(str(Path(sys.executable).parent)) else {**ENV, "PYTHONPATH": ""}
    began = time.monotonic()
    with (folder / "stdout").open("w+") as out, (folder / "stderr").open("w+") as err:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        if process.returncode not in codes:
            err.seek(0)
            raise SystemExit(f"{' '.join(command)[:200]} ended with {process.returncode}:\n{err.read()[-2000:]}")
        out.seek(0)
        return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024), out.read()


@dataclass(frozen=True)
class Place:
    """Where things are: the publisher's port, how many feeds it has, the peers' interpreter."""

    port: int
    feeds: int
    python: Path

    @property
    def base(self) -> str:
        """The publisher's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def urls(self) -> list[str]:
        """The addresses of its feeds."""
        return [f"{self.base}/feed/{number}" for number in range(self.feeds)]

    def pages(self) -> str:
        """A Python expression: the addresses at which the publisher itself answers with its pages."""
        return repr([address(number).replace(f"https://{SINA}", self.base) for number in range(PAGES)])


def aggregator() -> list[str]:
    """The console script, or what it does."""
    script = Path(sysconfig.get_path("scripts")) / "aggregator"
    return [str(script)] if script.exists() else [sys.executable, "-m", "aggregator"]


_NETWORK = """archive: archive.db
network:
  contact: bench@example.org
  allow_private: [127.0.0.1]
  per_host: {{connections: 8, interval: 0}}
  connect_to: {{"{sina}": "{base}", "feed.mix.sina.com.cn": "{base}"}}
feeds:
"""


def set_up_ours(folder: Path, place: Place) -> None:
    """Three configurations: of the feeds, of the list of pages, of the roll."""
    network = _NETWORK.format(sina=SINA, base=place.base)
    row = "  - {{name: {}, source: feed, url: {}, categories: [财经, 试验, 频道]{}}}\n"
    feeds = "".join(row.format(f"feed{number}", url, "") for number, url in enumerate(place.urls))
    (folder / "config.yaml").write_text(network + feeds)
    pages = row.format("list", f"{place.base}/list.xml", ", pages: true")
    (folder / "pages.yaml").write_text(network.replace("archive.db", "pages.db") + pages)
    rolled = row.format("roll", "https://feed.mix.sina.com.cn/api/roll/get?pageid=153&lid=2516", ", pages: false")
    rolled = rolled.replace("source: feed", "source: sina-roll").replace("url: https", 'url: "https')
    (folder / "roll.yaml").write_text(network.replace("archive.db", "roll.db") + rolled.replace("2516,", '2516",'))


_READER = "from reader import make_reader; r = make_reader('{}')"


def set_up_reader(folder: Path, place: Place) -> None:
    """Two databases with the feeds, one of them with search."""
    for name, more in (("plain.db", ""), ("search.db", "r.enable_search()")):
        code = f"{_READER.format(name)}\nfor url in {place.urls!r}: r.add_feed(url)\n{more}"
        run([str(place.python), "-c", code], folder)


def set_up_newsboat(folder: Path, place: Place) -> None:
    """Its list of feeds and its configuration."""
    (folder / "urls").write_text("\n".join(place.urls) + "\n")
    (folder / "config").write_text("reload-threads 4\n")


def set_up_sfeed(folder: Path, place: Place) -> None:
    """Its configuration, a shell script."""
    rows = "".join(f'\tfeed "feed{number}" "{url}"\n' for number, url in enumerate(place.urls))
    (folder / "sfeedrc").write_text(f'sfeedpath="{folder}/feeds"\nfeeds() {{\n{rows}}}\n')


def commands(place: Place) -> dict[str, list[str]]:
    """What each program is told."""
    ours, jobs = aggregator(), [sys.executable, str(HERE / "jobs.py")]
    reader = [str(place.python), "-c"]
    pages = place.pages()
    return {
        "ours": [*ours, "fetch", "--config", "config.yaml"],
        "ours, index left": [*jobs, "unindexed", "config.yaml"],
        "ours, pages": [*ours, "fetch", "--config", "pages.yaml"],
        "ours, nothing due": [*ours, "fetch", "--due", "--config", "config.yaml"],
        "ours, version": [*ours, "--version"],
        "ours, quiet": [*jobs, "quiet", "config.yaml"],
        "ours, roll": [*jobs, "roll", "roll.yaml"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "reader": [*reader, f"{_READER.format('plain.db')}; r.update_feeds(scheduled=False)"],
        "reader + search": [
            *reader,
            f"{_READER.format('search.db')}; r.update_feeds(scheduled=False); r.update_search()",
        ],
        "reader, nothing": [str(place.python), "-m", "reader", "--db", "empty.db", "update"],
        "newsboat": ["newsboat", "-C", "config", "-u", "urls", "-c", "cache.db", "-x", "reload"],
        "sfeed": ["sfeed_update", "sfeedrc"],
        "trafilatura": [*reader, _TRAFILATURA.format(pages=pages)],
        "Scrapy": [*reader, _SCRAPY.format(pages=pages)],
    }


_TRAFILATURA = """
import urllib3, trafilatura
pool = urllib3.PoolManager()
texts = [trafilatura.extract(pool.request("GET", url).data) for url in {pages}]
assert all(texts)
"""
_SCRAPY = """
import scrapy
from scrapy.crawler import CrawlerProcess
class Spider(scrapy.Spider):
    name, start_urls, found = "bench", {pages}, []
    def parse(self, response):
        self.found.append(response.xpath('//*[@id="artibody"]').get())
process = CrawlerProcess({{"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "CONCURRENT_REQUESTS_PER_DOMAIN": 8}})
process.crawl(Spider)
process.start()
assert len(Spider.found) == 200 and all(Spider.found), len(Spider.found)
"""


def missing(place: Place) -> list[str]:
    """The peers that are not installed."""
    packages = {"reader": "reader", "reader + search": "reader", "reader, nothing": "reader"}
    packages |= {"trafilatura": "trafilatura, urllib3", "Scrapy": "scrapy"}
    lacking = [name for name, package in packages.items() if not _imports(place.python, package)]
    return lacking + [name for name, path in _BINARIES.items() if not shutil.which(path)]


_BINARIES = {"newsboat": "newsboat", "sfeed": "sfeed_update"}
SET_UP = {"ours": set_up_ours, "reader": set_up_reader, "newsboat": set_up_newsboat, "sfeed": set_up_sfeed}


def _imports(python: Path, packages: str) -> bool:
    if not python.exists():
        return False
    env = {**ENV, "PYTHONPATH": ""}
    return subprocess.run([str(python), "-c", f"import {packages}"], env=env, capture_output=True).returncode == 0
