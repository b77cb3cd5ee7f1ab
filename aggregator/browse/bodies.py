"""The body of an article as a page of ours shows it: cleaned once more, plain, and loading nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from aggregator.articles.images import address_of
from aggregator.articles.plaintext import kept
from aggregator.articles.rules import built_in
from aggregator.text.html import with_attributes, within

_HAN = re.compile(r"[\u3400-\u9fff]")
# What stays of a stranger's attributes: what a text means. How it looks, sizes but an image's, names and roles go, and
# with them what would be unreadable on dark paper.
_MEANING = frozenset("href src alt title colspan rowspan datetime lang dir start value reversed open".split())
_SIZES = frozenset(("width", "height"))

Attributes = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where images are shown: ``find`` tells of addresses where those that are stored are, ``absent`` is shown for
    others, unless ``remote`` ones may be loaded from their sites.
    """

    find: Callable[[list[str]], Mapping[str, str]]
    absent: str
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """HTML to show, and how many of its images are not stored."""

    html: Markup
    absent: int


def body_of(html: str, url: str, rule: str | None, pictures: Pictures) -> Body:
    """The body for reading, without QR codes, quotations of prices and the house's advertisements."""
    shown = within(kept(html, rule, built_in()), url)
    addresses = {source: address_of(source) for source in _sources(shown)}
    places = pictures.find([address for address in addresses.values() if address])
    here = {source: places[address] for source, address in addresses.items() if address and address in places}

    def change(element: str, given: Attributes) -> Attributes:
        stays = {name: value for name, value in given.items() if name in _MEANING}
        if element == "img":
            return stays | _image(given, here, pictures)
        stays.pop("src", None)  # of sounds and films, which are not kept
        return stays | ({"tabindex": "0"} if element in ("table", "pre") else {})  # they may be wider than the page

    missing = [source for source in addresses if source not in here and not source.startswith("data:")]
    return Body(Markup(with_attributes(shown, change)), len(missing))


def _sources(html: str) -> list[str]:
    """The addresses of the images of a cleaned body, each once."""
    found: dict[str, None] = {}

    def note(element: str, given: Attributes) -> Attributes:
        if element == "img" and given.get("src"):
            found[str(given["src"])] = None
        return given

    with_attributes(html, note)
    return list(found)


def _image(given: Attributes, here: Mapping[str, str], pictures: Pictures) -> dict[str, str | None]:
    source = given.get("src") or ""
    made: dict[str, str | None] = {"alt": given.get("alt") or "", "loading": "lazy"}
    sizes = {name: value for name, value in given.items() if name in _SIZES and (value or "").isdigit()}
    if source in here:
        return made | sizes | {"src": here[source]}
    if source.startswith("data:") or (pictures.remote and source):
        return made | sizes | {"src": source, "referrerpolicy": "no-referrer"}
    return made | {"src": pictures.absent, "class": "absent"}


def tongue(text: str) -> str | None:
    """The ``lang`` of a text that has Han in it; ``None`` of any other, whose language nobody told."""
    return "zh-CN" if _HAN.search(text) else None
