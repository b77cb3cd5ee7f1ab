"""The JSON Schema of config.yaml, each key with the words that stand below it in the code."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

from pydantic import BaseModel

from aggregator.config.kinds import Section
from aggregator.config.settings import Settings


def schema() -> dict[str, object]:
    """The JSON Schema of config.yaml, for editors (`aggregator config schema`)."""
    found = Settings.model_json_schema()
    # pydantic would read the docstrings itself, but when the classes are made: a fifth of every command's start.
    defined = {**found["$defs"], Settings.__name__: found}
    for section in _sections(Section):
        for key, words in _docstrings(section):
            defined[section.__name__]["properties"][key]["description"] = words
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "aggregator config.yaml"}


def _sections(root: type[Section]) -> Iterator[type[Section]]:
    for section in root.__subclasses__():
        yield section
        yield from _sections(section)


def _docstrings(section: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Each key a section declares, as the file spells it, and the string that follows it."""
    body = ast.parse(inspect.getsource(section)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, words in pairwise(body.body):
        match field, words:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                yield section.model_fields[name].alias or name, inspect.cleandoc(text)
