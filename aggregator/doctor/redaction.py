"""What must not leave this machine: secrets of the configuration, cookies, tokens in addresses, people's e-mail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from aggregator.errors import masked
from aggregator.sources.people import body_without_people
from aggregator.text.secrets import PLAIN_HEADERS, text_without
from aggregator.web import Exchange

# Headers of an answer that may hold a secret.
_SECRET_HEADER = re.compile(r"cookie|auth|token|secret|session|csrf|xsrf|api-?key", re.I)
_PLACES = frozenset({"location", "content-location", "refresh"})  # headers that hold an address, maybe a relative one


def config_without(config: Mapping[str, object], secrets: Iterable[str]) -> dict[str, object]:
    """A configuration (as JSON) that may be shown: headers hidden, addresses masked, no e-mail address."""
    return {name: _shown(value, str(name), tuple(secrets)) for name, value in config.items()}


def _shown(value: object, under: str, secrets: tuple[str, ...]) -> object:
    if isinstance(value, Mapping):
        hide = under == "headers"
        return {
            name: "***" if hide and name.lower() not in PLAIN_HEADERS else _shown(inner, str(name), secrets)
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
    body = body_without(body_without_people(exchange.body), hidden)
    return replace(exchange, url=text_without(exchange.url, hidden), headers=headers, body=body, fault=fault)


def _may_show(header: str) -> bool:
    return not _SECRET_HEADER.search(header)


def _header(name: str, value: str, secrets: tuple[str, ...]) -> str:
    return text_without(masked(value) if name.lower() in _PLACES else value, secrets)


def body_without(body: bytes, secrets: Iterable[str]) -> bytes:
    """A body of any encoding, likewise; what is not ASCII stays as it is."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = body.decode("utf-16", "surrogatepass")
        return text_without(text, secrets).encode("utf-16", "surrogatepass")
    spelled = [secret.encode("utf-8").decode("latin-1") for secret in secrets]
    return text_without(body.decode("latin-1"), spelled).encode("latin-1")
