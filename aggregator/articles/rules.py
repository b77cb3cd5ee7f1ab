"""What is known about sites, as data: where a page keeps its article, what is not part of it, which links have none.

One row per host and era; docs/sina.md says what each row was measured on. A change to any table here needs a new
``RULES_VERSION``: articles that failed under an older one are then tried again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from aggregator.text.urls import comos_id, host_of

RULES_VERSION = "2026.11.1"
FALLBACK = "trafilatura"  # the rule's name where a host has no row and the body was guessed
SINA_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one template keeps the parts of an article. Selectors are CSS, tried in order.

    ``hosts`` are patterns (``*.sina.cn``). ``mark``, if given, must match something on the page. A body is the inner
    HTML of the first of ``body`` that holds anything, or what stands between the two comments of ``between``, which go
    first, or the pictures of the inline variable ``slides``. ``lazy`` names the attribute that holds an image's real
    address. ``remove`` is cut out of ``text``, never out of ``html``.
    """

    name: str
    hosts: tuple[str, ...]
    body: tuple[str, ...] = ()
    mark: str = ""
    between: tuple[str, str] | None = None
    slides: str = ""
    lazy: str = ""
    title: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    editor: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


_PC = ("*.sina.com.cn", "sina.com.cn")
_WAP = ("*.sina.cn", "sina.cn")
_EDITOR = (".article-editor", ".show_author")
_KEYWORDS = ("div.keywords a", ".art_keywords a")

RULES: tuple[Rule, ...] = (
    Rule(
        name="sina-slides",
        hosts=("slide.sina.com.cn", "slide.*.sina.com.cn"),
        slides="slide_data",
        title=("h1", ".slide-title h2"),
        time=(".slide-info .time", "#pub_date"),
    ),
    Rule(
        name="sina-bulletin",  # company announcements, GB2312
        hosts=("vip.stock.finance.sina.com.cn", "money.finance.sina.com.cn"),
        body=("div#content", "#con02-7", "#box"),
        title=("#allbulletin thead th", "#allbulletin th"),
        time=("div#content", "#con02-7", "#box"),
    ),
    Rule(
        name="sina-wap",
        hosts=_WAP,
        body=("section.art_pic_card.art_content", "section.art_content"),
        lazy="data-src",
        title=("h1.art_tit_h1",),
        time=("time.art_time", "time.weibo_time"),
        media=("cite.art_cite", "h2.weibo_user"),
        editor=(".art_editor", ".article-editor"),
        keywords=_KEYWORDS,
        remove=(".art_img_tip", ".j_article_relevent"),
    ),
    Rule(
        name="sina-finance-2018",
        hosts=_PC,
        mark="h1.main-title",
        body=("#article_content #artibody",),
        title=("h1.main-title",),
        time=(".date-source .date",),
        media=(".date-source .source",),
        editor=_EDITOR,
        keywords=_KEYWORDS,
    ),
    Rule(
        name="sina-news-2018",
        hosts=_PC,
        mark="h1.main-title",
        body=("#article",),
        title=("h1.main-title",),
        time=(".date-source .date",),
        media=(".date-source .source",),
        editor=(".show_author", ".article-editor"),
        keywords=("div.keywords a",),
        remove=(".wap_special",),
    ),
    Rule(
        name="sina-2014",
        hosts=_PC,
        mark="#navtimeSource, .article_16, .time-source",
        body=(".article_16#artibody", "#artibody"),
        title=("h1#artibodyTitle", "#artibodyTitle", "h1.main-title"),
        time=("#navtimeSource", ".time-source"),
        media=("#navtimeSource a", "#navtimeSource span", ".time-source a", ".time-source span"),
        editor=_EDITOR,
        keywords=("div.article-keywords a", *_KEYWORDS),
    ),
    Rule(
        name="sina-gb2312",
        hosts=_PC,
        mark="#artibodyTitle",
        between=(r"<!--\s*publish_helper\s+name='原始正文'[^>]*-->", r"<!--\s*publish_helper_end\s*-->"),
        body=(".blkContainerSblkCon#artibody", "#artibody", ".blkContainerSblkCon"),
        title=("h1#artibodyTitle", "#artibodyTitle"),
        time=("#pub_date",),
        media=("#media_name", "#art_source"),
        editor=_EDITOR,
        keywords=_KEYWORDS,
    ),
    Rule(
        name="sina-any",  # other channels and authors' pages of the same publishing system
        hosts=_PC,
        body=("#artibody", "#article"),
        title=("h1.main-title", "#artibodyTitle", "h1"),
        time=(".date-source .date", "#navtimeSource", "#pub_date", "span.date"),
        media=(".date-source .source", "#media_name", "#art_source"),
        editor=_EDITOR,
        keywords=_KEYWORDS,
    ),
)

