"""XML made safe and well-formed enough for feedparser, which else raises, guesses or takes hours.

Each repair answers a measured failure: text before the first tag; control characters; references to characters that
do not exist (feedparser raises, the whole feed is lost); bare ampersands, HTML's entities and undeclared prefixes (one
of them sends the whole feed to the loose parser); entity declarations that grow without bound; half a million
attributes or unended tags (quadratic: 46 minutes and 33 seconds).
"""

from __future__ import annotations

import re
from html.entities import html5

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_DECLARED = re.compile(r"<\?xml\b[^>]{0,500}\?>", re.I)
# What XML 1.0 allows, without noncharacters. To run over it takes half the time of looking for anything else.
_ALLOWED = "\t\n\r -\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff"
_CLEAN = re.compile(f"[{_ALLOWED}]*+")
_CONTROLS = re.compile(f"[^{_ALLOWED}]")
_REFERENCE = re.compile(r"&#(?:[xX](?P<hex>[0-9a-fA-F]+)|(?P<decimal>[0-9]+));?")
_PAIR = re.compile(r"&#[xX]([dD][89abAB][0-9a-fA-F]{2});&#[xX]([dD][c-fC-F][0-9a-fA-F]{2});")
_NAME = re.compile(r"<[^\s/>]+")
_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.I)
_ENTITY = re.compile(
    r"<!ENTITY\s+(\w{1,40})\s+(?:\"([^\"&%<]{0,200}|&#\w{1,8};)\"|'([^'\"&%<]{0,200}|&#\w{1,8};)')\s*>"
)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_FIRST = re.compile(r"<!--|<[A-Za-z_]")
# Prefixes that feeds use without declaring them, and what they always mean.
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}
_PREFIX = re.compile(r"<([a-z]+):")
_TWICE_OPENED = re.compile(r"<!\[CDATA\[\s*<!\[CDATA\[")
_TWICE_CLOSED = re.compile(r"\]\]>\s*\]\]>")
_CDATA = re.compile(r"(<!\[CDATA\[.*?\]\]>)", re.S)
_AMPERSAND = re.compile(r"&(?!#[0-9]+;|#x[0-9a-fA-F]+;|(?:amp|lt|gt|quot|apos);)(?P<name>[A-Za-z]\w{0,40};)?")
_LONG_TAG = re.compile(r"<([A-Za-z_][^\s<>/]*)\s[^<>]{800,}>")
_ATTRIBUTE = re.compile(r"""\s[\w:.-]+\s*=\s*["']""")
_MOST_ATTRIBUTES = 100
_UNENDED = re.compile(r"<(?![!?])(?=[^<>]*<)")
_MOST_UNENDED = 1000
_PREAMBLE = 16_384  # how far an XML declaration is looked for behind a server's own warnings
_MOST_ENTITIES = 300


def repaired(text: str) -> str:
    """The text with a UTF-8 declaration in front, and without what XML 1.0 (section 2.2) does not allow."""
    body = without_preamble(text)
    if not _CLEAN.fullmatch(body):
        body = _CONTROLS.sub("", body)
    body = _tags(_references(_sections(body)))
    root = _first_tag(body)
    prolog = _COMMENT.sub("", body[:root])
    return DECLARATION + _prolog(prolog) + _ampersands(_declared(body[root:]), prolog)


def without_preamble(text: str) -> str:
    """Without anything before the XML declaration, or before the first tag where there is none; without it, too.

    Servers write their own warnings there, often with markup.
    """
    declared = _DECLARED.search(text, 0, _PREAMBLE)
    if declared and not re.search(r"<html|<!doctype html", text[: declared.start()], re.I):
        return text[declared.end() :]
    return text[max(text.find("<"), 0) :]


def _sections(text: str) -> str:
    """CDATA sections that were put into CDATA sections, as one: the first end would end both, and the rest be lost."""
    return _TWICE_CLOSED.sub("]]>", _TWICE_OPENED.sub("<![CDATA[", text)) if _TWICE_CLOSED.search(text) else text


