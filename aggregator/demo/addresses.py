"""The ids, addresses and pictures the replica gives an article, in Sina's forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from string import ascii_lowercase

from aggregator.demo.ledger import BEIJING, Picture, Template
from aggregator.demo.newsroom import Desk, Story

SIZES = ((550, 309), (550, 366), (640, 360), (800, 533))


@dataclass(frozen=True, slots=True)
class Address:
    """Where an article stands: its id as the list gives it, its page, its mobile page."""

    docid: str
    url: str
    wap: str


def comos_id(dice: Random, era: str = "n") -> str:
    """Seven letters, the first of which tells the era, and seven digits."""
    letters = "".join(dice.choices(ascii_lowercase, k=6))
    return f"{era}{letters}{dice.randint(2_000_000, 9_899_999)}"


def address(comos: str, desk: Desk, template: Template, ctime: datetime, dice: Random) -> Address:
    """The addresses of an article. The date in them is the Beijing date of ``ctime``."""
    local = ctime.astimezone(BEIJING)
    day = local.strftime("%Y-%m-%d")
    wap = f"https://finance.sina.cn{desk.wap}/{day}/detail-i{comos}.d.html"
    stem = "zl-i" if desk.section.startswith("/zl/") else "doc-i"
    url = f"https://finance.sina.com.cn{desk.section}/{day}/{stem}{comos}.shtml"
    match template:
        case "news2018":
            url = f"https://news.sina.com.cn/c/{day}/doc-i{comos}.shtml"
            wap = f"https://news.sina.cn/gn/{day}/detail-i{comos}.d.html"
        case "wap":
            url = wap
        case "slides":
            number = f"{dice.randint(10_000, 99_999)}_{dice.randint(100_000, 999_999)}"
            url = f"http://slide.finance.sina.com.cn/slide_9_{number}.html"
        case "blog":
            url = f"http://blog.sina.com.cn/s/blog_{dice.getrandbits(64):016x}.html?tj=fina"
        case "topic":
            url = f"https://finance.sina.com.cn/zt_d/subject-{dice.randint(1_500_000_000, 1_800_000_000)}/"
        case "video":
            url = f"https://video.sina.com.cn/p/finance/{day}/detail-i{comos}.d.html"
        case "gb2312":
            return _before_comos(local, dice)
        case _:
            pass
    return Address(f"comos:{comos}", url, wap)


def _before_comos(local: datetime, dice: Random) -> Address:
    """Before there were comos ids: a directory with the date, a file of HHMM and eight digits."""
    number = dice.randint(18_000_000, 18_999_999)
    place = f"china/jrxw/{local:%Y%m%d}/{local:%H%M}{number}"
    return Address(
        f"31-1-{number}", f"http://finance.sina.com.cn/{place}.shtml", f"http://finance.sina.cn/{place}.html"
    )


def pictures(story: Story, ctime: datetime, dice: Random) -> tuple[Picture, ...]:
    """None, one or two pictures; half of the articles have none."""
    day = ctime.astimezone(BEIJING).strftime("%Y%m%d")
    count = dice.choice((0, 0, 1, 2))
    return tuple(_picture(day, f"示意图：{story.desk.keywords[0]}" if n == 0 else "", dice) for n in range(count))


def _picture(day: str, caption: str, dice: Random) -> Picture:
    width, height = dice.choice(SIZES)
    name = f"{dice.getrandbits(16):04x}-{dice.getrandbits(128):032x}.png"
    folder = f"{dice.randint(1, 300)}/w{width}h{height}/{day}"
    return Picture(f"//n.sinaimg.cn/finance/transform/{folder}/{name}", width, height, caption)


def lag(dice: Random, at_most: timedelta) -> timedelta:
    """How long after its publication an article was last changed: 5 to 5,101 s, mostly little."""
    seconds = dice.choice((dice.randint(5, 95), dice.randint(5, 480), dice.randint(300, 5_101)))
    return max(timedelta(seconds=5), min(timedelta(seconds=seconds), at_most))
