"""HTML of strangers, made safe and kept faithful: one allow-list walk for documents, listings and pages of ours.

The tree is built by an HTML5 parser (lexbor), so that what we judge is what a browser would see; BeautifulSoup walks
it; the serialiser is our own, because the document format wants attributes in source order, bare empty values, and
text with entities undone (docs/format.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from html import unescape

from aggregator.text import nested
from aggregator.text.attributes import attributes
from aggregator.text.characters import escape_attribute, escape_text, printable
from aggregator.text.weight import excess

MAX_DEPTH = 512  # open elements; real pages stay below 60, and parsers go quadratic above some thousand

VOID = frozenset("area br col hr img input source track wbr".split())
# What a reader may see, and names of old that browsers treat as they do a span. Everything else goes: with its content
# if it is in DROPPED, by its tags alone if not.
ALLOWED = frozenset(
    """a abbr acronym address area article aside audio b bdi bdo big blockquote br caption center cite code col colgroup
    data datagrid datalist dd del details dfn dir div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5
    h6 header hgroup hr i img ins kbd label legend li m main map mark menu meter multicol nav nextid ol output p
    picture pre progress q rb rp rt rtc ruby s samp section small sound source spacer span strike strong sub summary
    sup table tbody td tfoot th thead time tr track tt u ul var video wbr""".split()
)
BLOCKS = frozenset(
    """address article aside blockquote br caption center dd details dir div dl dt fieldset figcaption figure footer
    h1 h2 h3 h4 h5 h6 header hr legend li main menu nav ol p pre section summary table tbody td tfoot th thead tr
    ul""".split()
)
# An element whose end is implied by its next sibling does not nest, however often it is left open.
_UNNESTED = VOID | frozenset("p li dt dd tr td th thead tbody tfoot option optgroup rb rt rp html head body".split())
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_LEADING = re.compile(r"(?:\s+|<!--.*?-->|<style\b[^>]*>.*?</style\s*>|<(?:link|meta|base)\b[^>]*>)*", re.I | re.S)
_COMMENT_RISK = re.compile(r"^-?>|--!?>|--$|-$|<[!?]|\bon\w+\s*=|&(?:#|\w+;)", re.I)
_STYLE_RISK = re.compile(r"[@\\<]|url\s*\(|expression\s*\(|-moz-binding|behavior\s*:", re.I)
_SCRIPT = re.compile(r"(?:javascript|vbscript|data):", re.I)
_IMAGE = re.compile(r"<!--.*?-->|<img(?P<attributes>\b[^>]*)>", re.S)
_ELEMENT = re.compile(r"<!--.*?-->|<(?P<name>[a-z][a-z0-9]*)(?P<attributes>\b[^>]*)>", re.S)
_ATTRIBUTE = re.compile(r'\s(?P<name>[^\s="]+)(?:="(?P<value>[^"]*)")?')
_SRC = re.compile(r'\ssrc="([^"]*)"')
_BLANKS = re.compile(r"[ \t\xa0]+")

Attributes = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a walk keeps beyond the allow-list: a document's body keeps comments and plain styles as the format has."""

    comments: bool = False
    styles: bool = False
    images: bool = False  # the document's pass over <img>: lazy sources, referrerpolicy
    layout: bool = True  # what gives an element another place or size than its like have


SHOWN = Policy()
OURS = Policy(layout=False)
DOCUMENT = Policy(comments=True, styles=True, images=True)


def clean(html: str, base: str | None = None) -> str:
    """HTML that may be shown: allow-listed elements and attributes, links absolute against ``base``. Never raises.

    No script, event handler, ``javascript:``, frame, object, form, style element or comment comes through. What
    is too heavy for a tree (``too_heavy``) comes back as escaped text.
    """
    return _walk(html, base, SHOWN)


def within(html: str, base: str | None = None) -> str:
    """HTML as ``clean`` has it, for a page of ours: nothing in it can come to lie over what we put beside it."""
    return _walk(html, base, OURS)


def body_html(fragment: str, base: str | None) -> str:
    """The body of a document out of the inner HTML of an article's body node: the format's pass plus the allow-list.

    As the format wants it (docs/format.md): leading white space, comments and styles vanish, trailing white space
    stays, LF only, links absolute, every image with a usable ``src`` and ``referrerpolicy="no-referrer"`` last.
    Comments and ``<style>`` without ``@``, ``url(``, ``\\`` or ``<`` stay, as in the documents the format is known by.
    """
    return _walk(_begun(fragment), base, DOCUMENT)


def body_with_text(fragment: str, base: str | None) -> tuple[str, str]:
    """The body as ``body_html`` makes it, and its text as ``plain`` tells it, for little more than the body alone."""
    begun = _begun(fragment)
    if (simple := _simple(begun)) is None:
        html = _walk(begun, base, DOCUMENT)
        return html, plain(html)
    return _marked_up(simple, base, DOCUMENT), _fold(_words(simple))


def _begun(fragment: str) -> str:
    text = fragment.replace("\r\n", "\n").replace("\r", "\n")
    leading = _LEADING.match(text)
    return text[leading.end() :] if leading else text


def plain(html: str) -> str:
    """The text of HTML: one block a line, no blank lines, white space folded, indents (U+3000) gone. Never raises."""
    if (text := plain_of_simple(html)) is not None:
        return text
    from aggregator.text.walking import words

    read = words(html)
    return _fold(re.sub(r"<[^<>]*>", " ", html) if read is None else read)


