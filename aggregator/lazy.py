"""Packages whose names are loaded when they are first asked for: a command that needs one waits for no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """What a package's ``__getattr__`` is (PEP 562). ``homes``: its modules, each with the names it is home to."""
    found = {name: f"{package}.{module}" for module, names in homes.items() for name in names.split()}

    def get(name: str) -> object:
        """The thing of that name. Raises ``AttributeError`` where there is none."""
        if name not in found:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(found[name]), name)

    return get
