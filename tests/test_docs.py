"""The documentation speaks of what there is, and of all there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import typer
from sqlite_utils import Database

from aggregator.archive.schema import migrations
from aggregator.cli import app
from aggregator.config import schema
from aggregator.model import Status

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}


def commands() -> dict[str, set[str]]:
    """Every command with its options, those of groups as "feeds add"."""
    found: dict[str, set[str]] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for inner, each in getattr(command, "commands", {"": command}).items():
            options = {option for parameter in each.params for option in parameter.opts if option.startswith("--")}
            found[f"{name} {inner}".strip()] = options
    return found


def test_every_command_takes_the_configuration() -> None:
    assert [name for name, options in commands().items() if "--config" not in options] == []


def test_the_readme_names_every_command() -> None:
    groups = {name.split()[0] for name in commands()}
    assert [name for name in groups if f"aggregator {name}" not in README + "".join(DOCS.values())] == []
    assert [
        name for name in ("fetch", "run", "demo", "browse", "show", "status") if f"aggregator {name}" not in README
    ] == []


@pytest.mark.parametrize("name", ["README.md", *DOCS])
def test_commands_and_options_a_page_names_exist(name: str) -> None:
    text = README if name == "README.md" else DOCS[name]
    known = commands()
    options = set().union(*known.values()) | {"--version", "--help", "--config"}
    for call in re.findall(r"(?m)(?:^|[`$ ])aggregator ((?:[a-z]+)(?: [^`\n#]*)?)", text):
        word = call.split()[0]
        if word == "import":  # the Python example
            continue
        assert any(one.split()[0] == word for one in known), call
        assert set(re.findall(r"(?<!\S)--[a-z-]+", call)) <= options, call


def test_links_lead_somewhere() -> None:
    for name, text in {"README.md": README, **{f"docs/{name}": text for name, text in DOCS.items()}}.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name} -> {target}"


def keys_of(section: dict[str, object], root: dict[str, object], prefix: str = "") -> set[str]:
    """The dotted keys of a JSON Schema's sections; lists and mappings count as one key."""
    found: set[str] = set()
    for name, value in section.get("properties", {}).items():  # type: ignore[attr-defined]
        references = re.findall(r"#/\$defs/(\w+)", str(value))
        inner = root["$defs"].get(references[0]) if references and "items" not in value else None  # type: ignore[attr-defined]
        found |= keys_of(inner, root, f"{prefix}{name}.") if inner and "properties" in inner else {prefix + name}
    return found


def test_every_key_of_the_configuration_is_described_and_no_other() -> None:
    whole = schema()
    known = keys_of(whole, whole)
    text = DOCS["operations.md"]
    assert [key for key in known if f"`{key}`" not in text] == []
    named = set(re.findall(r"`((?:network|defaults|document|export)\.[a-z_.]+)`", "".join(DOCS.values())))
    assert named <= known


def test_every_table_is_described_and_no_other() -> None:
    db = Database(memory=True)
    migrations.apply(db)
    tables = {name for name in db.table_names() if not name.startswith(("_", "revisions_fts_"))}
    db.close()
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", DOCS["archive.md"])) == tables


def test_every_status_is_explained() -> None:
    assert [status for status in get_args(Status) if f"`{status}`" not in DOCS["operations.md"]] == []


def test_there_are_exactly_two_set_up_commands() -> None:
    assert len(re.findall(r"(?m)^python3 -m venv ", README)) == 2
