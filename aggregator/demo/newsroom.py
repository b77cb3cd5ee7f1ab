"""Writes the replica's articles: plausible financial copy out of the templates below ``templates/desks``.

Nothing here is taken from a publisher: each sentence is a template of ours, each figure comes from the ``Random``
given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random

from aggregator.demo.figures import COMPANIES, EDITORS, Company, Slots, fixed_slots

DESKS = Path(__file__).parent / "templates" / "desks"
FIGURE = re.compile(r"\d+\.\d+(?=[%亿个万元美港点])")


@dataclass(frozen=True, slots=True)
class Desk:
    """One file of templates: where its articles stand, which lists they join, and their sentences."""

    name: str
    lids: tuple[int, ...]
    section: str  # path before the date in the address of the page
    wap: str
    media: tuple[str, ...]
    keywords: tuple[str, ...]
    market: str | None  # "stock", "hkstock", "usstock": of the companies it writes about
    companies: tuple[Company, ...]
    titles: tuple[str, ...]
    paragraphs: tuple[tuple[str, ...], ...]  # one of each group makes one paragraph


@dataclass(frozen=True, slots=True)
class Story:
    """What an author wrote: no address and no time yet."""

    desk: Desk
    title: str
    paragraphs: tuple[str, ...]
    media: str
    editor: str
    editor_code: str
    keywords: tuple[str, ...]
    companies: tuple[Company, ...]  # those the text names

    @property
    def lead(self) -> str:
        """The first sentence."""
        return self.paragraphs[0].partition("。")[0] + "。"

    @property
    def text(self) -> str:
        """The paragraphs, one a line."""
        return "\n".join(self.paragraphs)


def _sections(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """``# name`` and the lines under it; what stands before the first name is the head, named ``""``."""
    for part in re.split(r"^# ", "\n" + text, flags=re.MULTILINE):
        name, _, lines = part.partition("\n")
        yield name, tuple(line for line in lines.splitlines() if line)


@cache
def _shared() -> dict[str, tuple[str, ...]]:
    return dict(_sections((DESKS / "shared.txt").read_text(encoding="utf-8")))


def _read_desk(name: str) -> Desk:
    head: dict[str, str] = {}
    titles: tuple[str, ...] = ()
    groups: list[tuple[str, ...]] = []
    for section, lines in _sections((DESKS / f"{name}.txt").read_text(encoding="utf-8")):
        if not section:
            head = dict(line.split(": ", 1) for line in lines)
        elif section == "title":
            titles = lines
        elif section.startswith("shared "):
            groups.append(_shared()[section.removeprefix("shared ")])
        else:
            groups.append(lines)
    return Desk(
        name=name,
        lids=tuple(int(lid) for lid in head["lids"].split(",")),
        section=head["section"],
        wap=head["wap"],
        media=tuple(head["media"].split("|")),
        keywords=tuple(head["keywords"].split("|")),
        market=None if head["market"] == "-" else head["market"],
        companies=COMPANIES.get(head.get("companies", ""), ()),
        titles=titles,
        paragraphs=tuple(groups),
    )


@cache
def desk(name: str) -> Desk:
    """The desk of that name, read once from its file."""
    return _read_desk(name)


def write(name: str, dice: Random, when: datetime) -> Story:
    """A new story of that desk, dated ``when`` (Beijing): 4 to 8 paragraphs, 300 to 1,500 characters."""
    room = desk(name)
    companies = tuple(dice.sample(room.companies, 3)) if room.companies else ()
    fixed = fixed_slots(dice, when, companies)
    headline = Slots(fixed, dice)
    title = dice.choice(room.titles).format_map(headline)
    slots = Slots(fixed, dice, headline.said)
    paragraphs = tuple(dice.choice(group).format_map(slots) for group in _plan(room, dice))
    text = title + "".join(paragraphs)
    editor, code = dice.choice(EDITORS)
    return Story(
        desk=room,
        title=title,
        paragraphs=paragraphs,
        media=dice.choice(room.media),
        editor=editor,
        editor_code=code,
        keywords=tuple(dice.sample(room.keywords, dice.choice((0, 2, 2, 3, 4)))),
        companies=tuple(company for company in companies if company[0] in text),
    )


def _plan(room: Desk, dice: Random) -> list[tuple[str, ...]]:
    """Which groups of sentences the story uses: the lead always; of more than five, one may be left out."""
    groups = list(room.paragraphs)
    if len(groups) > 5 and dice.random() < 0.5:
        del groups[dice.randrange(1, len(groups))]
    return groups


def edited(story: Story, dice: Random) -> Story:
    """The story after an edit: one figure is another one, of its second paragraph if that has any."""
    paragraphs = list(story.paragraphs)
    for index in sorted(range(len(paragraphs)), key=lambda place: (place != 1, place)):
        if found := FIGURE.search(paragraphs[index]):
            paragraphs[index] = _replaced(paragraphs[index], found, dice)
            break
    return replace(story, paragraphs=tuple(paragraphs))


def _replaced(text: str, found: re.Match[str], dice: Random) -> str:
    """The text with the last digit of that figure changed."""
    last = found.end() - 1
    return text[:last] + str((int(text[last]) + dice.randint(1, 9)) % 10) + text[last + 1 :]


def signed(story: Story) -> Story:
    """The story with a byline at its end whose name GBK can write and GB2312 cannot."""
    return replace(story, paragraphs=(*story.paragraphs, "（本版撰稿 方喆、陆堃）"))


def retitled(story: Story, media: str) -> Story:
    """A reprint: the same text under a slightly different title and another medium's name."""
    return replace(story, title=f"转载｜{story.title}（更正版）", media=media)
