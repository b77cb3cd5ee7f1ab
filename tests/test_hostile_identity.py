"""Names that are shared, reused, missing or never the same twice: ids D4 and D5 of the catalogue of hostile inputs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hostile import Verdict, attack
from hypothesis import example, given
from hypothesis import strategies as st
from sqlite_utils import Database
from web_server import Answer, Asked, reply
from world import START, Clock, Site, desk, feed

from aggregator.archive import Reader
from aggregator.identity.keys import key_of_url, keys_of, keys_of_url
from aggregator.model import Entry
from aggregator.pipeline import discover
from aggregator.text.dates import rfc1123
from aggregator.text.urls import absolute, canonical

WORDS = "央行今日开展公开市场操作，市场流动性保持合理充裕，分析人士认为利率走势平稳。" * 8
AT = rfc1123(START)


def item(title: str, *, guid: object = None, link: str | None = None, text: str = "", at: str = "") -> str:
    """An RSS item with only what is given."""
    parts = {"guid": guid, "link": link and link.replace("&", "&amp;"), "content:encoded": text, "pubDate": at}
    return f"<item><title>{title}</title>{''.join(f'<{k}>{v}</{k}>' for k, v in parts.items() if v)}</item>"


def rss(items: Iterable[str]) -> bytes:
    return f'<rss version="2.0"><channel><title>电讯</title>{"".join(items)}</channel></rss>'.encode()


def each_poll(body: Callable[[int], Iterable[str]]) -> Callable[[Asked], Answer]:
    """A listing that is another one at every poll, numbered from 0."""
    polls = count()
    return lambda _: reply(200, rss(body(next(polls))), Content_Type="text/xml")


def polled(folder: Path, polls: int, body: Callable[[int], Iterable[str]], pages: str = "auto") -> Verdict:
    return attack(folder, each_poll(body), polls=polls, feed=f"pages: {pages}")


def archived(verdict: Verdict) -> list[object]:
    """Titles of the articles the attack made, those with a document."""
    return [row["title"] for row in verdict.articles if row["document"] and not str(row["title"]).startswith("bad")]


def versions(folder: Path) -> list[tuple[object, ...]]:
    """Article, number and title of every revision but those of the two honest feeds' own."""
    db = Database(folder / "archive.db")
    rows = db.execute("SELECT article, n, title FROM revisions WHERE title NOT LIKE 'bad%' AND title NOT LIKE 'good%'")
    found = rows.fetchall()
    db.close()
    return found


def test_d4_the_same_item_twice_is_one_article(tmp_path: Path) -> None:
    twice = [item("甲", guid="g", link="http://bad.example/news/3", text=WORDS)] * 2
    verdict = polled(tmp_path, 3, lambda n: [*twice, item(f"新{n}", guid=f"n{n}", text=WORDS)])
    assert archived(verdict) == ["甲", "新0", "新1", "新2"]
    assert len(verdict.entries) == 4


@pytest.mark.parametrize("link", [None, "http://bad.example/news/3"])
def test_d4_one_guid_with_two_texts_in_one_listing_is_two_articles(tmp_path: Path, link: str | None) -> None:
    both = [item("甲", guid="g", link=link, text=WORDS), item("乙", guid="g", link=link, text=WORDS + "完")]
    verdict = polled(tmp_path, 4, lambda n: [*both[n == 2 :], item(f"新{n}", guid=f"n{n}", text=WORDS)])
    assert archived(verdict) == ["甲", "乙", "新0", "新1", "新2", "新3"]
    assert len(verdict.entries) == 6  # also when one of the two is left out once


def test_d4_a_guid_reused_with_new_content_makes_revisions(tmp_path: Path) -> None:
    verdict = polled(tmp_path, 3, lambda n: [item(f"第{n}版", guid="g", text=WORDS + str(n))])
    assert archived(verdict) == ["第2版"]
    assert [row[1:] for row in versions(tmp_path)] == [(1, "第0版"), (2, "第1版"), (3, "第2版")]


