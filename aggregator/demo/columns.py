"""The replica's lists that are pages: a column's articles, a company's news, its announcements and one of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape

from aggregator.demo.ledger import BEIJING, Ledger, Published
from aggregator.demo.pages import Answer, not_found

COMPANY_HOST = "vip.stock.finance.sina.com.cn"
COLUMNS: Mapping[int, tuple[str, tuple[str, ...]]] = {  # cid -> name, desks
    56598: ("宏观研究", ("omo", "macro")),
    56592: ("上市公司", ("ashare",)),
    56683: ("银行", ("bank",)),
    57027: ("港股快讯", ("hk",)),
    56988: ("期货", ("futures",)),
}
_MOST = 200  # articles in a column
_ROWS = 30  # of a company's page
_COLUMN = re.compile(r"/roll/c/(\d{1,9})\.shtml")
_NEWS = re.compile(r"/corp/go\.php/vCB_AllNewsStock/symbol/((?:sh|sz)\d{6})\.phtml")
_BULLETINS = re.compile(r"/corp/go\.php/vCB_AllBulletin/stockid/(\d{6})\.phtml")
_DETAIL = "/corp/view/vCB_AllBulletinDetail.php"
_NUMBERS = 878_000_000  # less than an article's oid: the id of the announcement that says the same


def column(ledger: Ledger, path: str, now: datetime) -> Answer | None:
    """The page of the column at a path of finance.sina.com.cn; ``None`` where the path is no column's."""
    found = _COLUMN.fullmatch(path)
    if found is None:
        return None
    if int(found[1]) not in COLUMNS:
        return not_found()
    name, desks = COLUMNS[int(found[1])]
    printed = f"{now.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
    rows = "\t".join(
        f'<li><a href="{item.url}" target="_blank">{item.title}</a>'
        f"<span>({item.ctime.astimezone(BEIJING):%m月%d日 %H:%M})</span></li>"
        for item in _newest(ledger)
        if item.story.desk.name in desks
    )
    text = (
        f"\n<!DOCTYPE html>\n<!-- [ published at {printed} ] -->\n<html><head><title>{name}_演示财经</title>"
        '<meta name="robots" content="noindex,nofollow"></head><body><ul class="nav"><li><a href="/">首页</a></li></ul>'
        f'<!--cached{printed}--><ul class="list_009" id="listcontent" style="display: none;">\n{rows}\n</ul>'
        "</body></html>"
    )
    return Answer(text.encode())


def company(ledger: Ledger, path: str, query: Mapping[str, str]) -> Answer:
    """What the host of company pages says: news of a company, its announcements, or one of them, in GB2312."""
    if found := _NEWS.fullmatch(path):
        return _gb2312(_list(_news(item) for item in _of(ledger, found[1])))
    if found := _BULLETINS.fullmatch(path):
        return _gb2312(_list(_bulletin(item) for item in _of(ledger, found[1])))
    number = query.get("id", "")
    if path == _DETAIL and number.isdecimal():
        return _detail(ledger, int(number) + _NUMBERS)
    return not_found()


def _newest(ledger: Ledger) -> list[Published]:
    good = [item for item in ledger if item.listed and item.expect == "article" and not item.note]
    return sorted(good, key=lambda item: (item.ctime, item.oid), reverse=True)[:_MOST]


def _of(ledger: Ledger, code: str) -> list[Published]:
    """The newest articles that name a company first; ``code`` with or without its exchange."""
    return [item for item in _newest(ledger) if any(symbol.endswith(code) for _, symbol in item.story.companies[:1])][
        :_ROWS
    ]


def _news(item: Published) -> str:
    at = f"{item.ctime.astimezone(BEIJING):%Y-%m-%d&nbsp;%H:%M}"
    return _row(at, item.url.removeprefix("https:"), item.title)


def _bulletin(item: Published) -> str:
    stock = item.story.companies[0][1][2:]
    address = f"{_DETAIL}?stockid={stock}&id={item.oid - _NUMBERS}"
    return _row(f"{item.ctime.astimezone(BEIJING):%Y-%m-%d}", address, _heading(item))


def _heading(item: Published) -> str:
    return f"{item.story.companies[0][0]}：关于近期经营情况的公告（{item.ctime.astimezone(BEIJING):%m%d-%H%M}）"


def _row(date: str, address: str, title: str) -> str:
    return f"&nbsp;&nbsp;&nbsp;&nbsp;{date}&nbsp;&nbsp;<a target='_blank' href='{address}'>{escape(title)}</a> <br>\n"


def _list(rows: Iterable[str]) -> str:
    listed = "".join(rows)
    return f'<a href="/">别处</a><div class="datelist"><ul>\n{listed}</ul></div>'


def _detail(ledger: Ledger, oid: int) -> Answer:
    item = next((one for one in _newest(ledger) if one.oid == oid and one.story.companies), None)
    if item is None:
        return not_found()
    text = "\n".join(f"<p>　　{escape(paragraph)}</p>" for paragraph in item.story.paragraphs)
    day = f"{item.ctime.astimezone(BEIJING):%Y-%m-%d}"
    return _gb2312(
        f'<table id="allbulletin"><thead><tr><th>{escape(_heading(item))}</th></tr></thead><tbody><tr><td>'
        f'公告日期:{day}<div id="content">{text}</div></td></tr></tbody></table>'
    )


def _gb2312(body: str) -> Answer:
    """A page that calls itself GB2312 and holds more, as these do."""
    head = '<meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>公司资料_演示财经</title>'
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    return Answer(page.encode("gb18030"), type="text/html; charset=gb2312")
