"""What is known of Sina's roll API beyond its shape: the keys of an item, and which list belongs to which page.

Data only. Keys: every item of the captures of 2026-09-29 (docs/sina.md); lists: the channels people poll.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.model import Page
from aggregator.sources.jsontext import load, objects
from aggregator.text.charset import decode

# Without these an entry is not what it was: they carry identity, address, title and times.
ESSENTIAL = frozenset("docid url title ctime mtime intime media_name".split())
USUAL = ESSENTIAL | frozenset(
    "author authoruid categoryid channelid columnid commentid ext_0 ext_1 ext_2 ext_3 ext_4 hqChart icons images img"
    " intro ipad_vid is_cre_manual keywords level lids mediaid oid productid stitle subjectid summary templateid urls"
    " vid video_id video_time_length wapsummary wapurl wapurls".split()
)
RARE = frozenset({"ext", "mlids"})

# lid -> pageid, name. A lid answers under one pageid only, under others with code 11.
LISTS: dict[int, tuple[int, str]] = {
    1686: (155, "国内滚动"),
    1687: (155, "宏观经济"),
    1688: (155, "地方经济"),
    1689: (155, "部委动态"),
    1690: (155, "金融新闻"),
    3231: (155, "今日财经"),
    2519: (384, "财经"),
    2671: (384, "股市"),
    2672: (384, "美股"),
    2673: (384, "中国概念股"),
    2674: (384, "港股"),
    2675: (384, "研究报告"),
    2676: (384, "全球市场"),
    2487: (384, "外汇"),
    2516: (153, "财经"),
    2517: (153, "股市"),
    2518: (153, "美股"),
}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a listing's items against what is known: ``unknown`` in any item, ``missing`` in more than half."""

    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def keys_in(page: Page) -> Keys:
    """What is odd about the keys of a roll list's items; nothing for an answer that is none."""
    try:
        document = load(decode(page.body, header=page.headers.get("content-type")).text)
    except ValueError:
        return Keys()
    result = document.get("result") if isinstance(document, dict) else None
    items = [frozenset(item) for item in objects(result.get("data") if isinstance(result, dict) else None)]
    return compared(items)


def compared(items: Iterable[frozenset[str]]) -> Keys:
    """The keys of items against ``USUAL`` and ``RARE``."""
    held = list(items)
    unknown = frozenset().union(*held) - USUAL - RARE
    missing = [key for key in sorted(USUAL) if sum(key not in keys for keys in held) * 2 > len(held)]
    return Keys(tuple(sorted(unknown)), tuple(missing) if held else ())
