"""Secrets in texts: which a configuration has, and any text without them and without people's e-mail addresses.

Hidden letters become ``x`` one by one, so that lengths stay what they were and a judgement comes out the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from aggregator.errors import masked

# Headers of a request that tell nothing; the values of all others are hidden.
PLAIN_HEADERS = frozenset({"accept", "accept-language", "referer", "user-agent"})
_SHORTEST = 6  # letters: a shorter secret stands by chance in every page
_HIDDEN = re.compile(r"[^\W_]")

# "@" as it is written in HTML, in URLs and in JSON; the last is the full-width one in UTF-8 read as latin-1.
_DOMAIN = re.compile(
    r"(?:@|%40|&#0*64;|&#[xX]0*40;|\\u0040|\uff20|\xef\xbc\xa0)(?:[A-Za-z0-9-]{1,63}\.){1,8}([A-Za-z]{2,24})(?![A-Za-z0-9])"
)
_LOCAL = re.compile(r"[A-Za-z0-9._%+-]+\Z")
_LONGEST_LOCAL = 64  # RFC 5321
_FILES = frozenset("png jpg jpeg gif webp svg ico avif css js html htm shtml".split())  # logo@2x.png is no address
_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}:(?:\\?/){2}[^\s\"'<>]{1,4000}")

# What its name tells to be a secret, whoever wrote it: a header to the end of its line, a parameter to its value's.
_HEADER = re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie2?)(['\"]?\s*[:=,]\s*)[^\n]+", re.IGNORECASE)
_VALUE = re.compile(
    r"\b([\w-]{0,40}(?:token|secret|passw(?:or)?d|pwd|api[_-]?key|session[_-]?id|credential)[\w-]{0,40}['\"]?\s*[=:]\s*['\"]?"
    r"|bearer\s+)[^\s&'\",;]+",
    re.IGNORECASE,
)


def secrets_of(config: Mapping[str, object], cookies: Iterable[str] = ()) -> tuple[str, ...]:
    """Every secret of a configuration (as JSON), longest first: credentials and tokens in addresses, headers.

    ``cookies`` are further ones, as "name=value".
    """
    values = (*_values(config), *(("header", cookie) for cookie in cookies))
    found = {secret for value in values for secret in _secrets(value) if len(secret) >= _SHORTEST}
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))


def _values(value: object, under: str = "") -> Iterator[tuple[str, str]]:
    """Each text of a JSON value, with "header" or "" for where it stands."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            header = under == "headers" and name.lower() not in PLAIN_HEADERS
            yield from _values(inner, "header" if header else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, under)
    elif isinstance(value, str):
        yield under, value


def _secrets(place: tuple[str, str]) -> Iterator[str]:
    under, text = place
    if under == "header":
        yield text
        # A header names its scheme, a cookie its parts: each value alone is the secret, too.
        yield from (part for part in re.split(r"[\s;,=:]+", text) if len(part) > _SHORTEST)
    if "://" not in text:
        return
    try:
        parts = urlsplit(text)
        password = parts.password or ""
    except ValueError:
        return
    yield from (password, unquote(password))
    hidden = masked(text)
    yield from (value for _, value in parse_qsl(parts.query) if value not in hidden)


def text_without(text: str, secrets: Iterable[str]) -> str:
    """A text with the addresses in it masked, and without secrets and e-mail addresses."""
    return without_addresses(_without_secrets(_URL.sub(lambda found: masked(found[0]), text), secrets))


def said_without(text: str, secrets: Iterable[str]) -> str:
    """What some program says, likewise, and without what is called a cookie, a password, a token and so on in it."""
    return text_without(_VALUE.sub(r"\1***", _HEADER.sub(r"\1\2***", text)), secrets)


def _without_secrets(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _HIDDEN.sub("x", secret))
    return text


def without_addresses(text: str) -> str:
    """A text in which the letters and digits of every e-mail address have become ``x``."""
    pieces: list[str] = []
    done = 0
    for found in _DOMAIN.finditer(text):
        local = _LOCAL.search(text, max(done, found.start() - _LONGEST_LOCAL), found.start())
        if local is None or found[1].lower() in _FILES:
            continue
        pieces += [text[done : local.start()], _HIDDEN.sub("x", local[0]), _domain(found[0])]
        done = found.end()
    return "".join((*pieces, text[done:]))


def _domain(text: str) -> str:
    """The sign as it is, the domain hidden."""
    sign, domain = re.fullmatch(r"(@|%40|&#[^;]*;|\\u0040|\uff20|\xef\xbc\xa0)(.*)", text, re.S).groups()  # type: ignore[union-attr]
    return sign + _HIDDEN.sub("x", domain)
