"""Lists as Sina's 7x24 API, columns and company pages write them, with words of our own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

STAFF = ("wang.bianji@staff.sina.example", "li-shen@corp.sina.example", "zhao_jian@staff.sina.example")
READER = ("读者昵称甲七", "6688990011", "河北沧州")


def flash(
    number: int, text: str, *, docid: str = "", at: str = "2026-11-23 15:58:01", **more: object
) -> dict[str, object]:
    """One item as the API gives it, with the people it names."""
    ext: dict[str, object] = {"stocks": more.pop("stocks", []), "needPushWB": False}
    if docid:
        ext |= {"docid": docid, "docurl": f"https://finance.sina.cn/7x24/2026-11-23/detail-i{docid}.d.html"}
    comment = {"uid": READER[1], "nick": READER[0], "area": READER[2], "content": "读者的话：这条消息我早就知道了"}
    return {
        "id": number,
        "zhibo_id": 152,
        "type": 0,
        "rich_text": text,
        "multimedia": "",
        "creator": STAFF[0],
        "mender": STAFF[1],
        "create_time": at,
        "update_time": at,
        "check_time": "1970-01-01 08:00:01",
        "check_user": STAFF[2],
        "is_delete": 0,
        "tag": [{"id": "3", "name": "公司"}],
        "ext": json.dumps(ext, ensure_ascii=False),
        "comment_list": {"list": [comment], "total": 1},
        "docurl": str(ext.get("docurl", "")),
        **more,
    }


def live(*items: Mapping[str, object], code: int = 0, callback: str = "") -> bytes:
    """An answer of the 7x24 API."""
    feed = {"list": list(items), "html": "", "page_info": {"totalNum": 900, "page": 1}, "max_id": 9, "min_id": 1}
    data = {"zhibo": [], "focus": [], "top": {"list": []}, "feed": feed}
    answer = {"result": {"status": {"code": code, "msg": "OK" if code == 0 else "no such room"}, "data": data}}
    text = json.dumps(answer, ensure_ascii=False)
    return (f"try{{{callback}({text});}}catch(e){{}};" if callback else text).encode()


def column(rows: Sequence[tuple[str, str, str]], printed: str = "2026-11-23 16:00:00") -> bytes:
    """A column's page: address, title and date of each row."""
    items = "\t".join(
        f'<li><a href="{url}" target="_blank">{title}</a><span>({date})</span></li>' for url, title, date in rows
    )
    return (
        f"\n<!DOCTYPE html>\n<!-- [ published at {printed} ] -->\n<html><head><title>某专栏_新浪网</title></head><body>"
        f'<ul class="nav"><li><a href="/nav">导航</a></li></ul><!--cached{printed}-->'
        f'<ul class="list_009" id="listcontent" style="display: none;">\n{items}\n</ul></body></html>'
    ).encode()


def company(rows: Sequence[tuple[str, str, str]]) -> bytes:
    """A company's page, in what calls itself gb2312: date, address and title of each row."""
    lines = "".join(
        f"&nbsp;&nbsp;&nbsp;&nbsp;{date}&nbsp;&nbsp;<a target='_blank' href='{url}'>{title}</a> <br>\n"
        for date, url, title in rows
    )
    page = (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>公司资讯</title></head>'
        f'<body><a href="/other">别处</a><div class="datelist"><ul>\n{lines}</ul></div></body></html>'
    )
    return page.encode("gb18030")
