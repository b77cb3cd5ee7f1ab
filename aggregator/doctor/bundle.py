"""A bundle: everything that was answered, without secrets, in a folder that can be sent to somebody and asked again.

``bundle.json`` (instant, version, feeds, names, facts), ``config.json``, and per exchange ``exchanges/0001.json`` with
its body in ``exchanges/0001.body``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast, get_type_hints

from aggregator import __version__
from aggregator.config import Settings, parse
from aggregator.doctor.disk import ArchiveFacts, shown
from aggregator.doctor.looking import Named
from aggregator.doctor.machine import MachineFacts, Package
from aggregator.doctor.redaction import config_without, exchange_without
from aggregator.doctor.verdicts import Facts
from aggregator.errors import ConfigError
from aggregator.text.dates import parse_iso
from aggregator.web import Exchange

FORMAT = 1
_MOST = 100_000_000  # bytes of one file that is read


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds. ``feeds`` are the names of those looked at; ``names`` is by host."""

    at: datetime
    settings: Settings
    feeds: tuple[str, ...]
    facts: Facts
    names: Mapping[str, Named]
    exchanges: tuple[Exchange, ...]


def save(bundle: Bundle, folder: Path) -> None:
    """Write a bundle, without its secrets, into a new or empty folder.

    Raises:
        ConfigError: as ``ready``.
    """
    config = _config(bundle.settings)
    secrets = bundle.settings.secrets()
    about = {
        "format": FORMAT,
        "program": __version__,
        "at": bundle.at.isoformat(),
        "feeds": bundle.feeds,
        "names": {host: asdict(named) for host, named in bundle.names.items()},
        "facts": asdict(bundle.facts),
    }
    try:
        ready(folder)
        (folder / "exchanges").mkdir()
        _write(folder / "bundle.json", about)
        _write(folder / "config.json", config_without(config, secrets))
        for number, exchange in enumerate(bundle.exchanges, 1):
            _write_exchange(folder / "exchanges", number, exchange_without(exchange, secrets))
    except OSError as error:
        raise _unusable(folder, str(error.strerror), "Name a folder this user may write to") from error


def ready(folder: Path) -> None:
    """Make the folder for a bundle, if it is not there.

    Raises:
        ConfigError: there is something in the folder, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise _unusable(folder, "there is something in it", "Name a new folder")
    except OSError as error:
        raise _unusable(folder, str(error.strerror), "Name a folder this user may write to") from error


def _config(settings: Settings) -> dict[str, object]:
    """A configuration as JSON, without what means nothing elsewhere: files of this machine, folders of posts."""
    config: dict[str, Any] = settings.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    config.pop("export", None)
    config.get("network", {}).pop("ca_bundle", None)
    for feed in config.get("feeds", []):
        feed.pop("opml", None)
        feed.pop("cookies_file", None)
    return config | {"archive": shown(settings.archive)}


def _write_exchange(folder: Path, number: int, exchange: Exchange) -> None:
    (folder / f"{number:04}.body").write_bytes(exchange.body)
    fault = dict(zip(("kind", "message", "hint"), exchange.fault, strict=True)) if exchange.fault else None
    told = {"url": exchange.url, "referer": exchange.referer, "status": exchange.status}
    _write(folder / f"{number:04}.json", told | {"headers": exchange.headers, "fault": fault})


def _write(file: Path, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    file.write_text(text + "\n", encoding="utf-8", errors="replace")


def load(folder: Path) -> Bundle:
    """Read a bundle.

    Raises:
        ConfigError: this is no bundle, or one of another format.
    """
    try:
        about = _read(folder / "bundle.json")
        if about.get("format") != FORMAT:
            raise _unusable(
                folder, f"its format is {about.get('format')!r}, not {FORMAT}", "Use the version that made it"
            )
        archive, machine = about["facts"]["archive"], about["facts"]["machine"]
        return Bundle(
            at=parse_iso(about["at"]),
            settings=parse((folder / "config.json").read_text(encoding="utf-8"), folder / "config.json"),
            feeds=_texts(about["feeds"]),
            facts=Facts(_archive(archive), _machine(machine)),
            names={host: _named(one) for host, one in about["names"].items()},
            exchanges=tuple(_exchange(file) for file in sorted((folder / "exchanges").glob("*.json"))),
        )
    except OSError as error:
        raise _unusable(folder, str(error.strerror), "Name a folder that `aggregator doctor --save` wrote") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(folder, f"{type(error).__name__}: {error}", "It is damaged; save a new one") from error


def _read(file: Path) -> dict[str, Any]:
    if file.stat().st_size > _MOST:
        raise ValueError(f"{file.name} is too large")
    value = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{file.name} holds no object")
    return value


def _exchange(file: Path) -> Exchange:
    told = _read(file)
    fault = told["fault"] and tuple(str(told["fault"][key]) for key in ("kind", "message", "hint"))
    headers = tuple((str(name), str(value)) for name, value in told["headers"])
    body = file.with_suffix(".body").read_bytes()
    status = None if told["status"] is None else int(told["status"])
    return Exchange(str(told["url"]), bool(told["referer"]), status, headers, body, fault or None)


def _named(told: Mapping[str, Any]) -> Named:
    return Named(tuple(str(ip_address(text)) for text in _texts(told["addresses"])), str(told["error"]))


def _archive(told: Mapping[str, Any]) -> ArchiveFacts:
    refusal = _texts(told["refusal"]) if told["refusal"] else None
    if refusal and len(refusal) != 3:
        raise ValueError("a refusal is kind, message and hint")
    simple = {name: value for name, value in told.items() if name != "refusal"}
    return ArchiveFacts(**_typed(ArchiveFacts, simple), refusal=cast("tuple[str, str, str] | None", refusal))


def _machine(told: Mapping[str, Any]) -> MachineFacts:
    packages = tuple(Package(**_typed(Package, package)) for package in told["packages"])
    return MachineFacts(
        str(told["program"]), str(told["python"]), packages, _texts(told["lacking"]), _texts(told["proxies"])
    )


def _typed(kind: type, told: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a dataclass's fields of simple types. Raises ``TypeError`` for others."""
    hints = get_type_hints(kind)
    wrong = [name for name, value in told.items() if not isinstance(value, hints[name])]
    if wrong:
        raise TypeError(f"{wrong[0]} is no {hints[wrong[0]]}")
    return dict(told)


def _texts(told: object) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(text, str) for text in told):
        raise TypeError("this is no list of texts")
    return tuple(told)


def _unusable(folder: Path, why: str, hint: str) -> ConfigError:
    return ConfigError(f"this folder cannot be used for a bundle: {why}", where=str(folder), hint=hint)