def plain_of_simple(html: str) -> str | None:
    """The same of markup that any parser reads as it is written; ``None`` for all other."""
    if _is_text(html):
        return _fold(printable(html).replace("\n", " "))
    return None if (simple := _simple(html)) is None else _fold(_words(simple))


def too_heavy(html: str) -> bool:
    """Whether a tree should not be built of it: too much (``text.weight``), or nested too deep; nothing is built."""
    if excess(html):
        return True
    if html.count("<") <= MAX_DEPTH:
        return False
    depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() in _UNNESTED:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        if depth > MAX_DEPTH:
            return True
    return False


def first_image(body: str) -> str | None:
    """The ``src`` of the first ``<img>`` of a cleaned body, comments skipped; "" if it is empty, ``None`` without one.

    Told by a pattern, which is safe on what ``body_html`` wrote: ``<`` and ``>`` never stand raw in its attributes.
    """
    images = _IMAGE.finditer(body) if "<img" in body else iter(())
    found = next((m for m in images if m["attributes"] is not None), None)
    if found is None:
        return None
    source = _SRC.search(found["attributes"])
    return unescape(source[1]) if source else ""


def with_sources(body: str, place: Callable[[str], str | None]) -> str:
    """A cleaned body with another ``src`` in its images: what ``place`` makes of each, which stays where that is None.

    What stands in comments is no image. Told by a pattern, as in ``first_image``.
    """

    def attribute(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        source = place(unescape(value)) if name == "src" and value else None
        return found[0] if source is None else f' src="{escape_attribute(source)}"'

    def image(found: re.Match[str]) -> str:
        given = found["attributes"]
        return found[0] if given is None else f"<img{_ATTRIBUTE.sub(attribute, given)}>"

    return _IMAGE.sub(image, body)


def with_attributes(body: str, change: Callable[[str, Attributes], Attributes]) -> str:
    """A cleaned body whose elements have what ``change`` makes of their attributes; ``None`` is one without a value.

    ``change`` gets the element's name, too. What stands in comments is no element. Told by a pattern, as in
    ``first_image``.
    """

    def element(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return found[0]
        pairs = _ATTRIBUTE.finditer(found["attributes"])
        given = {one["name"]: None if one["value"] is None else unescape(one["value"]) for one in pairs}
        changed = (
            f" {key}" if value is None else f' {key}="{escape_attribute(value)}"'
            for key, value in change(name, given).items()
        )
        return f"<{name}{''.join(changed)}>"

    return _ELEMENT.sub(element, body)


def _is_text(html: str) -> bool:
    """Whether there is no markup at all: then a tree would hold just this, at a hundred times the cost."""
    return "<" not in html and "&" not in html


def _walk(html: str, base: str | None, policy: Policy) -> str:
    """The one allow-list walk."""
    if _is_text(html):
        return printable(html)
    if (simple := _simple(html)) is not None:
        return _marked_up(simple, base, policy)
    from aggregator.text.walking import walked

    read = walked(html, base, policy)
    return escape_text(plain(html)) if read is None else read


def _simple(html: str) -> nested.Markup | None:
    """The markup in what can be read without a tree."""
    return None if _is_text(html) else nested.read(printable(html))


def _marked_up(simple: nested.Markup, base: str | None, policy: Policy) -> str:
    texts = map(escape_text, simple.texts) if simple.references else simple.texts
    return _woven(texts, [_written(tag, base, policy) for tag in simple.tags])


def _written(tag: nested.Tag, base: str | None, policy: Policy) -> str:
    """A tag of simple markup as ``text.walking`` would write it."""
    if tag.ends:
        return f"</{tag.name}>" if tag.name != "style" else ""
    if tag.name == "style":
        return style(tag.inner, policy)
    if not tag.name:
        return f"<!--{tag.inner}-->" if policy.comments and harmless(tag.inner) else ""
    if not tag.attributes and tag.name != "img":
        return f"<{tag.name}>"
    return f"<{tag.name}{attributes(tag.name, tag.attributes, base, images=policy.images, layout=policy.layout)}>"


def _words(simple: nested.Markup) -> str:
    """Simple markup as ``words`` of ``text.walking`` would tell it."""
    breaks = ["\n" if tag.name in BLOCKS else "" for tag in simple.tags]
    return _woven((text.replace("\n", " ") for text in simple.texts), breaks)


def _woven(texts: Iterable[str], between: Collection[str]) -> str:
    """The texts with what stands between each and the next."""
    pieces = [""] * (2 * len(between) + 1)
    pieces[::2] = texts
    pieces[1::2] = between
    return "".join(pieces)


def style(css: str, policy: Policy) -> str:
    """A style element as it may stay: without attributes."""
    return f"<style>{css}</style>" if policy.styles and not _STYLE_RISK.search(css) else ""


def harmless(comment: str) -> bool:
    """Whether a comment may stay: it would do no harm either if a later reader lost its beginning or end."""
    if _COMMENT_RISK.search(comment) or _SCRIPT.search(re.sub(r"[\0- ]+", "", comment)):
        return False
    return all(name.lower() in ALLOWED for _, name in _TAG.findall(comment))


def _fold(text: str) -> str:
    if "  " in text or "\t" in text or "\xa0" in text:
        text = _BLANKS.sub(" ", text)
    lines = [line.strip(" \u3000") for line in text.split("\n")]
    return "\n".join(filter(None, lines))
