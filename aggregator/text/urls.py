"""URLs: absolute, unwrapped, canonical; and the ids Sina hides in them.

Facts about Sina's addresses: docs/sina.md, measured on captures of 2018 to 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

# Parameters that say how a reader came, not what is read: dropped from a canonical URL.
TRACKING = frozenset(
    "from froms vt tj finpagefr cre mod r sudaref source spm fbclid gclid yclid msclkid mc_cid mc_eid igshid".split()
)
SINA_DOMAINS = ("sina.com.cn", "sina.cn", "sinaimg.cn")
_REDIRECT = re.compile(r"^https?://go\.rss\.sina\.com\.cn/redirect\.php\?(?:[^#]*&)?url=(?P<target>.+)$", re.I | re.S)
_COMOS = re.compile(r"(?:(?:doc|zl|detail)-i|comos[:-])(?P<id>[a-z]{7}\d{7})(?![a-z0-9])", re.I)
_BULLETIN = re.compile(r"(?<=[^/]/)vCB_AllBulletinDetail\.php\?(?:[^#]*&)?id=(?P<id>\d+)", re.I)
_WEB = re.compile(r"https?://", re.I)
# Addresses as most are written: nothing in one needs to be judged, and in its canonical form nothing else changes.
_ABSOLUTE = re.compile(r"https?://[A-Za-z0-9-][A-Za-z0-9.-]*(?:[/?#][!-~]*)?")
_USUAL = re.compile(r"https?://((?:[a-z0-9-]+\.)+[a-z]+)(/[A-Za-z0-9/._~-]*)?")
_BLANKS = "".join(map(chr, (*range(0x21), *range(0x7F, 0xA1), 0x2028, 0x2029, 0xFEFF)))
_SURROGATE = re.compile("[\ud800-\udfff]")
_WWW = re.compile(r"^(?:www\.)+(?=[^.]+\.[^.])")
_ENCODED_SLASH = "%2F"  # inside a segment: not the same address as a slash (RFC 3986 section 2.2)
_SLASH_CODE = re.compile(_ENCODED_SLASH, re.I)
_INSIDE = re.compile(r"[\t\r\n]+")
_FORBIDDEN_IN_HOST = re.compile(r"[\x00-\x20\x7f\"#%'/:<>?@\[\\\]^`{|}]")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


def tidy(url: str) -> str:
    """The URL as WHATWG's standard takes it: no white space around it, no tabs and newlines in it, no surrogates."""
    if url.isascii() and url.isprintable():
        return url.strip(" ")
    return _INSIDE.sub("", _SURROGATE.sub("\ufffd", url)).strip(_BLANKS)


def absolute(url: str, base: str | None) -> str | None:
    """An http or https URL, made absolute against ``base``; ``None`` if it cannot be one.

    A URL that is absolute already comes back as it was written: nothing is re-encoded.
    """
    if _ABSOLUTE.fullmatch(url):
        return url
    text = tidy(url)
    whole = _WEB.match(text) is not None
    try:
        joined = text if whole or not text else urljoin(base or "https:", text)
        parts = urlsplit(joined)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:  # e.g. an unclosed IPv6 bracket
        return None
    if not usable:
        return None
    return joined


def openable(url: str) -> bool:
    """Whether every browser reads the host of an http or https URL (WHATWG URL standard, 3.5).

    Numbers that are no dotted IPv4 address, punycode that means nothing and quotes are refused, too: one such address
    makes a site generator that reads it fail.
    """
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
        if parts.netloc.rpartition("@")[2].startswith("["):
            return bool(IPv6Address(host))
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return bool(IPv4Address(host))
        readable = host.encode("idna").decode("idna")
    except ValueError:
        return False
    return bool(readable) and not re.search("[\"']", parts.netloc) and not _FORBIDDEN_IN_HOST.search(host)


def host_of(url: str) -> str:
    """The lower-case host name of a URL, "" when there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def same_origin(first: str, url: str) -> bool:
    """Whether what was meant for ``first`` may be told to ``url``: the same origin, or its step up to https."""
    one, other = _origin(first), _origin(url)
    if one is None or other is None or one[1] != other[1]:
        return False
    return one == other or (one[::2], other[::2]) == (("http", 80), ("https", 443))


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port (RFC 6454); ``None`` for what has none."""
    try:
        parts = urlsplit(tidy(url))
        scheme = parts.scheme.lower()
        return (scheme, host_of(url), parts.port or {"http": 80, "https": 443}.get(scheme)) if parts.hostname else None
    except ValueError:
        return None


def is_sina(host: str) -> bool:
    """Whether a host belongs to Sina."""
    return any(host == domain or host.endswith("." + domain) for domain in SINA_DOMAINS)


def unwrap(url: str) -> str:
    """The target of Sina's RSS redirect; any other URL as it is.

    The target stands unencoded behind the first ``url=`` (captures since 2009), so everything after it belongs to it.
    """
    while found := _REDIRECT.match(tidy(url)):
        target = found["target"]
        url = unquote(target) if re.match(r"https?%3a", target, re.I) else target
    return url


def comos_id(text: str) -> str | None:
    """The content id of Sina's publishing system in a URL or docid: ``hqfskcn2160999``.

    The same id stands in ``doc-i<id>.shtml``, ``zl-i<id>.shtml``, ``detail-i<id>.d.html`` and ``comos:<id>``.
    """
    found = _COMOS.search(text)
    return found["id"].lower() if found else None


def bulletin_id(url: str) -> str | None:
    """The id of a company announcement on vip.stock.finance.sina.com.cn."""
    found = _BULLETIN.search(url)
    return found["id"] if found else None


def canonical(url: str) -> str:
    """One spelling for all spellings of an address; the section of a Sina path stays, so this alone is no identity.

    https, lower-case host without ``www.`` and default port, no fragment, no tracking parameters, percent-encoding
    in upper case and only where needed. On Sina's hosts the whole query goes (docs/sina.md), save where it is the
    address itself (``doc.sina.cn/?id=``, ``…php?id=``). Idempotent.
    """
    if usual := _USUAL.fullmatch(url):
        return f"https://{_WWW.sub('', usual[1])}{usual[2] or '/'}"
    return _spelt(tidy(unwrap(url)), _query)


def canonical_listing(url: str) -> str:
    """The same for a listing's address, where the whole query stays: it often says which list is meant."""
    return _spelt(tidy(url), lambda host, path, query: query)


def _spelt(text: str, query_of: Callable[[str, str, str], str]) -> str:
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        return text
    if parts.scheme.lower() not in ("http", "https") or not host:
        return text
    host = _WWW.sub("", host)
    netloc = f"[{host}]" if ":" in host else host
    if port and port not in (80, 443):
        netloc = f"{netloc}:{port}"
    path = _ENCODED_SLASH.join(_segments(piece) for piece in _SLASH_CODE.split(parts.path))
    return urlunsplit(("https", netloc, path or "/", query_of(host, parts.path, parts.query), ""))


def _segments(path: str) -> str:
    """A path with percent-encoding only where it is needed."""
    return quote(unquote(path, errors="surrogateescape"), safe="/:@!$&'()*+,;=~-._", errors="surrogateescape")


def _query(host: str, path: str, query: str) -> str:
    """The part of the query that names the thing."""
    if is_sina(host) and path not in ("", "/") and not path.endswith(".php"):
        return ""
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    kept = [(k, v) for k, v in pairs if k.lower() not in TRACKING and not k.lower().startswith("utm_")]
    return urlencode(kept, safe=":/", errors="surrogateescape")
