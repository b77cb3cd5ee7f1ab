"""Documents of other programs: taken in with their bytes, written again as they were, found by what is seen later."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from world import START, Clock, Site, desk, feed, item, link, page, rss

from aggregator.archive import Reader
from aggregator.articles.imported import read_document
from aggregator.errors import ParseError
from aggregator.pipeline import poll
from aggregator.text.dates import rfc1123

ZONE = "Asia/Shanghai"


def document(title: str = "测试_标题", body: str = "<p>　　正文第一段。</p>", **front: str) -> str:
    """A document of our own in the present layout."""
    lines = {"title": f"'{title}'", "categories": "\n - 财经\n - 某站\n - 快讯", "headimg": "''", "author": "某站"}
    lines |= {"comments": "false", "date": "Thu, 14 Jul 2022 07:10:07 GMT", "thumbnail": "''"} | front
    head = "\n".join(f"{name}: {value}" for name, value in lines.items())
    return f"\n---\n{head}\n---\n\n<div>   \n{body}  \n</div>\n            "


LEGACY = (
    "---\ntitle: 旧式标题\ncategories: [财经, 某站]\ndate: 2021-03-22 08:00:00\nheadimg: /images/404.gif\n---\n正文。\n"
)
LAYOUTS = {
    "present": document(),
    "both quotes": document('它\'s "旧"事'),
    "no zone": document(date="2021-03-22 08:00:00"),
    "no date": document(date="Invalid Date"),
    "legacy": LEGACY,
    "windows": LEGACY.replace("\n", "\r\n"),
    "marked": "\ufeff" + LEGACY,
    "lines of three": document(body="<p>甲</p>\n---\n</div>\n<p>乙</p>"),
}


def run(folder: Path, *words: str, code: int = 0) -> str:
    """What the program prints, run in a folder with a configuration."""
    (folder / "config.yaml").write_text("archive: a.db\n", encoding="utf-8")
    command = [sys.executable, "-m", "aggregator", *words, "--config", str(folder / "config.yaml")]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode()


def tree(folder: Path) -> dict[str, bytes]:
    """Every document below a folder."""
    files = folder.rglob("*.md")
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in files}


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """A tree of documents in every layout."""
    folder = tmp_path / "posts"
    for number, (name, text) in enumerate(LAYOUTS.items()):
        place = folder / "财经" / "某站" / ("快讯" if number % 2 else "旧") / f"{name}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    return folder


def test_what_is_taken_in_comes_out_byte_for_byte_and_is_taken_in_once(tmp_path: Path, posts: Path) -> None:
    told = json.loads(run(tmp_path, "import", "posts", "--dry-run", "--json"))
    assert (told["imported"], (tmp_path / "a.db").exists()) == (len(LAYOUTS), False)
    told = json.loads(run(tmp_path, "import", "posts", "--json"))
    assert told == {"imported": len(LAYOUTS), "attached": 0, "known": 0, "refused": 0, "errors": []}
    run(tmp_path, "export", "--to", "out")
    assert tree(tmp_path / "out") == tree(posts)
    for form in ("--dry-run", "--json"):
        again = json.loads(run(tmp_path, "import", "posts", "--json", *[form]))
        assert (again["imported"], again["known"]) == (0, len(LAYOUTS))
    run(tmp_path, "export", "--to", "then", "--as-of", "2100-01-01")
    assert tree(tmp_path / "then") == tree(posts)
    assert "damage" not in run(tmp_path, "verify")
    assert json.loads(run(tmp_path, "renormalise", "--json"))["revised"] == 0


def test_the_corpus_comes_out_byte_for_byte(tmp_path: Path, shared: Path) -> None:
    given = {one.name: one.read_bytes() for one in (shared / "corpus/frontmatter").glob("*.md") if one.stem.islower()}
    (tmp_path / "posts").mkdir()
    for name, data in given.items():
        (tmp_path / "posts" / name).write_bytes(data)
    run(tmp_path, "import", "posts")
    run(tmp_path, "export", "--to", "out")
    assert tree(tmp_path / "out") == given
    print(f"documents out as they came in: {len(given)}/{len(given)}")


def test_what_an_export_wrote_is_no_news(tmp_path: Path, posts: Path) -> None:
    run(tmp_path, "import", "posts")
    run(tmp_path, "export", "--to", "out")
    assert json.loads(run(tmp_path, "import", "out", "--json"))["known"] == len(LAYOUTS)


def test_what_is_no_document_is_told_and_the_others_are_taken_in(tmp_path: Path, posts: Path) -> None:
    for name, data in {"a.md": b"# Notes", "b.md": b"\xff\xfe", "c.md": b"---\ndate: 1\n---\n"}.items():
        (posts / name).write_bytes(data)
    told = json.loads(run(tmp_path, "import", "posts", "--json", code=1))
    assert (told["imported"], told["refused"]) == (len(LAYOUTS), 3)
    assert all(str(posts / name) in "".join(told["errors"]) or name in "".join(told["errors"]) for name in ("a.md",))


@pytest.mark.parametrize(("name", "date"), [("present", True), ("no zone", True), ("no date", False), ("legacy", True)])
def test_every_layout_is_read(name: str, *, date: bool) -> None:
    read = read_document(LAYOUTS[name].encode(), name, ZONE)
    assert (read.date is not None, bool(read.title), "正文" in read.body) == (date, True, True)
    assert read.text == LAYOUTS[name]
    if name == "no zone":
        assert read.date == datetime(2021, 3, 22, tzinfo=UTC)


def test_a_title_no_yaml_reader_takes_is_read_line_by_line() -> None:
    assert read_document(LAYOUTS["both quotes"].encode(), "x", ZONE).title == '它\'s "旧"事'
    assert read_document(LAYOUTS["lines of three"].encode(), "x", ZONE).body == "<p>甲</p>\n---\n</div>\n<p>乙</p>"
    with pytest.raises(ParseError, match="no front-matter document"):
        read_document(b"x", "x", ZONE)


WIRE = feed()
LATER = datetime(2127, 1, 1, tzinfo=UTC)  # than the program's own clock, by which documents are taken in


def polled(path: Path, site: Site) -> None:
    async def work() -> None:
        async with desk(path / "a.db", site, WIRE) as one:
            await poll(one, replace(WIRE))

    asyncio.run(work())


def words(path: Path) -> str:
    """The body of the article of item 1, as the archive has it."""
    with Reader(path / "a.db") as reader:
        return str(next(iter(reader.articles()))["body"])


def test_a_live_sighting_attaches_and_the_document_stays(tmp_path: Path) -> None:
    site = Site(Clock(), {WIRE.url: rss(item(1)), link(1): page(1)})
    (tmp_path / "live").mkdir()
    polled(tmp_path / "live", site)
    text = document("第1号快讯", words(tmp_path / "live"), date=rfc1123(START))
    (tmp_path / "one.md").write_text(text, encoding="utf-8")
    run(tmp_path, "import", "one.md")
    site.clock.at = LATER
    polled(tmp_path, site)
    with Reader(tmp_path / "a.db") as reader:
        row = reader.article(f"url:{link(1)}")
        assert row is not None
        assert (reader.totals()["articles"], reader.totals()["pending"]) == (1, 0)
        assert (row["revision"], row["document"]) == (1, text)
        assert [str(one["feed"]) for one in row["sightings"]] == ["imported", "wire"]  # type: ignore[attr-defined]


def test_a_live_text_that_differs_is_a_version_and_overwrites_nothing(tmp_path: Path) -> None:
    text = document("第1号快讯", "<p>另一份正文，与网页上的不同。</p>", date=rfc1123(START))
    (tmp_path / "one.md").write_text(text, encoding="utf-8")
    run(tmp_path, "import", "one.md")
    polled(tmp_path, Site(Clock(LATER), {WIRE.url: rss(item(1)), link(1): page(1)}))
    with Reader(tmp_path / "a.db") as reader:
        causes = [one.cause for one in reader.revisions()]
        row, first = reader.article(f"url:{link(1)}"), reader.article(f"url:{link(1)}", n=1)
    assert causes == ["imported", "changed"]
    assert row is not None
    assert row["categories"] == ["财经", "某站", "快讯"]
    assert first is not None
    assert first["document"] == text


def test_a_document_of_an_archived_article_is_a_sighting_of_it(tmp_path: Path) -> None:
    site = Site(Clock(), {WIRE.url: rss(item(1)), link(1): page(1)})
    polled(tmp_path, site)
    (tmp_path / "one.md").write_text(document("第1号快讯", words(tmp_path), date=rfc1123(START)), encoding="utf-8")
    for wanted in ("attached", "known"):
        assert json.loads(run(tmp_path, "import", "one.md", "--json"))[wanted] == 1
    with Reader(tmp_path / "a.db") as reader:
        assert (reader.totals()["articles"], reader.totals()["sightings"]) == (1, 2)


@pytest.mark.parametrize("other", [{"title": "第2号快讯"}, {"date": "Thu, 14 Jul 2022 07:10:08 GMT"}])
def test_another_title_or_second_is_another_article(tmp_path: Path, other: dict[str, str]) -> None:
    given = {"title": "第1号快讯", "date": rfc1123(START)} | other
    (tmp_path / "one.md").write_text(document(**given), encoding="utf-8")
    run(tmp_path, "import", "one.md")
    polled(tmp_path, Site(Clock(LATER), {WIRE.url: rss(item(1)), link(1): page(1)}))
    with Reader(tmp_path / "a.db") as reader:
        assert reader.totals()["articles"] == 2


def test_a_script_in_a_document_reaches_no_page_of_ours(tmp_path: Path) -> None:
    text = document(body='<p onclick="x()">正文</p><script>alert(1)</script>')
    (tmp_path / "one.md").write_text(text, encoding="utf-8")
    run(tmp_path, "import", "one.md")
    assert words(tmp_path) == "<p>正文</p>"
    run(tmp_path, "export", "--to", "out")
    assert list(tree(tmp_path / "out").values()) == [text.encode()]
