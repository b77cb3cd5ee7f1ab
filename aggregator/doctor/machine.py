"""What is wrong around the program: packages too old or missing, extras not installed, proxies in the environment."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from aggregator import __version__
from aggregator.doctor.finding import Finding

EXTRAS = {"browse": "datasette"}  # extra -> the package that stands for it
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)([^;]*)(;.*)?")
_LEAST = re.compile(r">=\s*([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Package:
    """A package the program needs: the version installed ("" for none) and the least one that will do ("" for any)."""

    name: str
    version: str
    least: str


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """The versions of the program and of all it stands on; the extras that are not installed; the names of the proxy
    variables that are set.
    """

    program: str = __version__
    python: str = ""
    packages: tuple[Package, ...] = ()
    lacking: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()


def installed(name: str) -> bool:
    """Whether a package can be imported."""
    return find_spec(name) is not None


def surveyed(environ: Mapping[str, str], find: Callable[[str], bool] = installed) -> MachineFacts:
    """What this machine says; ``find`` tells whether a package can be imported."""
    return MachineFacts(
        python=platform.python_version(),
        packages=tuple(_packages()),
        lacking=tuple(extra for extra, package in EXTRAS.items() if not find(package)),
        proxies=tuple(name for name in environ if name.lower() in _PROXIES and environ[name]),
    )


def _packages() -> Iterator[Package]:
    """The declared dependencies; none where the program runs without being installed."""
    try:
        lines = metadata.requires("aggregator") or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        found = _REQUIREMENT.match(line)
        if found and "extra" not in (found[3] or ""):
            least = _LEAST.search(found[2])
            yield Package(found[1], _version(found[1]), least[1] if least else "")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def of_machine(facts: MachineFacts) -> Iterator[Finding]:
    """The lines about packages."""
    wrong = [
        package
        for package in facts.packages
        if not package.version or _numbers(package.version) < _numbers(package.least)
    ]
    for package in wrong:
        state = f"{package.version} is too old" if package.version else "is not installed"
        need = f">={package.least}" if package.least else ""
        yield Finding(package.name, "bad", state, f"pip install '{package.name}{need}'")
    if facts.packages and not wrong:
        what = f"aggregator {facts.program}, Python {facts.python}, {len(facts.packages)} packages as needed"
        yield Finding("packages", "ok", what)
    for extra in facts.lacking:
        stands_in = EXTRAS.get(extra, extra)
        remedy = f"If you want `aggregator {extra}`: pip install 'aggregator[{extra}]'"
        yield Finding(stands_in, "warning", f"is not installed: `aggregator {extra}` does not work", remedy)


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
