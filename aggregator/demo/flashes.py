"""The replica's 7x24 API: a flash for what was published, with the people whom the API names and nobody should keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random

from aggregator.demo.ledger import BEIJING, Ledger, Published
from aggregator.demo.newsroom import Story
from aggregator.demo.pages import Answer

REACHABLE = 900  # flashes; older ones cannot be had
PAGED_AFTER = timedelta(minutes=4)  # a flash names its page so long after it was written
ALONE = 0.3  # of all flashes have no page of their own
SIZES = {"page_size": 100, "size": 50}  # the most that the older and the newer API give
ROOM = 152
STAFF = ("ye.zhiban@desk.sina.example", "luo-jian@desk.sina.example", "qin_shen@desk.sina.example")
READER = ("演示读者丁卯", "7700881122", "演示省甲乙市")
COMMENT = "演示读者的留言：先记下来"
_MARKETS = {"sh": "cn", "sz": "cn"}


def flashes(ledger: Ledger, query: Mapping[str, str], size: str, now: datetime) -> Answer:
    """The API's answer to ``query`` at ``now``; ``size`` is the parameter that tells how many are wanted."""
    items = [_flash(item, now) for item in _told(ledger)]
    wanted = query.get(size, "")
    count = min(int(wanted) if wanted.isdecimal() else 20, SIZES[size])
    number = int(query["page"]) if query.get("page", "").isdecimal() else 1
    part = items[max(number - 1, 0) * count : max(number, 1) * count]
    feed: dict[str, object] = {
        "list": part,
        "html": "",
        "page_info": _pages(len(items), count, number),
        "survey_id": [],
    }
    ids = [int(str(item["id"])) for item in part]
    feed |= {"max_id": max(ids, default=0), "min_id": min(ids, default=0)}
    top = {"list": [], "html": "", "top_ids": "", "survey_id": []}
    answer = {
        "status": {"code": 0, "msg": "OK"},
        "timestamp": now.astimezone(BEIJING).strftime("%a %b %d %H:%M:%S %z %Y"),
        "data": {"zhibo": [], "focus": [], "top": top, "feed": feed},
    }
    return Answer(json.dumps({"result": answer}).encode(), type="application/json; charset=utf-8")


def paged(item: Published, now: datetime) -> bool:
    """Whether the flash of an article names its page by now."""
    return now - item.ctime >= PAGED_AFTER and Random(f"flash/{item.id}").random() >= ALONE


def headline(story: Story) -> str:
    """The title of a flash, which has no 【】 in it: they stand around it."""
    return story.title.replace("【", "").replace("】", "：")


def _told(ledger: Ledger) -> list[Published]:
    good = [item for item in ledger if item.listed and item.expect == "article" and not item.note]
    return sorted(good, key=lambda item: item.oid, reverse=True)[:REACHABLE]


def _flash(item: Published, now: datetime) -> dict[str, object]:
    """One item with the keys of the captures, and the people in it."""
    at = f"{item.ctime.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
    ext: dict[str, object] = {"stocks": [_stock(*company) for company in item.story.companies], "needPushWB": False}
    docurl = ""
    if paged(item, now):
        docurl = item.wap
        ext |= {"docurl": docurl, "docid": item.id}
    comment = {"uid": READER[1], "nick": READER[0], "area": READER[2], "content": COMMENT}
    return {
        "id": item.oid,
        "zhibo_id": ROOM,
        "type": 0,
        "rich_text": f"【{headline(item.story)}】{item.story.lead}（{item.story.media}）",
        "multimedia": "",
        "commentid": f"live:finance-{ROOM}-{item.oid}:0",
        "creator": STAFF[0],
        "mender": STAFF[1],
        "create_time": at,
        "update_time": at,
        "is_need_check": "1",
        "check_time": "1970-01-01 08:00:01",
        "check_status": "1",
        "check_user": STAFF[2],
        "is_delete": 0,
        "top_value": 0,
        "is_focus": 0,
        "tag": [{"id": "3", "name": "公司"}] if item.story.companies else [{"id": "1", "name": "宏观"}],
        "like_nums": Random(f"likes/{item.id}").randint(0, 900),
        "comment_list": {"list": [comment], "total": 1},
        "docurl": docurl,
        "ext": json.dumps(ext),
    }


def _stock(name: str, code: str) -> dict[str, str]:
    market = _MARKETS.get(code[:2]) or ("hk" if code.isdecimal() else "us")
    return {"market": market, "symbol": code if market == "cn" else code.lower(), "key": name}


def _pages(total: int, size: int, number: int) -> dict[str, object]:
    last = max(-(-total // size), 1)
    return {
        "totalPage": last,
        "pageSize": size,
        "prePage": max(number - 1, 1),
        "nextPage": min(number + 1, last),
        "firstPage": 1,
        "lastPage": last,
        "totalNum": total,
        "pName": "page",
        "page": number,
    }
