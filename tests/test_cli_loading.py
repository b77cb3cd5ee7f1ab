"""A command loads its own module and no other group's: the command line starts as fast as that command can."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest
import typer

from aggregator.cli import COMMANDS, app


def homes(application: typer.Typer) -> Iterator[tuple[str, str]]:
    """Each command's name and the module that holds it."""
    for command in application.registered_commands:
        assert command.callback
        yield command.name or command.callback.__name__, command.callback.__module__
    for group in application.registered_groups:
        assert group.name
        assert group.typer_instance
        yield from {(group.name, module) for _, module in homes(group.typer_instance)}


def test_the_table_names_every_command_with_its_module() -> None:
    assert dict(homes(app)) == {name: f"aggregator.cli.{module}" for name, module in COMMANDS.items()}


@pytest.mark.parametrize("package", ["aggregator.app", "aggregator.archive", "aggregator.web"])
def test_a_package_that_loads_its_names_when_asked_has_them_all(package: str) -> None:
    module = import_module(package)
    assert [getattr(module, name).__name__ for name in module.__all__ if callable(getattr(module, name))]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize("name", ["fetch", "search", "config", "doctor"])
def test_a_command_alone_answers(name: str) -> None:
    program = (
        "import sys; from aggregator.cli import run\n"
        "try: run()\n"
        "finally: print(*sorted(n for n in sys.modules if n.startswith('aggregator.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", program, name, "--help"], capture_output=True, text=True, check=True)
    assert f"{name} [OPTIONS]" in done.stdout
    loaded = done.stdout.splitlines()[-1].split()
    assert f"aggregator.cli.{COMMANDS[name]}" in loaded
    assert "aggregator.cli.doctor" not in loaded or name == "doctor"
