"""The feeds we publish are valid, whatever was stored; and the rules they are held to find each fault."""

from __future__ import annotations

import io
import json

import pytest
from feed_rules import atom_faults, json_feed_faults
from hypothesis import given, settings
from hypothesis import strategies as some
from test_exports import HEAD, ROWS, atom, row

from aggregator.export.feeds import write_atom, write_json_feed

_TEXT = some.text(min_size=0, max_size=30)
_SPICE = ["<b>", "&amp;", "]]>", "\x00", "\ufffe", "\ud800", "~", "[", "%", "%zz", '"', "\\", " ", "\u200b", "#a#b"]
_ODD = some.sampled_from(_SPICE)
_WORDS = some.lists(_TEXT | _ODD, max_size=4).map("".join)


def json_feed(rows: list[dict[str, object]]) -> bytes:
    stream = io.BytesIO()
    write_json_feed(stream, HEAD, rows)
    return stream.getvalue()


def test_what_the_fixtures_hold_is_valid() -> None:
    for rows in (ROWS, [], ROWS[:1]):
        assert atom_faults(atom(rows)) == []
        assert json_feed_faults(json_feed(rows)) == []


@settings(max_examples=300, deadline=None)
@given(
    key=_WORDS.filter(bool),
    address=_WORDS,
    title=_WORDS,
    words=some.tuples(_WORDS, _WORDS, _WORDS),
    tags=some.lists(_WORDS, max_size=3),
)
def test_whatever_is_stored_a_feed_of_it_is_valid(
    key: str, address: str, title: str, words: tuple[str, str, str], tags: list[str]
) -> None:
    author, media, text = words
    body = f'<p>{text}</p><a href="/x">{media}</a><img src="//a.example/i.png"><script>1</script>'
    odd = row(
        f"url:https://a.example/{key}",
        **{"url": f"https://a.example/{address}", "title": title, "author": author, "media": media},
        **{"text": text, "body": body, "categories": tags, "keywords": tags, "symbols": tags},
    )
    rows = [odd, row("sina:comos:nabc")]
    stream = io.BytesIO()
    write_atom(stream, HEAD, rows)
    assert atom_faults(stream.getvalue()) == []
    assert json_feed_faults(json_feed(rows)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("</entry>", "", "not well-formed"),
        ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#", "the root is"),
        ("<id>urn:aggregator:feed:wire</id>", "", "feed has 0 id"),
        ("<id>urn:aggregator:sina:comos:nabc</id>", "<id>sina comos</id>", "no IRI"),
        ("<id>urn:aggregator:sina:comos:nabc</id>", "<id>urn:aggregator:a~b</id>", "no IRI"),
        ("<id>urn:aggregator:sina:comos:nabc</id>", "<id>urn:aggregator:feed:wire</id>", "id used 2 times"),
        ("<published>2026-11-23T07:30:00Z", "<published>2026-11-23 07:30", "no instant"),
        ("<published>2026-11-23T07:30:00Z", "<published>2026-11-31T07:30:00Z", "no instant"),
        ("<updated>2026-11-23T08:00:07Z</updated>", "", "feed has 0 updated"),
        ("<author>", "<author><name>二</name>", "a person with the names"),
        ("<name>某报</name>", "<name> </name>", "a person with the names"),
        ('term="储能"', 'term=""', "a category without a term"),
        ('<content type="html">', '<content type="htm">', "type htm"),
        ('<content type="html">', '<content type="html"><b/>', "elements inside html"),
        ('<content type="html">', '<content type="html">&lt;script&gt;', "dangerous"),
        ('<content type="html">', '<content type="html">&lt;a href="/x"&gt;', "leads nowhere"),
        ('<content type="html">', '<content type="html">&lt;img src="https://a.example/" onload="x"&gt;', "dangerous"),
        ('href="https://wire.example/sina:comos:nabc"', 'href="https://wire.example/a b"', "a link to"),
        ('type="text/html" href', 'type="text" href', "a link of type"),
        ("<entry>", "<entry><published>2026-11-23T07:30:00Z</published>", "several published"),
        ("<entry>", '<entry><link rel="alternate" type="text/html" href="https://b.example/"/>', "two alternate"),
        ("<entry>", "<entry><lede>一</lede>", "entry holds"),
        ("<title>标题sina:comos:nabc</title>", "<title/>", "a blank title"),
    ],
)
def test_each_fault_of_an_atom_feed_is_found(old: str, new: str, fault: str) -> None:
    whole = atom(ROWS[:1]).decode()
    assert old in whole
    assert any(fault in one for one in atom_faults(whole.replace(old, new, 1).encode()))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": 7}, "an id that is none"),
        ({"id": "urn:aggregator:url:https:%2F%2Fa.example%2F%3Fx%3D1%26y%3D%22q%22"}, "id used 2 times"),
        ({"content_html": None}, "an item without content"),
        ({"date_published": "yesterday"}, "no instant"),
        ({"url": "a b"}, "a link to"),
        ({"tags": [""]}, "a tag that is none"),
        ({"authors": [{}]}, "an author without a name"),
        ({"content_html": "<iframe></iframe>"}, "dangerous"),
    ],
)
def test_each_fault_of_a_json_feed_is_found(change: dict[str, object], fault: str) -> None:
    feed = json.loads(json_feed(ROWS[:2]))
    feed["items"][0] |= change
    assert any(fault in one for one in json_feed_faults(json.dumps(feed).encode()))
