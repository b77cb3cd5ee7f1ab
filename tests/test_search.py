"""Search: what is found is what a plain matcher finds, whatever is typed, and the index can be trusted."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import searching
from sqlite_utils import Database
from typer.testing import CliRunner
from world import START, Clock, Site, desk, feed, item, rss

from aggregator.archive import Reader, SqliteArchive, index
from aggregator.archive.catching_up import catch_up
from aggregator.archive.opening import open_writer
from aggregator.archive.schema import migrations
from aggregator.archive.searching import Hit, Wanted
from aggregator.archive.verifying import verify
from aggregator.articles.rules import built_in
from aggregator.cli import app
from aggregator.errors import ConfigError
from aggregator.pipeline import poll
from aggregator.text.arrays import tokens_of_all
from aggregator.text.characters import nfkc
from aggregator.text.query import match_of, parse
from aggregator.text.snippets import marked, snippet
from aggregator.text.tokens import GAP, folded, runs, tokens

RULES = built_in()
SEED = 7


@pytest.fixture(scope="module")
def rows() -> list[searching.Fields]:
    return searching.articles(random.Random(SEED), 2_000)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, rows: list[searching.Fields]) -> Path:
    path = tmp_path_factory.mktemp("search") / "archive.db"
    searching.archive(path, rows)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Database]:
    """An open archive of three articles, indexed."""
    made = [
        ("央行宣布降准", "存款准备金率下调。\n市场反应平静。", "新浪财经"),
        ("LPR报价不变", "LPR，报价机制改革；公开市场逆回购", "央行观察"),
        ("Federal Reserve holds rates", "The economy of Straße and AT&T, C++ too", "Reuters"),
    ]
    path = tmp_path / "small.db"
    searching.archive(path, made)
    db = open_writer(path)
    yield db
    db.close()


def found(db: Database | Reader, typed: str, **more: object) -> list[int]:
    """The numbers of the revisions a query finds."""
    match = match_of(parse(typed))
    if match is None:
        return []
    if isinstance(db, Reader):
        return [hit.revision for hit in db.search(Wanted(match, limit=1_000_000, **more))]  # type: ignore[arg-type]
    return [row[0] for row in db.execute("SELECT rowid FROM revisions_fts WHERE revisions_fts MATCH ?", [match])]


def test_search_equals_a_plain_matcher(archive: Path, rows: list[searching.Fields]) -> None:
    asked = list(searching.questions(random.Random(SEED), rows, 600))
    assert sum(bool(one.expected) for one in asked) > 200
    with Reader(archive) as reader:
        wrong = [one.typed for one in asked if set(found(reader, one.typed, order="seen")) != one.expected]
    assert wrong == []


def test_words_of_han_are_found_as_like_finds_them(archive: Path) -> None:
    rng = random.Random(SEED)
    like = "SELECT id FROM revisions WHERE title LIKE :q OR body LIKE :q OR media LIKE :q"
    db = sqlite3.connect(archive)
    with Reader(archive) as reader:
        for length in (1, 1, 1, 2, 2, 2, 2, 3, 3, 4) * 6:
            words = "".join(rng.choices("央行降准公开市场数字经济上证指银金人民币", k=length))
            expected = {row[0] for row in db.execute(like, {"q": f"%{words}%"})}
            assert set(found(reader, words)) == expected, words
    db.close()


def test_tokens_are_those_of_the_runs_one_by_one() -> None:
    """Pairs are written by slices over many runs; made run by run, in the letters of the definition, they are equal."""

    def one_by_one(text: str) -> str:
        made: list[str] = []
        last = None
        for run, _, cjk, touches in runs(unicodedata.normalize("NFKC", text).casefold()):
            made += [GAP] if not touches and cjk is not last is not None else []
            made += [run[at : at + 2] for at in range(len(run))] if cjk else [run]
            last = cjk
        return " ".join(made)

    rng = random.Random(SEED)
    signs = [
        *"央行降准，。：！（％～ \xa0ab1%_　－\ue000\u19b2\u1cf2\u0301が\u3099…Ａ２é々\n",
        "\U00020001",
        "\U0003abcd",
        "\U0001f600",
    ]
    texts = ["".join(rng.choices(signs, k=rng.randint(0, 12))) for _ in range(20_000)]
    texts += [f"央{chr(rng.randrange(0x20, 0xD800))}b{chr(rng.randrange(0xE000, 0x110000))}行" for _ in range(20_000)]
    for text in texts:
        assert tokens(text) == one_by_one(text), ascii(text)
        assert nfkc(text) == unicodedata.normalize("NFKC", text), ascii(text)
    texts += ["", "".join(texts[:9_000]), "", "央行\n\n降准", "\ud800a\n"]
    several = [folded(text) for text in texts]
    assert max(map(len, several)) > 32_768
    assert tokens_of_all(several) == [tokens(text) for text in several]
    assert tokens_of_all([]) == []
    assert tokens_of_all(["", ""]) == ["", ""]


@pytest.mark.parametrize("tokeniser", ["ascii", "unicode61 remove_diacritics 0"])  # of now, and of older archives
def test_every_character_of_a_run_survives_the_tokeniser_of_sqlite(tokeniser: str) -> None:
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE VIRTUAL TABLE t USING fts5(x, content='', tokenize='{tokeniser}')")
    db.execute("CREATE VIRTUAL TABLE words USING fts5vocab(t, instance)")
    kept = [one for one in map(chr, range(0x110000)) if folded(one) == one and runs(one)]
    assert len(kept) > 150_000
    db.executemany("INSERT INTO t(rowid, x) VALUES (?, ?)", ((ord(one), f"{one}x{one} {GAP}") for one in kept))
    terms = dict(
        db.execute(
            "SELECT doc, group_concat(term, ' ') FROM (SELECT * FROM words ORDER BY doc, \"offset\") GROUP BY doc"
        )
    )
    assert [hex(ord(one)) for one in kept if terms.get(ord(one)) != f"{one}x{one} {GAP}"] == []


def test_the_index_of_an_older_archive_stays_when_its_tokeniser_is_another(
    tmp_path: Path, rows: list[searching.Fields]
) -> None:
    def held() -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, revisions_fts, instance)")
            return db.execute('SELECT * FROM words ORDER BY doc, col, "offset"').fetchall()

    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        migrations.apply(Database(old), stop_before="m031_words_are_split_at_blanks")
        searching.fill(Database(old), rows[:500])
        searching.index_all(Database(old))
    before = held()
    assert len(before) > 10_000
    with closing(open_writer(path)) as db:
        assert held() == before
        index.clear(db)
        searching.index_all(db)
        (made,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'revisions_fts'").fetchone()
        assert 'tokenize="ascii"' in made
    assert held() == before


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("央行", [1, 2]),
        ("行", [1, 2]),
        ("率", [1]),  # the end of a run
        ("下调市场", []),  # a run is not crossed
        ("LPR报价", [2]),
        ("lpr报", [2]),
        ("ＬＰＲ报价", [2]),
        ("R报价", []),  # no part of a word
        ('"LPR 报价"', [2]),
        ("报价机制", [2]),
        ("title:央行", [1]),
        ("media:央行", [2]),
        ("TITLE：央行", [1]),
        ("央行 -报价", [1]),
        ("央行 -“降准”", [2]),
        ("federal", [3]),
        ("fed", []),
        ("fed*", [3]),
        ('"federal reserve"', [3]),
        ('"federal holds"', []),
        ('"reserve hold*"', [3]),
        ("STRASSE", [3]),
        ("存款　准备金", [1]),
        ("降准 央行", [1]),
        ("author:央行", []),  # no such field: it is what it looks like
    ],
)
def test_the_language_of_queries(small: Database, typed: str, expected: list[int]) -> None:
    assert found(small, typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ('"', []),
        ("AND", [3]),  # the word
        ("OR NOT", []),
        ("NEAR(", []),
        ("-x", []),
        ("nocol:x", []),
        ("C++", [3]),
        ("AT&T", [3]),
        ("%", []),
        ("", []),
        ("\x00", []),
        ("\x00 降准 \x00", [1]),
        ("央行\x00降准", []),
        ('"" * ^ {title} : ( )', []),
        ("\ud800央行", [1, 2]),
        ("长" * 50_000, []),
        ("央行 " * 25_000, [1, 2]),
        (" ".join(f"w{number}" for number in range(15_000)), []),
        ("(" * 100_000, []),
        ('"a ' * 30_000, []),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_x9_any_query_has_an_answer(small: Database, typed: str, expected: list[int]) -> None:
    assert found(small, typed) == expected


def test_x9_random_bytes_as_queries_raise_nothing(archive: Path) -> None:
    rng = random.Random(SEED)
    pieces = [b'"', b"-", b"*", b"title:", b" ", b"AND", b"(", b")", b"^", b"+", b"NEAR(", b"'", b"\x00", b"{", b":"]
    with Reader(archive) as reader:
        for number in range(10_000):
            raw = rng.randbytes(rng.randint(0, 30))
            if number % 2:
                raw = b"".join(rng.choice([*pieces, "央行".encode(), b"lpr", raw[:2]]) for _ in range(8))
            coding, errors = rng.choice((("utf-8", "surrogateescape"), ("utf-16-le", "replace"), ("latin-1", "strict")))
            found(reader, raw.decode(coding, errors), order="seen")


def test_x12_two_characters_are_enough(archive: Path, rows: list[searching.Fields]) -> None:
    expected = [number for number, row in enumerate(rows, 1) if "上证" in " ".join(row)]
    with Reader(archive) as reader:
        assert expected
        assert sorted(found(reader, "上证")) == expected


def test_titles_count_more_and_every_order_is_kept(archive: Path) -> None:
    with Reader(archive) as reader:

        def hits(**more: object) -> list[Hit]:
            return list(reader.search(Wanted('"央行"', limit=50, **more)))  # type: ignore[arg-type]

        assert all("央行" in hit.title for hit in hits()[:5])
        ranks = [hit.rank or 0.0 for hit in hits()]
        assert ranks == sorted(ranks)
        seen = [hit.revision for hit in hits(order="seen")]
        assert seen == sorted(seen, reverse=True)
        times = [hit.published or "" for hit in hits(order="time")]
        assert times == sorted(times, reverse=True)
        recent = sorted(hit.published or "" for hit in hits(order="recent", now=START))
        assert recent[25] > sorted(hit.published or "" for hit in hits())[25]
        assert [hit.revision for hit in hits(offset=10)][:40] == [hit.revision for hit in hits()][10:]


def test_snippets_show_where_the_words_are() -> None:
    query = parse('降准 "LPR 报价" fed* -不')
    shown = snippet("甲" * 300 + "央行全面降准，ＬＰＲ、报价\n下调，Federal 不变。" + "乙" * 300, query, 80)
    assert [shown.text[a:b] for a, b in shown.marks] == ["降准", "ＬＰＲ、报价", "Fed"]
    assert shown.text.startswith("…")
    assert shown.text.endswith("…")
    assert "\n" not in shown.text
    assert snippet("短文", parse("无")).text == "短文"
    assert snippet("", parse("无")) == snippet("", ())
    whole = marked("㎡价格ﬁnance", parse("finance 价 m2价格"))
    assert [whole.text[a:b] for a, b in whole.marks] == ["㎡价格", "ﬁnance"]
    assert marked("降准降", parse("降准 准降 降准降")).marks == ((0, 3),)


def test_what_is_marked_is_what_is_found(rows: list[searching.Fields]) -> None:
    corpus = searching.Corpus.of(rows)
    for words in ("央行", "行", "lpr", "LPR报价", "A股", "gdp利率", "21世纪", "市场 操作", "fed"):
        expected = corpus.matches(words, field="body")
        assert {n for n, row in enumerate(rows, 1) if marked(row[1], parse(f'"{words}"')).marks} == expected, words


def test_tokens_are_pairs_with_the_last_character_and_gaps() -> None:
    assert tokens("LPR报价，3.5％") == f"lpr 报价 价 {GAP} 3 5"
    assert tokens("央行。降准") == "央行 行 降准 准"
    assert tokens("") == tokens("，") == ""


WIRE = feed(pages="false")


def announced(*numbers: int, words: str = "") -> bytes:
    said = "<description>" + words + "{}</description>"
    return rss(*(item(number, f"第{number}号 央行降准", extra=said.format(f"正文{number}")) for number in numbers))


def test_a_poll_is_indexed_after_it_and_a_crash_loses_nothing(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.db", Clock()
    site = Site(clock, {WIRE.url: announced(1, 2)})

    async def run() -> None:
        async with desk(path, site, WIRE) as one:
            await poll(one, WIRE)
            assert isinstance(one.archive, SqliteArchive)
            assert await one.archive.unindexed() == 2
            with Reader(path) as reader:
                assert (found(reader, "降准"), reader.unindexed()) == ([], 2)
            assert await one.archive.catch_up(RULES, 1) == 1
        async with desk(path, site, WIRE) as one:  # the process ended in between
            assert isinstance(one.archive, SqliteArchive)
            assert await one.archive.catch_up(RULES) == 1
            assert await one.archive.catch_up(RULES) == 0
            with Reader(path) as reader:
                assert sorted(found(reader, "降准")) == [1, 2]
            await one.archive.clear_index()
            assert await one.archive.catch_up(RULES) == 2

    asyncio.run(run())


def test_another_version_of_the_tokens_is_another_index(small: Database) -> None:
    small.execute("UPDATE indexed SET version = version + 1")
    assert index.behind(small) == 3
    assert catch_up(small, Clock(), RULES, 2) == 2
    assert found(small, "央行") == [1, 2]
    assert small.execute("SELECT count(*) FROM revisions_fts_docsize").fetchone()[0] == 2


def test_only_current_versions_are_found_or_those_of_then_or_all(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.db", Clock()
    other = feed("other", "https://other.example/feed")
    site = Site(clock, {WIRE.url: announced(1, words="旧闻"), other.url: rss()})

    async def run() -> None:
        async with desk(path, site, WIRE, other) as one:
            await poll(one, WIRE)
            clock.move(hours=1)
            site.answers[WIRE.url] = rss(
                item(1, "第1号 央行加息", at=clock(), extra="<description>新闻</description>"), item(2, "央行观察")
            )
            await poll(one, WIRE)
            assert isinstance(one.archive, SqliteArchive)
            await one.archive.catch_up(RULES)

    asyncio.run(run())
    with Reader(path) as reader:
        first = reader.commit_at(START)
        assert found(reader, "降准") == []
        assert found(reader, "降准", every=True) == [1]
        assert found(reader, "降准", until=first, order="time") == [1]
        assert len(found(reader, "央行", until=first, order="time")) == 1
        assert len(found(reader, "央行")) == 2
        assert len(found(reader, "央行", every=True)) == 3
        assert len(found(reader, "央行", feeds=("wire",))) == 2
        assert found(reader, "央行", feeds=("other",)) == []
        assert len(found(reader, "央行", categories=("新浪财经",))) == 2
        assert found(reader, "央行", categories=("股票",)) == []
        assert found(reader, "央行", media=("新浪",)) == found(reader, "央行", symbols=("sh600519",)) == []
        assert len(found(reader, "央行", since=START)) == 2
        assert found(reader, "央行", before=START) == []
        (hit,) = reader.search(Wanted('"降准"', every=True))
        assert (hit.n, hit.current, hit.feed) == (1, False, "wire")
        with pytest.raises(ConfigError, match="no such feed"):
            found(reader, "央行", feeds=("nowhere",))


@pytest.mark.parametrize("changed", [False, True], ids=["texts as indexed", "texts that give other tokens now"])
def test_erased_versions_leave_no_word_in_the_file(tmp_path: Path, changed: bool) -> None:
    path = tmp_path / "a.db"
    secret = "机密的瑕疵"
    searching.archive(path, [("央行降准", "公开市场", "新浪"), ("央行" + secret, f"有{secret}的公开市场", "新浪")] * 3)
    db = open_writer(path)
    if changed:
        db.execute("UPDATE revisions SET body = '别的公开市场' WHERE id = 4")
    assert found(db, secret) == [2, 4, 6]
    db.execute("BEGIN")
    index.erase(db, [2, 4])
    db.execute("UPDATE revisions SET title = '', body = '' WHERE id IN (2, 4)")
    db.execute("COMMIT")
    assert (found(db, secret), found(db, "公开市场")) == ([6], [1, 3, 5, 6])
    assert list(index.damages(db)) == []
    db.execute("BEGIN")
    index.erase(db, [2, 6])  # one of them for the second time
    db.execute("UPDATE revisions SET title = '', body = '' WHERE id = 6")
    db.execute("UPDATE articles SET title = '' WHERE id IN (2, 4, 6)")
    db.execute("COMMIT")
    assert list(index.damages(db)) == []
    index.merge(db)
    left = b"".join(row[0] for row in db.execute("SELECT block FROM revisions_fts_data"))
    assert "公开".encode() in left
    assert "瑕".encode() not in left
    db.close()


def test_a_damaged_index_is_seen(small: Database) -> None:
    assert list(index.damages(small)) == []
    small.execute(
        "INSERT INTO revisions_fts (revisions_fts, rowid, title, body, media) VALUES ('delete', 2, '', '', '')"
    )
    said = list(index.damages(small))
    assert said[0] == (2, "is not in the index")
    assert len(said) == 4  # and the words of its three fields are too many
    small.execute("INSERT INTO revisions_fts (rowid, title, body, media) VALUES (9, 'x', '', '')")
    assert (9, "is in the index and should not be") in list(index.damages(small))
    index.clear(small)
    searching.index_all(small)
    assert list(index.damages(small)) == []


def test_verify_looks_at_the_index(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    searching.archive(path, [("央行降准", "公开市场", "新浪")] * 3)

    def told() -> list[str]:
        return [f"{one.row} {one.hint}" for one in verify(path, "test").damages if one.table == "revisions_fts"]

    assert told() == []
    db = open_writer(path)
    db.execute("DELETE FROM revisions_fts_docsize WHERE id = 2")
    assert told()[0] == "2 Make the index again: aggregator reindex"
    db.execute("UPDATE revisions_fts_data SET block = x'00' WHERE id > 10")
    assert told()[-1].startswith("None")
    index.clear(db)
    searching.index_all(db, 10)
    assert told() == []
    db.close()


@pytest.fixture
def config(tmp_path: Path, archive: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"archive: {archive}\nfeeds: []\n", encoding="utf-8")
    return path


def said(config: Path, *words: str) -> str:
    """What a command prints on stdout."""
    result = CliRunner().invoke(app, [words[0], "--config", str(config), *words[1:]])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_prints_hits_and_json(config: Path, rows: list[searching.Fields]) -> None:
    told = json.loads(said(config, "search", "title:央", "市", "--limit", "2", "--json"))
    assert len(told["hits"]) == 2
    assert told["more"]
    for hit in told["hits"]:
        assert {hit["title"][a:b] for a, b in hit["title_marks"]} <= {"央", "市"}
        assert hit["title_marks"]
    lines = said(config, "search", "央行", "--limit", "2", "--sort", "seen").splitlines()
    assert "k" in lines[1]
    assert len(lines) == 6
    everything = json.loads(said(config, "search", "央行", "--limit", "10000", "--json"))["hits"]
    january = json.loads(
        said(config, "search", "央行", "--limit", "10000", "--since", "2026-01", "--until", "2026-01", "--json")
    )
    expected = [
        hit["key"]
        for hit in everything
        if re.match("2025-12-31T1[6-9]|2026-01-(0|1|2)|2026-01-3[01]T0", hit["published"])
    ]
    assert [hit["key"] for hit in january["hits"]] == expected
    assert json.loads(said(config, "search", "--json", "--", "-x", "%"))["hits"] == []


@pytest.mark.parametrize("words", [["--as-of", "2026-12-01", "--sort", "rank"], ["--since", "soon"], ["--feed", "no"]])
def test_the_command_refuses_what_makes_no_sense(config: Path, words: list[str]) -> None:
    with pytest.raises(ConfigError):
        CliRunner().invoke(app, ["search", "央行", *words, "--config", str(config)], catch_exceptions=False)


def test_search_tells_that_it_does_not_see_everything_yet_and_reindex_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    config = tmp_path / "config.yaml"
    config.write_text("feeds: []\n", encoding="utf-8")
    db = open_writer(path)
    searching.fill(db, [("央行降准", "公开市场", "新浪")] * 3)
    db.close()
    result = CliRunner().invoke(app, ["search", "央行", "--config", str(config)])
    assert "3 versions are not in the index yet" in result.stderr
    assert CliRunner().invoke(app, ["reindex", "--config", str(config)]).exit_code == 0
    told = json.loads(said(config, "search", "央行", "--json"))
    assert (len(told["hits"]), told["unindexed"]) == (3, 0)
