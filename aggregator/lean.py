"""What others import where it is installed, and nobody here needs, left out: a start costs what is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """What is imported meanwhile finds these not installed, but for those that have been imported before."""
    hidden = [module for module in modules if module not in sys.modules]
    for module in hidden:
        sys.modules[module] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        for module in hidden:
            del sys.modules[module]


@contextmanager
def told(name: str, value: str) -> Iterator[None]:
    """What is imported meanwhile finds this in the environment, unless whoever started the program says otherwise."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
