"""People's data in Sina's answers: taken out before anything is kept, parsed or shown.

The 7x24 API names, in every item, the addresses of the staff who wrote, changed and checked it, and readers' comments
with their numbers, names and places (docs/sina.md). None of that is news, and an archive keeps what it gets for years.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from aggregator.model import Page
from aggregator.sources.jsontext import dump, load
from aggregator.text.charset import decode

KEYS = frozenset(
    "creator mender check_user comment_list comment compere_info compere_id anchor anchor_image_url"
    " rich_text_nick_to_url rich_text_nick_to_routeUri".split()
)
ORIGINAL = "x-aggregator-original-sha256"  # a header of the redacted page: the SHA-256 (hex) of the body as it came
# Keys that no other listing has. UTF-16 would hide them; no API of Sina's speaks it, and then the text is looked at.
_MARK = re.compile(r'\\?"(?:creator|mender|check_user|comment_list)\\?"\s*:')
_BYTES = re.compile(_MARK.pattern.encode())
# A key, and how those keys end: looked for first, which takes no time. A feed has dc:creator in every entry.
_KEY = re.compile(rb'"\s*:')
_ENDS = tuple(word + end for word in (b"creator", b"mender", b"check_user", b"comment_list") for end in (b'"', b'\\"'))
_MARKUP = re.compile(rb"[\xef\xbb\xbf\xff\xfe\0\s]*<")  # behind a byte order mark
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")


def redacted(page: Page) -> Page:
    """The page without people's data; one that holds none comes back as it is, and so does a feed in markup.

    Those APIs answer in JSON; what an article of a feed quotes of it is news. The header ``ORIGINAL`` of the other page
    tells the hash of the bytes that came.
    """
    if _MARKUP.match(page.body):
        return page
    body = body_without_people(page.body, page.headers.get("content-type"))
    if body is page.body:
        return page
    headers = {**page.headers, "content-type": "application/json; charset=utf-8"}
    return replace(page, body=body, headers=headers | {ORIGINAL: hashlib.sha256(page.body).hexdigest()})


def body_without_people(body: bytes, content_type: str | None = None) -> bytes:
    """The same for a body: the JSON written again in UTF-8, or the very bytes where they hold no such data.

    Of one that has the marks and cannot be read nothing is left.
    """
    if not (_MARK.search(decode(body).text) if b"\0" in body[:1_000] else _is_marked(body)):
        return body
    try:
        return dump(without_people(load(decode(body, header=content_type).text)))
    except ValueError:
        return b""


def _is_marked(body: bytes) -> bool:
    return bool(_KEY.search(body) and any(one in body for one in _ENDS) and _BYTES.search(body))


def without_people(value: object) -> object:
    """A JSON value without the keys that hold people's data, and without any value that is a mail address."""
    if isinstance(value, dict):
        return {key: without_people(inner) for key, inner in value.items() if key not in KEYS}
    if isinstance(value, list):
        return [without_people(inner) for inner in value]
    return "" if isinstance(value, str) and _ADDRESS.fullmatch(value.strip()) else value