def test_d4_the_same_guid_in_two_feeds_is_two_articles(tmp_path: Path) -> None:
    verdict = polled(tmp_path, 1, lambda n: [item("甲", guid="good-3", text=WORDS), item("乙", guid="good-1")], "false")
    assert archived(verdict) == ["甲", "乙"]
    with Reader(tmp_path / "archive.db") as reader:
        assert [row["title"] for row in reader.articles() if row["feed"] == "good"] == ["good1", "good2", "good3"]


def test_d4_neither_guid_nor_link(tmp_path: Path) -> None:
    verdict = polled(tmp_path, 3, lambda n: [item(f"快讯{i}", text=f"{i}{WORDS}") for i in range(n + 1)])
    assert archived(verdict) == ["快讯0", "快讯1", "快讯2"]
    assert len(verdict.entries) == 3


POLLS = 10


@pytest.mark.parametrize(
    "made",
    [
        lambda n: item("甲", guid=f"g{n}", text=WORDS),
        lambda n: item("甲", guid=f"g{n}", link="http://bad.example/news/3"),
        lambda n: item("甲", guid=f"g{n}", link=f"http://bad.example/{n}", at=AT),
        lambda n: item("甲", guid=f"http://bad.example/{n}", text=WORDS, at=AT),
        lambda n: item("甲", guid="g", link=f"http://bad.example/{n}", text=WORDS),
        lambda n: item("甲", link=f"http://bad.example/news/3?sid={n}", at=AT),
    ],
    ids=["guid", "guid beside a link", "guid and link", "guid that is the link", "link", "link and no guid"],
)
def test_d4_names_that_change_at_every_poll_do_not_flood(tmp_path: Path, made: Callable[[int], str]) -> None:
    verdict = polled(tmp_path, POLLS, lambda n: [made(n), item(f"新{n}", guid=f"n{n}", text=WORDS, at=AT)])
    assert sorted(map(str, archived(verdict))) == sorted(["甲", *(f"新{n}" for n in range(POLLS))])
    of_it = [row for row in verdict.entries if row["title"] == "甲"]
    assert 1 <= len(of_it) <= 6  # another link is noted five times


def test_d4_items_that_only_share_their_words_stay_apart(tmp_path: Path) -> None:
    # No date, other guids, other links: nothing says that this is one report and not the daily one of the same words.
    verdict = polled(
        tmp_path, 3, lambda n: [item("早报", guid=f"g{n}", link=f"http://bad.example/news/3?day={n}")], "false"
    )
    assert archived(verdict) == ["早报"] * 3


def listed(n: int, count: int = 8, text: str = WORDS) -> list[str]:
    """A listing whose guids, links and dates are all of the ``n``-th poll, and whose words are always the same."""
    day = rfc1123(START - timedelta(hours=n))
    return [
        item(f"报道{i}", guid=f"g{n}-{i}", link=f"http://bad.example/{n}/{i}", text=f"{i}{text}", at=day)
        for i in range(count)
    ]


def ids_changed(folder: Path) -> list[object]:
    db = Database(folder / "archive.db")
    found = [row[0] for row in db.execute("SELECT message FROM events WHERE kind = 'ids_changed'")]
    db.close()
    return found


def test_d4_a_feed_whose_ids_dates_and_links_all_change_does_not_flood_and_says_so(tmp_path: Path) -> None:
    verdict = polled(tmp_path, POLLS, lambda n: [*listed(n), item(f"新{n}", guid=f"n{n}", text=f"{n}{WORDS}", at=AT)])
    assert sorted(map(str, archived(verdict))) == sorted(
        [*(f"报道{i}" for i in range(8)), *(f"新{n}" for n in range(POLLS))]
    )
    assert len(verdict.entries) <= 8 * 6 + POLLS  # each is noted a few times
    assert ids_changed(tmp_path) == ["the list of bad: 8 of 9 entries are known articles under new ids"]
    assert {row[1] for row in versions(tmp_path)} == {1}
    with Reader(tmp_path / "archive.db") as reader:
        (row,) = (row for row in reader.feeds() if row["name"] == "bad")
        found = reader.article("url:https://bad.example/1/3")
    assert row["ids_changed"]
    assert found is not None
    assert found["title"] == "报道3"


