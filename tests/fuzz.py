"""A bounded fuzz run over what strangers send: listings of every kind, and articles' pages.

``python tests/fuzz.py --seconds 60 [--seed N] [--out DIR]`` mutates the corpora (and a few texts of its own) and prints
how many inputs were tried, which errors the program gave, and the slowest input. Any exception that is no
``AggregatorError``, and any input that takes more than 5 s of CPU, is a failure: its input is saved and the exit code
is 1. ``python tests/fuzz.py FILE...`` tries saved inputs again. With ``--guided`` atheris, which must be installed,
chooses the mutations by the code they reach.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, FunctionType

from mutations import LARGEST, OWN, mutated

from aggregator.articles.compose import compose, from_entry, merged
from aggregator.articles.extract import extract
from aggregator.cli.inspecting import article_json, listing_json
from aggregator.errors import AggregatorError
from aggregator.identity.fingerprint import fingerprint
from aggregator.identity.keys import key_of_url, keys_of
from aggregator.model import Article, Entry, Page, Pending
from aggregator.sources import SOURCES, sniff

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LIMIT = 5.0  # seconds of CPU for one input
KINDS = ("listing", "roll", "page", "sina")
_TYPES = ("", "text/xml", "application/json", "text/html; charset=gbk", "text/xml; charset=utf-16", "x; charset=big5")
_SINA = "https://finance.sina.com.cn/china/2022-07-14/doc-i{}.shtml"


class TooSlow(BaseException):  # no Exception: the parsers turn those into errors of theirs
    """One input took more than its share."""


@dataclass
class Tally:
    """What a run came to. ``failures`` maps where it went wrong to the saved input."""

    executions: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    failures: dict[str, Path] = field(default_factory=dict)
    slowest: tuple[float, str, bytes] = (0.0, "", b"")


Judge = Callable[[str, bytes], None]


def judge(kind: str, data: bytes) -> None:
    """Do with an input all that the program does with it. Raises ``AggregatorError``, or what is a bug."""
    content_type = _TYPES[len(data) % len(_TYPES)]
    if kind in ("listing", "roll"):
        _listing(kind, Page("http://x.example/f", "http://x.example/f", 200, {"content-type": content_type}, data, NOW))
    else:
        found = data.partition(b"doc-i")[2][:14].decode("ascii", "ignore") or "mizirav3382651"
        url = _SINA.format(found) if kind == "sina" else "https://site.example/news/1.html"
        _article(Page(url, url, 200, {"content-type": content_type}, data, NOW))


def _listing(kind: str, page: Page) -> None:
    sniff(page)
    source = SOURCES["sina-roll" if kind == "roll" else "feed"]
    assert len(source.digest(page)) == 64
    listing = source.parse(page, "Asia/Shanghai")
    json.dumps(listing_json(listing), ensure_ascii=False, allow_nan=False).encode()
    keys = keys_of("f", listing.entries)
    assert all(keys)
    for key in (key for some in keys for key in some):
        key.encode()
    for entry in listing.entries[:3]:
        _document(merged(from_entry(entry, page.url), entry), entry)
    for entry in listing.entries:
        texts = (entry.original, entry.published_text, entry.author, entry.media, entry.id, entry.link)
        assert isinstance(entry.raw, bytes)
        "".join(text or "" for text in texts).encode()


def _article(page: Page) -> None:
    entry = Entry(None, page.url, "", published=None)
    article = merged(extract(page), entry)
    json.dumps(article_json(article, page.url, None), ensure_ascii=False).encode()
    _document(article, entry)


def _document(article: Article, entry: Entry) -> None:
    task = Pending(1, key_of_url(entry.link or "x"), entry, "f", ("甲", "乙", "丙"), NOW)
    compose(task, article, "picsum", fingerprint(article.text), None).document.encode()


def seeds(shared: Path) -> list[tuple[str, bytes]]:
    """What is mutated: our own small texts, and the corpora where they are."""
    found = list(OWN)
    for file in sorted((shared / "corpus").rglob("*.*")) if shared.is_dir() else ():
        kind = _kind(file)
        if kind:
            data = file.read_bytes()
            found.append((kind, gzip.decompress(data) if file.suffix == ".gz" else data))
    return [(kind, data) for kind, data in found if data and len(data) <= LARGEST]


def _kind(file: Path) -> str | None:
    if file.suffix in (".html", ".gz"):
        return "sina" if "doc-i" in file.name else "page"
    if "xss" in file.parts or file.name.startswith(("manifest", "ground-truth")):
        return None
    return "listing" if file.suffix in (".xml", ".json") else None


def attempt(tally: Tally, kind: str, data: bytes, out: Path, judged: Judge = judge, limit: float = LIMIT) -> None:
    """Try one input and note what came of it."""
    running = out / f"{kind}-running"  # so that what kills the process is not lost
    running.write_bytes(data)
    started = time.process_time()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        left = limit - (time.process_time() - started)
        if left <= 0:
            raise TooSlow("stopped")
        signal.setitimer(signal.ITIMER_PROF, left)  # the kernel's timer counts in ticks, and was early by some

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        judged(kind, data)
        tally.errors["none"] += 1
    except AggregatorError as error:
        tally.errors[f"{type(error).__name__} {error.kind}"] += 1
    except (Exception, TooSlow) as error:
        _failed(tally, error, kind, data, out)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - started
    tally.executions += 1
    if seconds > limit and not any(name.startswith("TooSlow") for name in tally.failures):
        _failed(tally, TooSlow(f"{seconds:.1f} s"), kind, data, out)
    if seconds > tally.slowest[0]:
        tally.slowest = (seconds, kind, data)


def _failed(tally: Tally, error: BaseException, kind: str, data: bytes, out: Path) -> None:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "fuzz.py" not in frame.filename]
    ours = [frame for frame in frames if f"{os.sep}aggregator{os.sep}" in frame.filename] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "its result"
    name = f"{type(error).__name__} in {where}"
    tally.errors[name] += 1
    if name not in tally.failures:
        saved = out / f"{kind}-{hashlib.sha256(data).hexdigest()[:12]}"
        saved.write_bytes(data)
        tally.failures[name] = saved
        print(f"FAILURE {name}, saved as {saved}", file=sys.stderr)
        traceback.print_exception(error)


def run(seconds: float, seed: int, out: Path, corpus: Sequence[tuple[str, bytes]], judged: Judge = judge) -> Tally:
    """Fuzz for so long."""
    rng, tally = random.Random(seed), Tally()
    by_kind = {kind: [one for one in corpus if one[0] == kind] for kind in KINDS}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        kind, data = rng.choice(by_kind[rng.choice(("listing", "listing", "roll", "page", "sina"))])
        attempt(tally, kind, mutated(rng, data, corpus), out, judged)
    return tally


def guided(seconds: float, seed: int, out: Path, corpus: Sequence[tuple[str, bytes]]) -> None:
    """The same by atheris, which ends the process itself: 0 when nothing was found."""
    import atheris

    tally = Tally()
    folder = out / "seeds"
    folder.mkdir(exist_ok=True)
    for kind, data in corpus:
        if len(data) < 20_000:
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(bytes([KINDS.index(kind)]) + data)

    def target(data: bytes) -> None:
        if data:
            attempt(tally, KINDS[data[0] % len(KINDS)], data[1:], out)
        if tally.executions % 1_000 == 0 or tally.failures:
            print("\n".join(report(tally, out)), file=sys.stderr)
        if tally.failures:
            os._exit(1)

    for function in _functions():
        atheris.instrument_func(function)
    arguments = [sys.argv[0], str(folder), f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=50000"]
    atheris.Setup([*arguments, "-timeout=30", "-rss_limit_mb=4000", "-print_final_stats=1"], target)
    atheris.Fuzz()


def _functions() -> Iterator[FunctionType]:
    """The functions of ours and of feedparser: whose reach guides."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("aggregator", "feedparser"):
            for one in vars(module).values():
                members = vars(one).values() if isinstance(one, type) and one.__module__ == name else (one,)
                yield from (each for each in members if isinstance(each, FunctionType) and each.__module__ == name)


def report(tally: Tally, out: Path) -> Iterator[str]:
    """What a run is to tell, line by line; the slowest input is saved beside the failures."""
    yield f"{tally.executions} inputs, {len(tally.failures)} failures"
    yield from (f"{count:8} {name}" for name, count in tally.errors.most_common())
    seconds, kind, data = tally.slowest
    if kind:
        place = out / f"{kind}-slowest"
        place.write_bytes(data)
        yield f"slowest: {seconds:.2f} s, {kind} of {len(data)} bytes, saved as {place}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz"))
    parser.add_argument("--guided", action="store_true")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    corpus = seeds((ROOT / os.environ.get("AGGREGATOR_SHARED", "../shared")).resolve())
    tally = Tally()
    for file in given.files:
        attempt(tally, file.name.partition("-")[0], file.read_bytes(), given.out)
    if given.guided:
        guided(given.seconds, given.seed, given.out, corpus)
    if not given.files:
        tally = run(given.seconds, given.seed, given.out, corpus)
    for running in given.out.glob("*-running"):
        running.unlink()
    print("\n".join(report(tally, given.out)))
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
