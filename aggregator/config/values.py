"""The kinds of value a configuration holds: durations, sizes, addresses, zones. Text in, value out, ValueError else.

The messages complete the sentence "feeds[3].every: …" and say what would be right.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import unicodedata
import zoneinfo
from urllib.parse import SplitResult, urlsplit

from aggregator.text.characters import printable
from aggregator.text.charset import codec_of

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
LONGEST = 3650 * 86_400  # seconds

_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([a-zA-Z]*)")
_HOST = re.compile(r"[^\W_](?:[\w-]*\w)?(?:\.[\w-]*\w)*\.?")
_TURNING = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")  # they turn the direction of writing
# A name of XML 1.0 (section 2.3), but for its colon, which parts a prefix from the rest.
_START = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART = f"[{_START}][{_START}.0-9\xb7\u0300-\u036f\u203f\u2040-]*"
_ATTRIBUTE_NAME = f"{_PART}(?::{_PART})?"  # compiled where one is looked at: that takes 7 ms
# The program writes these itself, or they would make something else of the outline.
_TAKEN = re.compile(r"text|xmlurl|iscomment|xmlns|xmlns:(?:xml|xmlns|aggregator)|aggregator:.*", re.I)
_LONGEST_ATTRIBUTE = 4_000
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


def shown(value: object) -> str:
    """A value as a message quotes it: short, on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return f"'{text[:57]}...'" if len(text) > 60 else f"'{text}'"


def seconds(value: object) -> float:
    """``30s``, ``5m``, ``6h``, ``7d``, ``500ms`` or a bare number of seconds, as seconds."""
    wrong = f"must be a duration such as 30s, 5m, 6h or 7d, not {shown(value)}"
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(wrong)
    text = str(value).strip()
    if text.startswith("-"):
        raise ValueError(f"must not be negative, but is {shown(value)}")
    match = _AMOUNT.fullmatch(text)
    unit = SECONDS.get(match[2] or "s") if match else None
    if match is None or unit is None:
        raise ValueError(wrong)
    result = float(match[1]) * unit
    if result > LONGEST:
        raise ValueError(f"must be at most {LONGEST // 86_400}d, not {shown(value)}")
    return result


def whole_seconds(value: object) -> int:
    """A duration of at least one second, in whole seconds."""
    result = seconds(value)
    if result < 1:
        raise ValueError(f"must be at least 1s, not {shown(value)}")
    if result != int(result):
        raise ValueError(f"must be whole seconds, not {shown(value)}")
    return int(result)


def positive_seconds(value: object) -> float:
    """A duration above zero, in seconds; fractions are fine."""
    result = seconds(value)
    if result <= 0:
        raise ValueError(f"must be more than 0s, not {shown(value)}")
    return result


def size(value: object) -> int:
    """``10MB`` (10^7), ``512kB``, ``1MiB`` or a bare number of bytes, as bytes."""
    match = None if isinstance(value, bool) else _AMOUNT.fullmatch(str(value).strip())
    unit = BYTES.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"must be a size such as 500kB or 10MB, not {shown(value)}")
    result = int(float(match[1]) * unit)
    if result < 1:
        raise ValueError("must be at least 1 byte")
    return result


def words(value: object) -> str:
    """A text on one line that is not empty."""
    if not isinstance(value, str):
        hint = "; put it in quotes" if isinstance(value, (int, float)) else ""
        raise ValueError(f"must be a text, not {shown(value)}{hint}")
    text = value.strip()
    if not text:
        raise ValueError("must not be empty")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text) or printable(text) != text:
        raise ValueError("must be one line without control characters")
    return text


def charset(value: object) -> str:
    """The name of a charset that can be read."""
    text = words(value)
    if codec_of(text) is None:
        raise ValueError(f"must be a charset such as gb18030, big5 or utf-8, not {shown(text)}")
    return text


def feed_name(value: object) -> str:
    """A name that can be typed on a command line without being taken for an option or a URL."""
    text = words(value)
    if text.startswith("-") or "://" in text or len(text) > 100:
        raise ValueError("must be a short name such as sina-domestic, without :// and no - at its start")
    if _TURNING.search(text):
        raise ValueError("must have no invisible characters that turn the direction of writing")
    return text


def web_url(value: object) -> str:
    """An absolute http or https URL with a host. The value is never quoted back: it may hold a password."""
    text = words(value)
    if any(c.isspace() for c in text):
        raise ValueError("must be a URL without spaces; write %20 for a space")
    parts = split_url(text)
    if parts.scheme not in ("http", "https"):
        kind = f"the scheme {shown(parts.scheme)}" if "://" in text else "no scheme"
        raise ValueError(f"must be a URL that begins with https:// or http://, but has {kind}")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname.strip("[]").replace(":", "")):
        raise ValueError(f"must be a URL with a host, as in https://example.org/feed.xml ({_host_of(parts)})")
    return text