def test_d4_a_feed_that_is_rebuilt_once_goes_on_under_its_new_ids(tmp_path: Path) -> None:
    verdict = polled(tmp_path, 4, lambda n: [*listed(min(n, 1)), item(f"新{n}", guid=f"n{n}", text=WORDS, at=AT)])
    assert len(archived(verdict)) == 8 + 4
    assert len(verdict.entries) == 8 * 2 + 4
    assert len(ids_changed(tmp_path)) == 1


def test_d4_columns_with_the_same_words_every_day_stay_apart(tmp_path: Path) -> None:
    # Two of ten are new by name each day and say what those of the day before said; the other eight are as they were.
    verdict = polled(tmp_path, 3, lambda n: [*listed(n, 2, WORDS * 2), *listed(9)])
    assert len(archived(verdict)) == 8 + 3 * 2
    assert ids_changed(tmp_path) == []


def test_d4_new_ids_under_titles_alone_are_new_articles(tmp_path: Path) -> None:
    verdict = polled(
        tmp_path, 3, lambda n: [re.sub("<content.*?</content:encoded>", "", one) for one in listed(n)], "false"
    )
    assert len(archived(verdict)) == 3 * 8
    assert ids_changed(tmp_path) == []


@pytest.mark.parametrize(
    ("made", "listed", "articles"),
    [
        (lambda n: item(f"第{n}条", guid=1), 10_000, 10_000),
        (lambda n: item("同一条", guid=1, link="http://wire.example/1"), 10_000, 1),
        (lambda n: item(f"第{n}条", guid=1, link=f"http://wire.example/{n}"), 500, 500),
        (lambda n: item(f"第{n}条", guid=1, link="http://wire.example/"), 500, 500),
        (lambda n: item(f"第{n}条", link=f"http://wire.example/log#{n}"), 500, 500),
    ],
    ids=["no links", "one and the same", "other links", "one link", "one link and no guid"],
)
def test_d4_thousands_of_items_with_one_guid(
    tmp_path: Path, made: Callable[[int], str], listed: int, articles: int
) -> None:
    wire, site = feed(), Site(Clock())

    async def run() -> list[tuple[int, int]]:
        found = []
        async with desk(tmp_path / "a.db", site, wire) as one:
            for extra in range(2):
                site.answers[wire.url] = rss([*map(made, range(listed)), item(f"新{extra}", guid=f"n{extra}")])
                report = await discover(one, wire)
                found.append((report.listed, report.new))
        return found

    assert asyncio.run(run()) == [(listed + 1, articles + 1), (listed + 1, 1)]
    with Reader(tmp_path / "a.db") as reader:
        assert reader.totals()["sightings"] == articles + 2


VARIANTS = (
    *("http://bad.example/news/%e4%b8%ad/3", "https://bad.example/news/%E4%B8%AD/3", "https://BAD.example/news/中/3"),
    *("http://bad.example:80/news/%E4%B8%AD/3/", "http://bad.example/news/%E4%B8%AD/3?utm_source=rss&utm_medium=feed"),
    *("http://bad.example/news/%E4%B8%AD/3#comments", "http://bad.example/news/%E4%B8%AD/3?from=wap&spm=1.2"),
)


def test_d5_all_spellings_of_an_address_in_one_listing_are_one_article(tmp_path: Path) -> None:
    verdict = polled(
        tmp_path,
        2,
        lambda n: [*(item("甲", guid=url.partition("#")[0], link=url) for url in VARIANTS), item(f"新{n}")],
        "false",
    )
    assert archived(verdict) == ["甲", "新0", "新1"]
    assert {row["link"] for row in verdict.entries} >= {url for url in VARIANTS[:6] if "中" not in url}
    with Reader(tmp_path / "archive.db") as reader:
        assert {row["title"] for url in VARIANTS if (row := reader.article(*keys_of_url(url)))} == {"甲"}
        assert all(reader.article(*keys_of_url(url)) for url in VARIANTS)


@pytest.mark.parametrize("order", [VARIANTS, VARIANTS[::-1]])
def test_d5_spellings_that_come_one_by_one_are_one_article(tmp_path: Path, order: tuple[str, ...]) -> None:
    polls = len(order)
    verdict = polled(tmp_path, polls, lambda n: [item("甲", guid=order[n], link=order[n])], "false")
    assert archived(verdict) == ["甲"]
    assert len(versions(tmp_path)) == 1
    assert {row["link"] for row in verdict.entries} <= {absolute(url, None) for url in order}
    assert len(verdict.entries) == 6


