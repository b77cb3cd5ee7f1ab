"""Ways in which the replica's pages can change from one day to the next, as real sites do: what a reader must notice.

Each takes the page of an article as it was and gives it as it is afterwards. ``Replica.mutate`` puts one into force.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

Mutation = Callable[[str], str | bytes]

_BODY = re.compile(
    r'(<div class="article" id="(?:artibody|article)"[^>]*>)(.*?)(<!-- 正文下iframe -->|<!-- 文末二维码)', re.S
)
_PROMOTION = "<p>【年终特惠】现在安装演示财经新版客户端，首月免费阅读全部深度报道，名额有限先到先得。</p>"
_FRONT = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"><title>演示财经首页</title>'
    '<meta property="og:url" content="https://finance.sina.com.cn/"></head><body><h1>要闻</h1>'
    "<p>今日市场要闻一览，点击标题阅读全文。</p></body></html>"
)
_CHALLENGE = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"><title>安全验证</title></head>'
    "<body><p>访问过于频繁，请拖动滑块完成验证。</p></body></html>"
)


def _renamed(page: str) -> str:
    return re.sub(r'id="(?:artibody|article)"', 'id="story-2027"', page)


def _inside(page: str, change: Callable[[str], str]) -> str:
    return _BODY.sub(lambda found: found[1] + change(found[2]) + found[3], page, count=1)


def _nested(page: str) -> str:
    """The old place stays, empty, and the text stands deeper in a new one."""
    return _inside(page, lambda body: f'</div><section class="story"><div class="inner">{body}</div></section><div>')


def _by_script(page: str) -> str:
    return _inside(page, lambda body: f"<script>place.innerHTML = `{body}`;</script>")


def _moved_time(page: str) -> str:
    return page.replace('class="date-source"', 'class="byline"')


def _single_quotes(page: str) -> str:
    return re.sub(r'(\s[a-z-]+)="([^"\'<>]*)"', r"\1='\2'", page)


def _english(page: str) -> str:
    page = re.sub(r"(20\d\d)年(\d\d)月(\d\d)日 ?(\d\d:\d\d)", r"\3/\2 \1, \4", page)
    return page.replace("责任编辑：", "Edited by ").replace("来源：", "Source ")


def _another(page: str) -> str:
    """The same story's place, but the page says that it is another one."""
    return re.sub(r"[a-z]{7}\d{7}", "zzzzzzz0000000", page)


MUTATIONS: Mapping[str, Mutation] = MappingProxyType(
    {
        "renamed_id": _renamed,
        "nested_body": _nested,
        "moved_time": _moved_time,
        "quoted_differently": _single_quotes,
        "new_promotion": lambda page: _inside(page, lambda body: body + _PROMOTION),
        "body_by_script": _by_script,
        "challenge": lambda _: _CHALLENGE,
        "front_page": lambda _: _FRONT,
        "another_article": _another,
        "empty_body": lambda page: _inside(page, lambda _: ""),
        "english": _english,
        "charset_lie": lambda page: page.encode("gb18030"),  # the header and the meta element still say UTF-8
    }
)


def mutated(name: str, page: bytes) -> bytes:
    """A page in UTF-8 as the mutation of that name leaves it. Raises KeyError for an unknown name."""
    changed = MUTATIONS[name](page.decode("utf-8"))
    return changed if isinstance(changed, bytes) else changed.encode("utf-8")
