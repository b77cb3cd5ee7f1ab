"""A body as a site generator leaves it alone: what templates, filters and Markdown would act on is written otherwise.

To a browser nothing changes: only newlines, ``=``, backticks, tildes and braces become character references, and only
where Hexo's own passes would take them for their own. Each rule undoes something measured with Hexo 8.1 and
hexo-renderer-marked 7 (docs/security.md): code that ran on the reader's machine, or a build that failed.
"""

from __future__ import annotations

import re

# A body as ``text.html`` writes it: ``<`` and ``>`` never stand raw in an attribute, ``<`` never in text.
_COMMENT_OR_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.S)
# Hexo looks for a link's attributes with patterns that also find them inside of other attributes' values.
_LOOKS_LIKE_ATTRIBUTE = re.compile(r"href=|(?:rel|src)=(?='|\Z)", re.I)
_GIVEN = '="'  # in every tag that has a value, and in no other
_VALUE = re.compile(r'="([^"]*)"')
_FENCE = re.compile(r"`{3,}|~{3,}")  # a code block wherever it stands, its caption written as HTML
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_TAG = re.compile(r"<(/?)(?!(?:area|br|col|hr|img|input|source|track|wbr)\b)([a-z][a-z0-9]*)")
_HOLDER = "\ufffc"  # marks where Hexo takes a part of a post away and puts it back: <!--swig￼0-->
_LONG_COMMENT = re.compile(r"<!--(?:(?!-->).)*\n", re.S)

# CommonMark 0.31, 4.6: a line that begins an HTML block of kind 6 (lasting to the next blank line) or is one of kind 7.
_BEGINS_BLOCK = re.compile(
    r" {0,3}</?(?:(?:address|article|aside|blockquote|caption|center|col|colgroup|dd|details|dir|div|dl|dt|figcaption"
    r"|figure|footer|h[1-6]|header|hr|li|main|menu|nav|ol|p|section|summary|table|tbody|td|tfoot|th|thead|tr|ul)[ >]"
    r"|(?!pre\b|style\b)[a-z][a-z0-9]*(?: [^<>]*)?>[ \t]*\Z)"
)
# Lines that Markdown shows as they are, or not at all: indented by four, and comments.
_SHOWN_AS_IS = re.compile(r" {4}| {0,3}\t| {0,3}(?:<!--(?:(?!-->).)*-->[ \t]*)+\Z")


def inert(body: str) -> str:
    """The body of a document, to be put between ``<div>`` and ``</div>`` of a post; equal to it for a browser."""
    text = _COMMENT_OR_TAG.sub(_tag, body) if _GIVEN in body else body
    if "```" in text or "~~~" in text:
        text = _FENCE.sub(lambda found: f"&#{ord(found[0][0])};" * len(found[0]), text)
    return escape_braces(_one_block(text.replace(_HOLDER, f"&#{ord(_HOLDER)};")))


def escape_braces(text: str) -> str:
    """Hexo evaluates ``{{`` and ``{%`` in posts; the format escapes every brace of the file."""
    return text.replace("{", "&#123;").replace("}", "&#125;")


def _tag(found: re.Match[str]) -> str:
    """A tag in one line, no value of which looks like another attribute; a comment as it is."""
    tag = found[0]
    return tag if _GIVEN not in tag or tag.startswith("<!--") else _VALUE.sub(_value, tag.replace("\n", "&#10;"))


def _value(found: re.Match[str]) -> str:
    if "=" not in found[1]:
        return found[0]
    return '="' + _LOOKS_LIKE_ATTRIBUTE.sub(lambda name: name[0][:-1] + "&#61;", found[1]) + '"'


def _one_block(text: str) -> str:
    """The text without blank lines where Markdown would begin to read: what follows one is HTML still, or code.

    A post's first line is ``<div>``, so all is HTML up to a blank line. One stays a blank line if the next lines that
    say anything begin HTML again; else its newline becomes a reference and ends no line. Lines in between that are
    shown as code must hold whole elements: half of one would end the post's own ``<div>``.
    """
    lines = text.split("\n")
    if all(line.strip(" \t") for line in lines):
        return text
    last = len(lines) - 1
    ends = ["\n"] * last
    strict = bool(_LONG_COMMENT.search(text))  # its lines are not what they look like
    blank: list[int] = []  # the blank lines since HTML ended
    shown: list[str] = []  # and the others
    for number, line in enumerate([*lines, "</div>"]):
        if not line.strip(" \t"):
            blank.append(number)
        elif blank and not strict and _SHOWN_AS_IS.match(line):
            shown.append(line)
        else:
            sure = number > last or (not strict and _BEGINS_BLOCK.match(line))
            mend = not sure or not _nests("\n".join(shown))
            for at in (one for one in blank if mend and one < last):
                ends[at] = "&#10;"
            blank, shown = [], []
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))


def _nests(html: str) -> bool:
    """Whether elements begin and end in pairs."""
    opened: list[str] = []
    for closing, name in _TAG.findall(_COMMENT.sub("", html)):
        if not closing:
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return not opened
