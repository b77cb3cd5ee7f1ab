"""HTML as a tree that can be compared: names, attributes and text count, white space and the spelling do not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode


class Element(NamedTuple):
    name: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Element | str, ...]


Tree = tuple[Element | str, ...]


def tree(html: str) -> Tree:
    """The tree a browser would build of a fragment; comments are no part of it."""
    body = LexborHTMLParser(f"<!DOCTYPE html><body>{html}").body
    return _folded(_children(body)) if body is not None else ()


def words(html: str) -> str:
    """The text of a fragment, white space folded."""
    body = LexborHTMLParser(f"<!DOCTYPE html><body>{html}").body
    return " ".join(body.text().split()) if body is not None else ""


def names(nodes: Tree) -> set[str]:
    """The names of all its elements."""
    return {element.name for element in _elements(nodes)}


def without(
    nodes: Tree, *, elements: Collection[str] = (), tags: Collection[str] = (), attributes: Collection[str] = ()
) -> Tree:
    """The tree without some elements, without the tags of others, and without some attributes."""
    kept: list[Element | str] = []
    for node in nodes:
        if isinstance(node, str):
            kept.append(node)
            continue
        inner = without(node.children, elements=elements, tags=tags, attributes=attributes)
        if node.name in tags:
            kept.extend(inner)
        elif node.name not in elements:
            kept.append(Element(node.name, tuple(a for a in node.attributes if a[0] not in attributes), inner))
    return _folded(kept)


def _children(node: LexborNode) -> Iterator[Element | str]:
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            yield child.text_content or ""
        elif child.tag and not child.tag.startswith(("-", "!", "_")):
            attributes = tuple(sorted((name, _declared(name, value or "")) for name, value in child.attributes.items()))
            yield Element(child.tag, attributes, _folded(_children(child)))


def _declared(name: str, value: str) -> str:
    """An attribute's value; a style as its declarations, however they are spaced."""
    if name != "style":
        return value
    declarations = (declaration.partition(":") for declaration in value.split(";") if declaration.strip())
    return ";".join(f"{name.strip().lower()}:{' '.join(rest.split())}" for name, _, rest in declarations)


def _folded(nodes: Iterator[Element | str] | list[Element | str]) -> Tree:
    """Neighbouring texts joined, white space folded, empty texts gone."""
    joined: list[Element | str] = []
    for node in nodes:
        if isinstance(node, str) and joined and isinstance(joined[-1], str):
            joined[-1] += node
        else:
            joined.append(node)
    folded = (" ".join(node.split()) if isinstance(node, str) else node for node in joined)
    return tuple(node for node in folded if node != "")


def _elements(nodes: Tree) -> Iterator[Element]:
    for node in nodes:
        if isinstance(node, Element):
            yield node
            yield from _elements(node.children)