def split_url(text: str) -> SplitResult:
    """``urlsplit`` whose errors are sentences, and which checks the port too."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        # What is no port may be half a password.
        raise ValueError("is not a URL" if "@" in text else f"is not a URL: {error}") from None
    return parts


def _host_of(parts: SplitResult) -> str:
    return f"the host is {shown(parts.hostname)}" if parts.hostname else "there is none"


# What the address of each of Sina's other sources looks like, and an example.
_SOURCE_URLS: dict[str, tuple[str, str]] = {
    "sina-live": (
        r"https?://[^/]+/api/(?:zhibo/feed\?(?:.*&)?zhibo_id=\d+|news/pc\b).*",
        "https://zhibo.sina.com.cn/api/zhibo/feed?zhibo_id=152&tag_id=0&dire=f&dpc=1",
    ),
    "sina-column": (
        r"https?://[^/]+/roll/(?:c/\d+\.shtml|index\.d\.html\?.*\bcid=\d+).*",
        "https://finance.sina.com.cn/roll/c/56592.shtml",
    ),
    "sina-company": (
        r"https?://[^/]+/corp/(?:go|view)[./].*\d{6}.*",
        "https://vip.stock.finance.sina.com.cn/corp/go.php/vCB_AllNewsStock/symbol/sz300750.phtml",
    ),
}


def source_url(source: str, url: str) -> str:
    """The address of a feed of that source: it must be one that the source can read."""
    if source == "sina-roll":
        return roll_url(url)
    shape, example = _SOURCE_URLS.get(source, (".*", ""))
    if not re.fullmatch(shape, url):
        raise ValueError(f"is no address of {source}, which looks like {example}")
    return url


def roll_url(url: str) -> str:
    """A URL of Sina's roll API: it must name its list by numbers, ``pageid`` and ``lid``."""
    query = dict(pair.partition("=")[::2] for pair in urlsplit(url).query.split("&"))
    missing = [key for key in ("pageid", "lid") if not re.fullmatch(r"[0-9]+", query.get(key, ""))]
    if missing:
        example = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686"
        raise ValueError(f"has no {' and no '.join(missing)}; a sina-roll URL looks like {example}")
    return url


def host(value: object) -> str:
    """A host name or address without scheme and port, in lower case."""
    text = words(value).lower()
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        pass
    if not _HOST.fullmatch(text):
        raise ValueError(f"must be a host name such as finance.sina.com.cn, not {shown(text)}")
    return text


def local_address(value: object) -> str:
    """``http://host:port``, where a host of ``connect_to`` is really reached (plain HTTP, no path)."""
    wrong = ValueError(f"must be http://host:port, as in http://127.0.0.1:8377, not {shown(value)}")
    try:
        parts = split_url(words(value))
    except ValueError:
        raise wrong from None
    if parts.scheme != "http" or not parts.hostname or not parts.port or "@" in parts.netloc:
        raise wrong
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong
    name = parts.hostname
    return f"http://{f'[{name}]' if ':' in name else name}:{parts.port}"


def listening(value: object) -> tuple[str, int] | None:
    """An address of this machine and a port, as in 127.0.0.1:9464 or [::1]:9464; port 0 is any that is free."""
    if value is None:
        return None
    text = words(value)
    address, _, port = text.rpartition(":")
    try:
        parsed = str(ipaddress.ip_address(address.removeprefix("[").removesuffix("]")))
        number = int(port) if port.isascii() and port.isdecimal() else -1
        if not 0 <= number <= 65535:
            raise ValueError
    except ValueError:
        raise ValueError(f"must be an address and a port such as 127.0.0.1:9464, not {shown(text)}") from None
    return parsed, number


def network(value: object) -> str:
    """An address range in CIDR notation."""
    text = words(value)
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"must be a range such as 10.0.0.0/8, not {shown(text)}") from None
    raise ValueError(f"must be a range such as {meant}, not {shown(text)}")


def host_or_network(value: object) -> str:
    """A host name, an address, or a range in CIDR notation."""
    text = words(value)
    return network(text) if "/" in text else host(text)


def zone(value: object) -> str:
    """The IANA name of a time zone this machine knows."""
    text = words(value)
    try:
        return zoneinfo.ZoneInfo(text).key
    except (ValueError, OSError, KeyError):
        pass
    known = zoneinfo.available_timezones()
    if not known:
        raise ValueError(f"cannot be looked up: this machine has no time zones ({text}); pip install tzdata")
    folded = {name.lower(): name for name in known}
    near = difflib.get_close_matches(text.lower(), folded, n=1)
    meant = f"; did you mean {folded[near[0]]}?" if near else ", such as Asia/Shanghai or UTC"
    raise ValueError(f"must be the name of a time zone, not {shown(text)}{meant}")


def header_name(value: object) -> str:
    """The name of an HTTP header (a token of RFC 9110)."""
    text = words(value)
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError("must be the name of an HTTP header, such as Referer")
    return text


def header_value(value: object) -> str:
    """The value of an HTTP header. It may be a secret, so that no message repeats it."""
    if not isinstance(value, str):
        raise ValueError("must be a text; put it in quotes")
    if not all(" " <= c <= "~" for c in value):
        raise ValueError("must be printable ASCII on one line")
    return value.strip()


def attribute_name(value: object) -> str:
    """The name of an attribute of an OPML outline that means nothing to the program, with or without a prefix."""
    text = words(value)
    if len(text) > 100 or not re.fullmatch(_ATTRIBUTE_NAME, text):
        raise ValueError("must be the name of an XML attribute, such as htmlUrl")
    if _TAKEN.fullmatch(text):
        raise ValueError("is an attribute the program writes itself; delete it")
    return text


def attribute_text(value: object) -> str:
    """The text of such an attribute; it may be empty."""
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {shown(value)}; put it in quotes")
    if len(value) > _LONGEST_ATTRIBUTE:
        raise ValueError(f"must have at most {_LONGEST_ATTRIBUTE} characters")
    if printable(value) != value:
        raise ValueError("must be without control characters")
    return value