SINA = (
    *("https://finance.sina.com.cn/china/2022-07-14/doc-imizirav3382651.shtml", "comos:mizirav3382651"),
    *(
        "http://finance.sina.cn/2022-07-14/detail-imizirav3382651.d.html?from=wap",
        "https://k.sina.cn/zl-imizirav3382651.shtml",
    ),
    *("http://tech.sina.com.cn/roll/2022-07-14/doc-imizirav3382651.shtml?cre=tianyi&mod=pchp", ""),
)


def test_d5_sinas_desktop_and_mobile_addresses_are_one_article() -> None:
    entries = [Entry(None, url, "甲") for url in SINA if url.startswith("http")]
    entries += [Entry("comos:mizirav3382651", None, "乙")]
    assert {keys[0] for keys in keys_of("f", entries)} == {"sina:comos:mizirav3382651"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://x.example/a%2Fb", "https://x.example/a/b"),  # an encoded slash is none (RFC 3986 section 2.2)
        ("https://x.example/a?id=1", "https://x.example/a?id=2"),
        ("https://x.example/A", "https://x.example/a"),
        ("https://x.example/?p=1", "https://x.example/?p=2"),
        ("https://x.example:8443/a", "https://x.example/a"),
        ("https://www.com/", "https://com/"),
    ],
)
def test_d5_addresses_that_only_look_alike_stay_apart(one: str, other: str) -> None:
    assert not set(keys_of_url(one)) & set(keys_of_url(other))


def test_d5_a_slash_at_the_end_names_the_same() -> None:
    assert list(keys_of_url("https://x.example/a/")) == ["url:https://x.example/a/", "url:https://x.example/a"]
    assert list(keys_of_url("https://x.example/a")) == ["url:https://x.example/a"]
    assert (
        list(keys_of_url("https://x.example")) == ["url:https://x.example/"] == list(keys_of_url("https://x.example/"))
    )


# -- properties -------------------------------------------------------------------------------------------------------

_PIECES = (
    *(
        "http://",
        "https://",
        "HTTP:",
        "//",
        "www.",
        "WWW.",
        "finance.sina.com.cn",
        "sina.cn",
        "x.example",
        "[::1]",
        "[",
    ),
    *(":80", ":443", ":8080", ":99999", "user:pw@", "/", "//", "/a", "..", "%2f", "%2F", "%41", "%e4%b8%ad", "中", "%"),
    *("%zz", "?", "#", "&", "=", "utm_source=a", "from=wap", "id=1", "+", " ", "\t", "\n", "\0", "\ud800", "\udc80"),
    *(
        "http://go.rss.sina.com.cn/redirect.php?url=",
        "https%3a%2f%2f",
        "doc-iabcdefg1234567.shtml",
        ".",
        "ß",
        "İ",
        "。",
    ),
    *("vCB_AllBulletinDetail.php?id=12", ".php", "\u200b", "e\u0301", '"', "<", "\\", "\ufeff"),
)
weird = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join) | st.text(st.characters())


@given(weird)
@example("http://www.www.x.example/")
@example("http://vCB_AllBulletinDetail.php?id=12")
@example("http://go.rss.sina.com.cn/redirect.php?url=http://go.rss.sina.com.cn/redirect.php?url=\0http://x.example/")
def test_a_canonical_url_is_its_own_canonical_form(url: str) -> None:
    assert canonical(canonical(url)) == canonical(url)
    assert key_of_url(canonical(url)) == key_of_url(url)
    found = absolute(url, "https://base.example/")
    assert found is None or canonical(found).encode()


entries = st.builds(
    Entry, st.none() | weird, st.none() | weird, st.text(st.characters(), max_size=5), st.none() | st.just(START)
)


@given(st.lists(entries, max_size=6))
def test_every_entry_has_keys_and_those_of_its_own_listing_do_not_depend_on_its_order(listed: list[Entry]) -> None:
    keys = keys_of("f", listed)
    assert all(keys)
    assert keys_of("f", listed[::-1]) == keys[::-1]
    assert all(len(key) < 2_000 for one in keys for key in one)
