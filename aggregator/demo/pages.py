"""The replica's pages: an article of the ledger in the page of its era, or the page that is broken on purpose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path
from random import Random
from string import Template

from aggregator.demo.body import body, wap_body
from aggregator.demo.furniture import furniture
from aggregator.demo.ledger import BEIJING, Published

TEMPLATES = Path(__file__).parent / "templates" / "pages"
HTML = "text/html; charset=utf-8"
NOTICES = {
    "blog": ("一篇博客", "博客正文不在这里提供。"),
    "topic": ("专题页", "专题由多篇文章组成，本身没有正文。"),
    "video": ("视频页", "视频需要在播放器中观看。"),
    "removed": ("页面不存在", "您访问的页面可能已被删除，或者地址有误。"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the replica says to one request."""

    body: bytes
    type: str = HTML
    status: int = 200
    modified: datetime | None = None  # with it, the answer carries validators
    location: str | None = None


def page(item: Published, twin: Published | None) -> Answer:
    """What answers at ``item.url``; ``twin`` is the article whose page an ``another`` shows instead."""
    match item.template:
        case "empty":
            return Answer(b"", modified=item.mtime)
        case "removed":
            return Answer(_notice("removed"), status=404)
        case "blog" | "topic" | "video":
            return Answer(_notice(item.template), modified=item.mtime)
        case "another":
            return Answer(_filled("finance2026", twin).encode(), modified=twin.mtime) if twin else not_found()
        case "gb2312":  # GBK bytes, a meta element that says GB2312, a header that says nothing
            text = _filled("gb2312", item)
            return Answer(text.encode("gbk", "xmlcharrefreplace"), type="text/html", modified=item.mtime)
        case _:
            return Answer(_filled(item.template, item).encode(), modified=item.mtime)


def mobile_page(item: Published) -> Answer:
    """What answers at ``item.wap`` of an article that also has a page for the desk."""
    if item.expect != "article":
        return Answer(_notice("removed"), status=404)
    return Answer(_filled("wap", item).encode(), modified=item.mtime)


def not_found() -> Answer:
    """The page at an address where nothing is."""
    return Answer(_notice("removed"), status=404)


@cache
def _template(name: str) -> Template:
    return Template((TEMPLATES / f"{name}.html").read_text(encoding="utf-8"))


def _notice(name: str) -> bytes:
    heading, sentence = NOTICES[name]
    return _template("plain").substitute(heading=heading, sentence=sentence).encode()


def _filled(template: str, item: Published) -> str:
    slots = _slots(item)
    slots |= furniture(item.id, item.ctime.astimezone(BEIJING))
    slots["meta"] = _template("meta").substitute(slots)
    slots["body"] = wap_body(item) if template == "wap" else body(item)
    return _template(template).substitute(slots)


def _slots(item: Published) -> dict[str, str]:
    """The values of an article, escaped for text and for double-quoted attributes alike."""
    story = item.story
    plain = {
        "id": item.id,
        "number": item.docid.rpartition("-")[2],
        "url": item.url,
        "wap": item.wap,
        "urlpath": item.url.split("/", 3)[3].rpartition("/")[0] + "/",
        "channel": "gn" if item.template == "news2018" else "cj",
        "title": item.title,
        "page_title": _page_title(item),
        "media": story.media,
        "editor": f"{story.editor} {story.editor_code}",
        "keywords": ",".join(story.keywords) or item.title,
        "tags": ",".join(story.keywords),
        "wbkey": ",".join((*story.keywords, "新闻")),
        "description": "\n".join("　　" + text for text in story.paragraphs[:2])[:160],
        "image": item.pictures[0].url if item.pictures else "",
    }
    slots = {name: escape(value) for name, value in (plain | _times(item)).items()}
    slots["update_at"] = _update_at(item)
    slots["keyword_links"] = "\n".join(
        f'<a href="http://tags.finance.sina.com.cn/{word}" target="_blank">{word}</a>' for word in story.keywords
    )
    slots["slide_data"] = _slide_data(item)
    return slots


def _page_title(item: Published) -> str:
    tags = "".join("|" + word for word in item.story.keywords[:1])
    if item.template == "news2018":
        return f"{item.title}{tags}_新浪新闻"
    return f"{item.title}{tags if item.template == 'finance2019' else ''}_新浪财经_新浪网"


def _times(item: Published) -> dict[str, str]:
    """The same moment as a page says it in several places, not always to the second (as measured on real pages)."""
    local = item.ctime.astimezone(BEIJING)
    changed = item.mtime.astimezone(BEIJING)
    published = local + timedelta(seconds=Random(f"published/{item.id}").randint(0, 79))
    visible = f"{local:%Y年%m月%d日 %H:%M}"
    return {
        "created": f"{local:%Y-%m-%d %H:%M:%S}",
        "published": published.isoformat(timespec="seconds"),
        "updated": max(changed, published).isoformat(timespec="seconds"),
        "rendered": f"{changed:%Y-%m-%d %H:%M:%S}",
        "visible": visible,
        "visible_tight": visible.replace(" ", ""),
        "visible_dots": f"{local:%Y.%m.%d %H:%M:%S}",
    }


def _update_at(item: Published) -> str:
    if not item.edited:
        return ""
    changed = item.mtime.astimezone(BEIJING)
    return f'<meta name="weibo: article:update_at" content="{changed:%Y-%m-%d %H:%M:%S}">\n'


def _slide_data(item: Published) -> str:
    """The pictures of a slide show, each with a paragraph of the article as its text."""
    images = [
        {
            "id": str(n),
            "title": item.title,
            "intro": text,
            "download_img": f"http://n.sinaimg.cn/finance/slides/w800h533/{item.id}/{n}.png",
            "createtime": f"{item.ctime.astimezone(BEIJING):%Y年%m月%d日 %H:%M}",
        }
        for n, text in enumerate(item.story.paragraphs, start=1)
    ]
    data = {"slide": {"title": item.title, "url": item.url, "media": item.story.media}, "images": images}
    return json.dumps(data, ensure_ascii=False).replace("/", r"\/")


def http_date(moment: datetime) -> str:
    """IMF-fixdate (RFC 9110 section 5.6.7)."""
    return moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