def _tags(text: str) -> str:
    """Without the attributes of tags that have more than anybody writes, and without a flood of unended tags."""
    text = _LONG_TAG.sub(_bounded, text)
    if text.count("<") - text.count(">") > _MOST_UNENDED:
        text = _UNENDED.sub("&lt;", text)
    return text


def _bounded(tag: re.Match[str]) -> str:
    if sum(1 for _ in _ATTRIBUTE.finditer(tag[0])) <= _MOST_ATTRIBUTES:
        return tag[0]
    return f"<{tag[1]}/>" if tag[0].endswith("/>") else f"<{tag[1]}>"


def _ampersands(document: str, prolog: str) -> str:
    """Outside CDATA: HTML's named characters as themselves, other ampersands that begin no reference escaped."""
    if "&" not in document:
        return document
    own = set(re.findall(r"<!ENTITY\s+(\w+)", prolog))
    # Behind the last end a section has none: looking for it once per beginning would be quadratic.
    end = document.rfind("]]>") + 3 if "]]>" in document else 0
    pieces = _CDATA.split(document[:end])
    pieces[-1] += document[end:]
    pieces[::2] = [_AMPERSAND.sub(lambda found: _ampersand(found, own), piece) for piece in pieces[::2]]
    return "".join(pieces)


def _ampersand(found: re.Match[str], own: set[str]) -> str:
    name = found["name"] or ""
    if name[:-1] in own:
        return found[0]
    character = html5.get(name, "") if name else ""
    return character or f"&amp;{name}"


def _references(text: str) -> str:
    """Character references to real characters only: surrogate pairs joined, controls dropped, the rest U+FFFD."""
    if "&" not in text or "&#" not in text:  # one character is found ten times faster than two
        return text
    return _REFERENCE.sub(_reference, _PAIR.sub(_joined, text))


def _joined(found: re.Match[str]) -> str:
    return chr(0x10000 + ((int(found[1], 16) - 0xD800) << 10) + int(found[2], 16) - 0xDC00)


def _reference(found: re.Match[str]) -> str:
    digits = found["hex"] or found["decimal"]
    number = int(digits, 16 if found["hex"] else 10) if len(digits.lstrip("0")) <= 8 else 0x110000
    if number in (9, 10, 13) or (32 <= number <= 0x10FFFF and not _CONTROLS.match(chr(number))):
        return found[0]
    return "" if number < 32 else "\ufffd"


def _first_tag(text: str) -> int:
    """Where the root element begins; comments before it may hold tags."""
    at = 0
    while found := _FIRST.search(text, at):
        if found[0] != "<!--":
            return found.start()
        at = text.find("-->", found.end())
        if at < 0:
            break
    return 0


def _declared(document: str) -> str:
    """The document with the well-known prefixes it uses declared on its root element."""
    used = set(_PREFIX.findall(document))
    missing = [
        f' xmlns:{prefix}="{meaning}"'
        for prefix, meaning in _NAMESPACES.items()
        if prefix in used and f"xmlns:{prefix}" not in document
    ]
    return _NAME.sub(lambda found: found[0] + "".join(missing), document, count=1) if missing else document


def _prolog(head: str) -> str:
    """What stands before the root: a DOCTYPE keeps its name and only entities that are short and expand to text."""
    doctype = _DOCTYPE.search(head)
    if not doctype:
        return head
    declaration = head[doctype.start() :]
    if "[" not in declaration:
        return f"{head[: doctype.start()]}\n{declaration}"
    entities = [f'<!ENTITY {name} "{double or single}">' for name, double, single in _ENTITY.findall(declaration)]
    if not entities:
        return head[: doctype.start()]
    return "\n".join([head[: doctype.start()], "<!DOCTYPE feed [", *entities[:_MOST_ENTITIES], "]>", ""])
