"""What of a stranger's inline style a page of ours shows: how text looks, never where it stands or what room it takes.

Position, transforms, negative margins, sizes of letters and the like would let a feed lay its own link over ours. So
only declarations of this table stay, and of each only values of a plain form: no functions but colours, no escapes.
"""

from __future__ import annotations

import re

_COLOUR = r"#[0-9a-f]{3,8}|[a-z]{3,20}|(?:rgb|hsl)a?\([0-9., %]{1,40}\)"
_PLAIN = {
    "background-color": _COLOUR,
    "color": _COLOUR,
    "font-style": "normal|italic|oblique",
    "font-variant": "normal|small-caps",
    "font-weight": "normal|bold|bolder|lighter|[1-9]00",
    "list-style-type": "[a-z-]{3,30}",
    "text-align": "left|right|center|justify|start|end",
    "text-decoration": "none|underline|overline|line-through",
    "text-indent": r"[0-4](?:\.[0-9]{1,2})?em",
    "text-transform": "none|capitalize|uppercase|lowercase",
    "vertical-align": "baseline|sub|super|top|middle|bottom",
    "white-space": "normal|pre|pre-wrap|pre-line|break-spaces",
}
_FORMS = {name: re.compile(form) for name, form in _PLAIN.items()}


def plain_style(style: str) -> str:
    """The declarations of an inline style that may be shown in a page of ours, in their order; "" for none."""
    pairs = (declaration.partition(":")[::2] for declaration in style.lower().split(";"))
    named = ((name.strip(), value.strip()) for name, value in pairs)
    return "; ".join(f"{name}: {value}" for name, value in named if name in _FORMS and _FORMS[name].fullmatch(value))
