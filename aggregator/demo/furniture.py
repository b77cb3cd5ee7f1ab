"""What surrounds an article on its page: scripts, styles, navigation, other headlines. All of it is to be ignored."""

from __future__ import annotations

from datetime import datetime
from html import escape
from random import Random

from aggregator.demo import newsroom
from aggregator.demo.figures import NAMES

DESKS = ("macro", "bank", "ashare", "hk", "us", "futures")


def furniture(comos: str, when: datetime) -> dict[str, str]:
    """The parts of a page around its article, by the name of their slot; the same for the same id."""
    dice = Random(f"furniture/{comos}")
    return {
        "cids": ",".join(str(dice.randint(200, 240_000)) for _ in range(8)),
        "scripts": "\n".join(_script(dice) for _ in range(dice.randint(6, 14))),
        "styles": "<style>\n" + "\n".join(_rule(dice) for _ in range(dice.randint(60, 180))) + "\n</style>",
        "nav": _links("site-nav", dice.randint(30, 60), dice),
        "related": _headlines(dice, when),
        "comments": f'<span class="count"><em>{dice.randint(0, 400)}</em>条回应</span>',
        "footer": _links("site-footer", dice.randint(20, 40), dice) + "\n" + _script(dice),
    }


def _word(dice: Random) -> str:
    return f"{dice.getrandbits(32):08x}"


def _script(dice: Random) -> str:
    settings = ",\n".join(
        f"    '{_word(dice)}': {{slot: 'PDPS{dice.randint(1, 99_999):012d}', lazy: {dice.randint(0, 1)}, after: {n}}}"
        for n in range(dice.randint(8, 24))
    )
    return (
        f'<script type="text/javascript" src="//n.sinaimg.cn/demo/js/{_word(dice)}.js" charset="utf-8"></script>\n'
        f"<script>\n(function (w) {{\n  w.demoSlots = w.demoSlots || {{}};\n  var slots = {{\n{settings}\n  }};\n"
        "  for (var key in slots) { if (slots.hasOwnProperty(key)) { w.demoSlots[key] = slots[key]; } }\n"
        "})(window);\n</script>"
    )


def _rule(dice: Random) -> str:
    margin = f"{dice.randint(0, 30)}px 0 0 {dice.randint(0, 30)}px"
    return f".dm_{_word(dice)} .dm_{_word(dice)[:4]}{{float:left;margin:{margin};color:#{dice.getrandbits(24):06x};}}"


def _links(name: str, count: int, dice: Random) -> str:
    items = "\n".join(
        f'  <li><a href="https://finance.sina.com.cn/demo/{_word(dice)}/" data-sudaclick="{name}_{n}">'
        f"{dice.choice(NAMES['city'])}{dice.choice(NAMES['industry'])}</a></li>"
        for n in range(count)
    )
    return f'<div class="{name} clearfix" id="{name}">\n<ul>\n{items}\n</ul>\n</div>'


def _headlines(dice: Random, when: datetime) -> str:
    """Other articles' titles and leads, so that the page holds prose which is not its article's."""
    stories = [newsroom.write(dice.choice(DESKS), dice, when) for _ in range(dice.randint(8, 16))]
    items = "\n".join(
        f'  <li><a href="https://finance.sina.com.cn/demo/{_word(dice)}.shtml">{escape(story.title)}</a>'
        f"<p>{escape(story.lead)}</p></li>"
        for story in stories
    )
    return f'<div class="right-side-list" data-sudaclick="hot_list"><h2>大家在读</h2>\n<ul>\n{items}\n</ul>\n</div>'
