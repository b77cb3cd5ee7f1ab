"""What must not leave this machine: secrets of the configuration, cookies, tokens in addresses, people's e-mail.

Hidden letters become ``x`` one by one, so that lengths stay what they were and a judgement comes out the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, unquote, urlsplit

from aggregator.errors import masked
from aggregator.web import Exchange

# Headers of a request that tell nothing; the values of all others are hidden.
_PLAIN_HEADERS = frozenset({"accept", "accept-language", "referer", "user-agent"})
# Headers of an answer that may hold a secret.
_SECRET_HEADER = re.compile(r"cookie|auth|token|secret|session|csrf|xsrf|api-?key", re.I)
_PLACES = frozenset({"location", "content-location", "refresh"})  # headers that hold an address, maybe a relative one
_SHORTEST = 6  # letters: a shorter secret stands by chance in every page
_HIDDEN = re.compile(r"[^\W_]")

# "@" as it is written in HTML, in URLs and in JSON; the last is the full-width one in UTF-8 read as latin-1.
_DOMAIN = re.compile(
    r"(?:@|%40|&#0*64;|&#[xX]0*40;|\\u0040|\uff20|\xef\xbc\xa0)(?:[A-Za-z0-9-]{1,63}\.){1,8}([A-Za-z]{2,24})(?![A-Za-z0-9])"
)
_LOCAL = re.compile(r"[A-Za-z0-9._%+-]+\Z")
_LONGEST_LOCAL = 64  # RFC 5321
_FILES = frozenset("png jpg jpeg gif webp svg ico avif css js html htm shtml".split())  # logo@2x.png is no address
_URL = re.compile(r"https?:(?:\\?/){2}[^\s\"'<>]{1,4000}")


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
            header = under == "headers" and name.lower() not in _PLAIN_HEADERS
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


def config_without(config: Mapping[str, object], secrets: Iterable[str]) -> dict[str, object]:
    """A configuration (as JSON) that may be shown: headers hidden, addresses masked, no e-mail address."""
    return {name: _shown(value, str(name), tuple(secrets)) for name, value in config.items()}


def _shown(value: object, under: str, secrets: tuple[str, ...]) -> object:
    if isinstance(value, Mapping):
        hide = under == "headers"
        return {
            name: "***" if hide and name.lower() not in _PLAIN_HEADERS else _shown(inner, str(name), secrets)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_shown(inner, under, secrets) for inner in value]
    return text_without(value, secrets) if isinstance(value, str) else value


def exchange_without(exchange: Exchange, secrets: Iterable[str]) -> Exchange:
    """An exchange that may be shown."""
    hidden = tuple(secrets)
    headers = tuple((name, _header(name, value, hidden)) for name, value in exchange.headers if _may_show(name))
    fault = exchange.fault
    if fault:
        fault = (fault[0], text_without(fault[1], hidden), text_without(fault[2], hidden))
    body = body_without(exchange.body, hidden)
    return replace(exchange, url=text_without(exchange.url, hidden), headers=headers, body=body, fault=fault)


def _may_show(header: str) -> bool:
    return not _SECRET_HEADER.search(header)


def _header(name: str, value: str, secrets: tuple[str, ...]) -> str:
    return text_without(masked(value) if name.lower() in _PLACES else value, secrets)


def text_without(text: str, secrets: Iterable[str]) -> str:
    """A text with the addresses in it masked, and without secrets and e-mail addresses."""
    return without_addresses(_without_secrets(_URL.sub(lambda found: masked(found[0]), text), secrets))


def body_without(body: bytes, secrets: Iterable[str]) -> bytes:
    """A body of any encoding, likewise; what is not ASCII stays as it is."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = body.decode("utf-16", "surrogatepass")
        return text_without(text, secrets).encode("utf-16", "surrogatepass")
    spelled = [secret.encode("utf-8").decode("latin-1") for secret in secrets]
    return text_without(body.decode("latin-1"), spelled).encode("latin-1")


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