# -- text: what is on the page without being part of the article ----------------------------------------------------
REMOVE: tuple[str, ...] = (
    "style",
    ".appendQr_wrap",
    ".app-kaihu-qr",
    ".app-qihuo-kaihu-qr",
    ".finance_app_sina",
    ".ct_hqimg",
    ".hqimg_related",
    ".article-notice",
    "#left_hzh_ad",
    ".tech-quotation",
    "ins.sinaads",
    "[class*=otherContent]",
    "p[class^=finance_web]",
    "[class*=kaihu]",
    "[id^=quote_]",
    ".video-2017",  # the player, which only scripts fill
    ".article-editor",
    ".show_author",
)
# A line of the text that is an advertisement of the house, whatever stands around it.
PROMOTIONS: tuple[re.Pattern[str], ...] = (
    re.compile(r"炒股就看金麒麟分析师研报，权威，专业，及时，全面，助您挖掘潜力主题机会！"),
    re.compile(r"^.*新浪理财大学.*(?:直降\d+元|>>)\s*(?:>>)?$"),
    re.compile(r"海量资讯、精准解读，尽在新浪财经\s*APP"),
)
# Lines that are fields: near the start or the end of the text.
LEADING: tuple[re.Pattern[str], ...] = (
    re.compile(r"(?:点击进入)?专题[:：].{0,60}"),
    re.compile(r"[（(]?原标题\s*[:：\s].{1,200}"),
    re.compile(r"[（(]?来源[:：].{1,30}"),
)
TRAILING: tuple[re.Pattern[str], ...] = (re.compile(r"[（(]?(?:责任编辑|责编)\s*[:：].{0,40}"),)

# -- covers: what is never the picture of an article ----------------------------------------------------------------
NOT_A_COVER = re.compile(
    r"""^data:
    |sinaimg\.cn/finance/cece9e13/          # the house's own: QR codes, app advertisements
    |wx_poster_finance                      # the logo in the roll API's img
    |sinaimg\.cn/default/2fb77759/          # what a wap page shows until a picture has loaded
    |qr[-_]?code|erweima|(?:^|[/_.-])(?:ewm|qr)[/_.-]
    |(?:^|[/_.-])(?:logo|placeholder|blank|spacer|loading|grey|transparent|pixel|1x1|404)[^/]*\.(?:gif|png|jpe?g|webp|svg)
    |picsum\.photos/
    |\.svg(?:\?|$)""",
    re.I | re.X,
)

# -- symbols: <!-- news_keyword_pub,MARKET,CODE&CODE --> ------------------------------------------------------------
# The prefix a market's codes get; a market not listed keeps its own name ("forex:USDCNY").
SYMBOL_PREFIX = {"stock": "", "usstock": "us:", "hkstock": "hk"}

# -- pages that are no article --------------------------------------------------------------------------------------
CHALLENGE = re.compile(
    r"安全验证|访问验证|身份验证|滑动验证|人机验证|验证码|拖动滑块|访问过于频繁|Just a moment|Attention Required"
    r"|Access Denied|unusual traffic|are you a (?:human|robot)|captcha",
    re.I,
)
CHALLENGE_LENGTH = 600  # characters of visible text; a longer page that says such words may be about them

_LINK_ONLY: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (r"video.sina.com.cn", re.compile(r"/."), "video"),
    (r"video.sina.cn", re.compile(r"/."), "video"),
    (r"blog.sina.com.cn", re.compile(r"/."), "blog"),
    (r"blog.sina.cn", re.compile(r"/."), "blog"),
    (r"*.sina.com.cn", re.compile(r"(?:/[^/]+)*/zt(?:_\w+)?/"), "topic"),
    (r"*.sina.cn", re.compile(r"(?:/[^/]+)*/zt(?:_\w+)?/"), "topic"),
)


def rows_for(*hosts: str) -> tuple[Rule, ...]:
    """The rows for any of these hosts, in the order in which they are tried."""
    return tuple(rule for rule in RULES if any(fnmatchcase(host, p) for host in hosts for p in rule.hosts))


def rule_named(name: str | None) -> Rule | None:
    """The row of that name, ``None`` for the fallback and for rows of older versions."""
    return next((rule for rule in RULES if rule.name == name), None)


def link_only(url: str) -> str | None:
    """Why a link leads to no article text: "video", "blog", "topic"; ``None`` for all that may be an article.

    Only what is proven counts: a link with a content id inside a topic's folder is an article.
    """
    host = host_of(url)
    path = urlsplit(url).path if host else ""
    for pattern, where, reason in _LINK_ONLY:
        if fnmatchcase(host, pattern) and where.match(path):
            return None if reason == "topic" and comos_id(url) else reason
    return None
