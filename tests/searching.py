"""What tests of search need: an archive of many small articles, queries, and a matcher of the plainest kind.

The matcher knows nothing of pairs and tokens. It writes every field as its runs, with one blank where something stood
between two of them, and looks a query's words up in that.
"""

from __future__ import annotations

import random
import re
import unicodedata
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlite_utils import Database

from aggregator.archive.catching_up import catch_up
from aggregator.archive.opening import open_writer
from aggregator.archive.rows import insert, transaction, update
from aggregator.articles.rules import built_in

Fields = tuple[str, str, str]  # title, body, media
FIELDS = ("title", "body", "media")
_HAN = "央行降准逆回购公开市场操作利率数字经济上证指银存款金人民币报价"
_WORDS = (
    "LPR",
    "lpr",
    "ＬＰＲ",
    "GDP",
    "A股",
    "5G",
    "2026",
    "3.5%",
    "Fed",
    "federal",
    "Federal",
    "reserve",
    "Économie",
)
_WORDS += ("economy", "Straße", "AT&T", "C++", "かな", "カナ", "한국", "ﬁnance", "①", "㎡", "𠮷", "é")
_BETWEEN = ("，", "。", "、", " ", "\u3000", "（", "）", "“", "”", "-", "——", ": ", "\n", "％", "…", "·", "·")


def text(rng: random.Random, pieces: int) -> str:
    """Some text of runs that touch or do not."""
    made = []
    for _ in range(pieces):
        kind = rng.random()
        if kind < 0.55:
            made.append("".join(rng.choices(_HAN, k=rng.randint(1, 6))))
        elif kind < 0.75:
            made.append(rng.choice(_WORDS))
        else:
            made.append(rng.choice(_BETWEEN))
    return "".join(made)


def articles(rng: random.Random, count: int) -> list[Fields]:
    """So many articles."""
    media = ("新浪财经", "央行观察", "Reuters", "21世纪经济报道")
    return [(text(rng, 5), text(rng, 25), rng.choice(media)) for _ in range(count)]


def fill(db: Database, rows: Iterable[Fields]) -> None:
    """Archive articles, each with one version, without any feed."""
    with transaction(db):
        first = db.execute("SELECT coalesce(max(id), 0) + 1 FROM articles").fetchone()[0]
        stamp = insert(db, "commits", {"at": f"2026-11-24T00:00:00.{first % 1000:03}Z", "digest": "-"})
        for number, (title, body, media) in enumerate(rows, first):
            at = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z"
            common = {"url": f"https://wire.example/{number}", "title": title, "published": at, "commit": stamp}
            article = {"id": number, "key": f"k{number}", "date": at, "first_seen": at}
            revision = {"id": number, "article": number, "n": 1, "cause": "first", "parser": "test", "media": media}
            revision |= {
                "body": body.replace("&", "&amp;"),
                "fingerprint": "-",
                "categories": '["金融", "新浪", "国内"]',
            }
            insert(db, "articles", {**common, **article})
            insert(db, "revisions", {**common, **revision})
            update(db, "articles", number, {"revision": number})


def index_all(db: Database, limit: int = 500) -> None:
    """Index what is archived, in such steps."""
    while catch_up(db, lambda: datetime(2026, 11, 24, tzinfo=UTC), built_in(), limit):
        pass


def archive(path: Path, rows: Iterable[Fields]) -> None:
    """An archive of these articles, indexed."""
    db = open_writer(path)
    fill(db, rows)
    index_all(db)
    db.close()


def kind(character: str) -> str:
    """What a character is to a search: of a CJK run, of a word, or between runs."""
    if character in "々〆〇" or re.match(
        "CJK UNIFIED|HIRAGANA|KATAKANA|HANGUL|BOPOMOFO", unicodedata.name(character, "")
    ):
        return "cjk" if character.isalpha() or character == "〇" else " "
    return "word" if character.isalnum() else " "


def plain(text: str) -> str:
    """A text as its runs, one blank where something stood between them."""
    flat = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(one if kind(one) != " " else " " for one in flat).split())


@dataclass(frozen=True)
class Corpus:
    """The fields of all articles, each field one long text."""

    texts: Mapping[str, str]
    begins: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, rows: Sequence[Fields]) -> Corpus:
        texts, begins = {}, {}
        for name, column in zip(FIELDS, zip(*rows, strict=True), strict=True):
            lines = [plain(one) + "\n" for one in column]
            places = [0]
            for line in lines:
                places.append(places[-1] + len(line))
            texts[name], begins[name] = "".join(lines), places
        return cls(texts, begins)

    def matches(self, words: str, *, field: str | None = None, begins: bool = False) -> set[int]:
        """The numbers (from 1) of the articles that have these words in a row."""
        names = [field] if field else FIELDS
        sought = plain(words)
        return {number for name in names for number in self._in(name, sought, begins=begins)} if sought else set()

    def _in(self, name: str, sought: str, *, begins: bool) -> Iterator[int]:
        text = self.texts[name]
        at = text.find(sought)
        while at >= 0:
            end = at + len(sought)
            cut = kind(sought[0]) == "word" and at > 0 and kind(text[at - 1]) == "word"
            cut |= kind(sought[-1]) == "word" and not begins and kind(text[end]) == "word"
            if not cut:
                yield bisect(self.begins[name], at)
            at = text.find(sought, at + 1)


@dataclass(frozen=True)
class Question:
    """A query as it is typed, and the numbers of the articles it should find."""

    typed: str
    expected: frozenset[int]


def questions(rng: random.Random, rows: Sequence[Fields], count: int) -> Iterator[Question]:
    """Queries of one to three terms, most of them cut out of the articles."""
    matches = cache(Corpus.of(rows).matches)
    for _ in range(count):
        terms = [_term(rng, rows, matches) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
        expected = set.intersection(*(found for _, found in terms))
        typed = " ".join(one for one, _ in terms)
        if rng.random() < 0.15:
            unwanted, found = _term(rng, rows, matches)
            typed, expected = f"{typed} -{unwanted}", expected - found
        yield Question(typed, frozenset(expected))


def _term(rng: random.Random, rows: Sequence[Fields], matches: Callable[..., set[int]]) -> tuple[str, set[int]]:
    """One term, and the articles that have it."""
    field = rng.choice((None, None, None, *FIELDS))
    while True:
        chance = rng.random()
        begins = chance > 0.9
        words = _cut(rng, rng.choice(rows)) if chance < 0.6 else "".join(rng.choices(_HAN, k=rng.randint(1, 3)))
        words = rng.choice(_WORDS)[: rng.randint(1, 4)] if begins else words
        if plain(words) and '"' not in unicodedata.normalize("NFKC", words) and not words.endswith("*"):
            break
    one_word = not re.search(r"[\s“”\"]", unicodedata.normalize("NFKC", words)) and words[0] not in "-—－"
    typed = words if one_word and rng.random() < 0.5 else f'"{words}"'
    typed = words + "*" if begins and one_word else typed
    begins = typed.endswith("*")
    if ":" in unicodedata.normalize("NFKC", words) and not typed.startswith('"'):
        typed = f'"{words}"'
    return f"{field}:{typed}" if field else typed, matches(words, field=field, begins=begins)


def _cut(rng: random.Random, row: Fields) -> str:
    """A piece of an article."""
    whole = row[rng.choice((0, 1, 1))]
    at = rng.randrange(max(len(whole), 1))
    return whole[at : at + rng.randint(1, 7)].replace("“", " ").replace("”", " ")
