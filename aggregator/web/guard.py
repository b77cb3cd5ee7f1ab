"""Which URLs and which addresses may be asked. Pure: names and addresses in, verdicts out; nothing is resolved here.

A feed decides which URLs the program opens (article links, redirects), so each is judged before a connection is
made: by its text in ``admit``, and once more by the addresses its name resolves to (``dial`` asks ``Guard.refusal``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import NamedTuple

from aggregator.errors import ConfigError, FetchError, masked
from aggregator.web.lean import httpx
from aggregator.web.network import Network

Address = IPv4Address | IPv6Address
Block = IPv4Network | IPv6Network

# The IANA special-purpose registries (RFC 6890), and what Python's ``is_global`` lets through wrongly. The first block
# that holds an address names its case.
_CASES: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "an unspecified address"),
    ("10.0.0.0/8", "a private address"),
    ("100.64.0.0/10", "an address behind a carrier's NAT"),
    ("127.0.0.0/8", "a loopback address"),
    ("168.63.129.16/32", "a cloud platform's own address"),
    ("169.254.0.0/16", "a link-local address"),
    ("172.16.0.0/12", "a private address"),
    ("192.0.0.0/24", "a reserved address"),
    ("192.0.2.0/24", "a documentation address"),
    ("192.88.99.0/24", "a 6to4 relay address"),
    ("192.168.0.0/16", "a private address"),
    ("198.18.0.0/15", "a benchmarking address"),
    ("198.51.100.0/24", "a documentation address"),
    ("203.0.113.0/24", "a documentation address"),
    ("224.0.0.0/4", "a multicast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("::/128", "an unspecified address"),
    ("::1/128", "a loopback address"),
    ("::/96", "an IPv4-compatible address"),
    ("64:ff9b:1::/48", "a local NAT64 address"),
    ("2001::/23", "a reserved address"),
    ("2001:db8::/32", "a documentation address"),
    ("2002::/16", "a 6to4 address"),
    ("3fff::/20", "a documentation address"),
    ("fc00::/7", "a private address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a site-local address"),
    ("ff00::/8", "a multicast address"),
)
_BLOCKS: tuple[tuple[Block, str], ...] = tuple((ip_network(block), case) for block, case in _CASES)
_FAKE_IP = IPv4Network("198.18.0.0/15")  # where proxies that answer DNS themselves put every name
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the IPv4 address stands in the last 32 bits
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all of IPv6 that is handed out

_LONGEST = 300  # characters of a hostile URL that an error repeats
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_-])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


class Refusal(NamedTuple):
    """Why an address may not be asked (``case``), and the step that would allow it (``remedy``)."""

    case: str
    remedy: str


def unsafe(address: Address) -> str | None:
    """Name the case for which an address is not one of the public internet, or return ``None`` if it is one."""
    address = _unmapped(address)
    if isinstance(address, IPv6Address) and address in _NAT64:
        inner = unsafe(IPv4Address(int(address) & 0xFFFF_FFFF))
        return f"{inner}, written for NAT64" if inner else None
    for block, case in _BLOCKS:
        if address.version == block.version and address in block:
            return case
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "a reserved address"
    return None if address.is_global else "a reserved address"


def literal(host: str) -> Address | None:
    """Read a host that spells an address, in any way browsers and ``inet_aton`` accept; ``None`` for a name.

    ``127.1``, ``2130706433`` and ``0x7f000001`` are addresses (WHATWG URL, IPv4 parser). A host whose last label is a
    number and that is no address raises ``ValueError``: no top-level domain is one.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an address with a zone belongs to this machine alone")
        return _unmapped(IPv6Address(host))
    labels = host.split(".")
    if not _NUMBER.fullmatch(labels[-1]):
        return None
    try:
        *leading, last = [_number(label) for label in labels]
    except ValueError:
        raise ValueError(f"{host} is no IPv4 address") from None
    if len(leading) > 3 or any(n > 255 for n in leading) or last >= 256 ** (4 - len(leading)):
        raise ValueError(f"{host} is no IPv4 address")
    return IPv4Address(last + sum(n << (8 * (3 - place)) for place, n in enumerate(leading)))


