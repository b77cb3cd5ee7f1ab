"""An article's paragraphs as the HTML that stands between a page's body marks, in the manner of each era."""

from __future__ import annotations

from html import escape
from random import Random

from aggregator.demo.ledger import Picture, Published

INDENT = "　　"
QUOTES = {
    "stock": "https://finance.sina.com.cn/realstock/company/{code}/nc.shtml",
    "hkstock": "https://stock.finance.sina.com.cn/hkstock/quotes/{code}.html",
    "usstock": "https://stock.finance.sina.com.cn/usstock/quotes/{code}.html",
}
UNQUOTED = (
    '<span id={market}_{code}><a href={href} class="keyword" target=_blank data-sudaclick="content_marketkeywords_p">'
    "{name}</a></span><span id=quote_{code}></span>"
)
RENDERED = (
    '<span id="{market}_{code}"><a href="{href}" class="keyword" target="_blank">{name}</a></span>'
    '<span id="quote_{code}">(0, 0.00, 0.00%)</span>'
)


def body(item: Published) -> str:
    """The inner HTML of the article's body for the template the item is served with."""
    match item.template:
        case "wap":
            return wap_body(item)
        case "gb2312" | "web2014":
            return "\n".join(_mixed(item, [_paragraph(text) for text in item.story.paragraphs]))
        case "finance2026":
            lines = _mixed(item, _linked(item, UNQUOTED))
            return "\n".join([*_reference(item), *lines]) + _related_symbols(item)
        case _:
            lines = _mixed(item, _linked(item, RENDERED))
            return "\n".join([*_lifted(item), *lines]) + _related_symbols(item)


def wap_body(item: Published) -> str:
    """The body on the mobile page, whose images are lazy."""
    lines = [f'<p class="art_p">{escape(text, quote=False)}</p>' for text in item.story.paragraphs]
    for picture in item.pictures:
        lines.insert(1, f'<div class="art_img"><img data-src="{picture.url}" alt="{escape(picture.caption)}"></div>')
    return "\n".join(lines)


def _paragraph(text: str, attributes: str = "") -> str:
    return f"<p{attributes}>{INDENT}{escape(text, quote=False)}</p>"


def _linked(item: Published, form: str) -> list[str]:
    """The paragraphs, with the first mention of each company linked to its quote page."""
    style = ' cms-style="font-L"' if item.template == "finance2019" and item.oid % 2 else ""
    lines = [_paragraph(text, style) for text in item.story.paragraphs]
    market = item.story.desk.market or ""
    for name, code in item.story.companies:
        link = form.format(market=market, code=code, name=name, href=QUOTES[market].format(code=code))
        index = next((n for n, line in enumerate(lines) if name in line), None)
        if index is not None:
            lines[index] = lines[index].replace(name, link, 1)
    return lines


def _mixed(item: Published, lines: list[str]) -> list[str]:
    """The paragraphs with the pictures between them."""
    for number, picture in enumerate(item.pictures):
        lines.insert(1 + 2 * number, _image(picture, item.template == "gb2312"))
    return lines


def _image(picture: Picture, old: bool) -> str:
    caption = escape(picture.caption)
    source = f"http:{picture.url}" if old else picture.url
    return (
        f'<div class="img_wrapper"><img src="{source}" alt="{caption}"><span class="img_descr">{caption}</span></div>'
    )


def _reference(item: Published) -> list[str]:
    """A third of the articles of 2026 open with a summary in a block of its own."""
    if item.oid % 3:
        return []
    return [
        f"<blockquote class='fin_reference'>\n<p>内容摘要：{escape(item.story.lead, quote=False)}</p>\n</blockquote>"
    ]


def _lifted(item: Published) -> list[str]:
    """Lines at the top of some bodies that a reader lifts into fields: the original title, the source."""
    match Random(f"lifted/{item.id}").randrange(4):
        case 0:
            return [_paragraph(f"原标题：{item.title}", ' class="ori_titlesource"')]
        case 1:
            return [_paragraph(f"来源：{item.story.media}")]
        case _:
            return []


def _related_symbols(item: Published) -> str:
    market = item.story.desk.market
    codes = "&".join(code for _, code in item.story.companies)
    return f"<!-- news_keyword_pub,{market},{codes} -->" if market and codes else ""