@dataclass(frozen=True, slots=True)
class Guard:
    """The exceptions of one configuration: hosts and blocks that may be private, blocks of fake DNS answers."""

    hosts: frozenset[str] = frozenset()
    blocks: tuple[Block, ...] = ()
    fake: tuple[Block, ...] = ()

    @classmethod
    def of(cls, network: Network) -> Guard:
        """Read ``connect_to``, ``allow_private`` and ``fake_ip_ranges``. Raises ``ConfigError`` for a bad CIDR."""
        hosts = [entry for entry in network.allow_private if "/" not in entry]
        return cls(
            hosts=frozenset(spelling(host) for host in (*network.connect_to, *hosts)),
            blocks=_read_blocks("network.allow_private", (e for e in network.allow_private if "/" in e)),
            fake=_read_blocks("network.fake_ip_ranges", network.fake_ip_ranges),
        )

    def refusal(self, host: str, address: Address, *, answered: bool) -> Refusal | None:
        """Judge the address of a host: ``None`` means that it may be asked.

        ``answered`` says that DNS gave the address; it is false where the URL itself spells it.
        """
        address = _unmapped(address)
        if host in self.hosts or _inside(address, self.blocks) or (answered and _inside(address, self.fake)):
            return None
        case = unsafe(address)
        if case is None:
            return None
        if answered and _inside(address, (_FAKE_IP,)):
            return Refusal(
                "an address that only a local proxy answers",
                f"If a proxy on this network answers DNS so, add to config.yaml: network.fake_ip_ranges: [{_FAKE_IP}]",
            )
        return Refusal(case, f"If you trust this host, add to config.yaml: network.allow_private: [{host}]")


@lru_cache(maxsize=1024)  # a daemon asks the same listings again and again
def admit(text: str, guard: Guard, *, base: httpx.URL | None = None) -> httpx.URL:
    """Read a URL that is to be opened, relative to ``base`` if there is one, and judge it by its text.

    Returns it with its host in canonical form. Raises ``FetchError``: ``scheme`` if it is no usable http(s) URL,
    ``refused`` if it spells an address that may not be asked.
    """
    try:
        url = base.join(text.strip()) if base else httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError) as error:
        # What is wrong with it may be a password with a slash in it, which must not be repeated.
        raise _unusable(text, "it cannot be read" if "@" in text else str(error)) from None
    if url.scheme not in ("http", "https"):
        raise _unusable(text, f"the scheme {url.scheme[:20]!r} is not http or https")
    if url.port is not None and not 0 < url.port < 65536:
        raise _unusable(text, "the port is not between 1 and 65535")
    host = url.raw_host.decode("ascii").removesuffix(".")
    try:
        address = literal(host)
    except ValueError as error:
        raise _unusable(text, str(error)) from None
    if address is None and not _NAME.fullmatch(host):
        raise _unusable(text, "it has no usable host name")
    if address is not None:
        host = str(address)
        check(guard, host, address, answered=False, where=masked(text)[:_LONGEST])
    return url.copy_with(host=host)


def check(guard: Guard, host: str, address: Address, *, answered: bool, where: str = "") -> None:
    """Raise ``FetchError`` ``refused`` where ``Guard.refusal`` has a reason to."""
    refusal = guard.refusal(host, address, answered=answered)
    if refusal is not None:
        named = f"{host} is at {address}," if answered else f"{host} is"
        raise FetchError(f"{named} {refusal.case}: not asked", kind="refused", where=where, hint=refusal.remedy)


def spelling(entry: str) -> str:
    """Bring a host of the configuration into the form that ``admit`` gives hosts."""
    host = entry.strip().strip("[]").lower().removesuffix(".")
    try:
        return str(literal(host) or host)
    except ValueError:
        return host


def _unusable(text: str, why: str) -> FetchError:
    return FetchError(
        f"not a usable web address: {why}",
        kind="scheme",
        where=masked(text)[:_LONGEST],
        hint="Give an address that begins with http:// or https://",
    )


def _unmapped(address: Address) -> Address:
    """Take an IPv4 address out of its ``::ffff:`` form: both reach the same machine."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _inside(address: Address, blocks: Iterable[Block]) -> bool:
    return any(address.version == block.version and address in block for block in blocks)


def _number(label: str) -> int:
    """Read one part of an IPv4 address: hexadecimal after ``0x``, octal after ``0``, else decimal."""
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") and len(label) > 1 else 10)


def _read_blocks(key: str, entries: Iterable[str]) -> tuple[Block, ...]:
    try:
        return tuple(ip_network(entry.strip(), strict=False) for entry in entries)
    except ValueError as error:
        raise ConfigError(str(error), where=key, hint="Write a range such as 192.168.1.0/24") from None
