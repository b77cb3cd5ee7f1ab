"""Attributes of strangers' elements: which may stay, and what they become.

Every attribute the HTML standard gives a meaning must be on the list to stay. Names it does not know (``cms-style``,
``data-link``, ``inpost``) mean nothing to a browser and stay, for faithfulness, as do those it knows only on elements
that never pass (``accept``, ``maxlength`` …), unless a script of the page they end on could be made to act on them:
names that frameworks and light boxes look for (``v-``, ``data-ng-``, ``data-fancybox``, ``@``, ``:``), every ``on…``,
and values that hold markup or quotes go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aggregator.text.characters import escape_attribute, printable
from aggregator.text.styles import plain_style
from aggregator.text.urls import absolute, openable, tidy

_HARMLESS = frozenset(
    """abbr align alt axis bgcolor border cellpadding cellspacing char charoff class clear color cols colspan compact
    controls coords datetime decoding dir download draggable face frame headers height hidden hreflang hspace id
    itemid itemprop itemref itemscope itemtype kind label lang loading loop lowsrc media muted name noshade nowrap
    open preload referrerpolicy rev reversed role rows rowspan rules scope shape size sizes span srclang start
    summary tabindex title translate type usemap valign value vspace width xml:lang""".split()
)
_LINKS = frozenset({"href", "cite", "longdesc", "itemid"})
_MEDIA = frozenset({"src", "poster", "lowsrc", "dynsrc", "background"})
# The standard gives these a meaning we do not want from a stranger; whatever else has a meaning is above.
_MEANINGFUL = frozenset(
    """accesskey action allow allowfullscreen archive async autocapitalize autofocus autoplay blocking
    capture classid codebase codetype content contenteditable crossorigin csp data dirname elementtiming
    enterkeyhint fetchpriority form formaction formenctype formmethod formnovalidate formtarget http-equiv imagesizes
    imagesrcset inert integrity is language link manifest nonce novalidate object part ping popover popovertarget
    popovertargetaction profile sandbox scheme slot spellcheck src srcdoc srcset standby style version vlink xml:base
    xmlns""".split()
)
_PROSE = frozenset({"alt", "title", "label", "summary", "abbr"})
_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
_FRAMEWORK = re.compile(
    r"on|(?:data-)?(?:v|ng|x|hx|is|wire|up|unicorn|bs|uk|turbo|remodal)-|data-(?:action|ajax|bind|caption|content|controller"
    r"|fancybox|featherlight|html|lightbox|method|mfp|options|remote|target|template|toggle|turbo|type)"
)
_MARKUP = re.compile("[<>\"'`]")
# Scripts of themes put alt and title into markup without escaping (measured: Hexo's landscape, captions).
_REVIVABLE = re.compile(r"<[a-z/!?]|[\"'`][^<>]*=", re.I)
_AS_PROSE = str.maketrans("<>\"'`", "＜＞＂＇｀")  # the same signs, full width
_OPENER = re.compile(r"(?<!\S)opener(?!\S)", re.I)
_SCHEME = re.compile(r"[^/?#]*?:")  # wider than RFC 3986: what some reader may take for a scheme counts as one
_SAFE_LINK = ("http:", "https:", "mailto:")
_INLINE_IMAGE = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=\s]*\Z", re.I)
_STYLE_RISK = re.compile(
    r"[@\\<]|/\*|url\s*\(|image\s*\(|expression|binding|behavior|javascript|position\s*:\s*(?:fixed|sticky)",
    re.I,
)
_SCRIPT = re.compile(r"(?:javascript|vbscript|data):", re.I)
_TWO_SLASHES = re.compile(r"[/\\]{2}")  # to a browser
_PICTURE = re.compile(r"\.(?:gif|png|jpg|webp)")


def attributes(element: str, attrs: Mapping[str, object], base: str | None, *, images: bool, layout: bool) -> str:
    """The attributes of an element as written into its start tag: "" or `` name="value" bare …`` in source order.

    With ``images`` the document's pass is applied to ``<img>`` (docs/format.md): a missing ``src`` is taken from the
    first attribute that names a picture, and ``referrerpolicy="no-referrer"`` ends the tag (or replaces its value).
    Without ``layout`` a style keeps only what ``plain_style`` allows, and no class finds a rule of the page's own.
    """
    given = {name.lower(): "" if value is None else str(value) for name, value in attrs.items()}
    if element == "img" and images:
        given = _image(given)
    if not layout:
        given = _in_place(given)
    kept = ((name, _value(element, name, value, base)) for name, value in given.items())
    return "".join(_written(name, value) for name, value in kept if value is not None)


def _written(name: str, value: str) -> str:
    return f' {name}="{escape_attribute(value)}"' if value else f" {name}"


def _image(given: dict[str, str]) -> dict[str, str]:
    image = dict(given)
    if not image.get("src"):
        lazy = next((value.strip() for value in image.values() if _PICTURE.search(value)), None)
        image |= {"src": lazy} if lazy else {}
    image["referrerpolicy"] = "no-referrer"
    return image


def _in_place(given: Mapping[str, str]) -> dict[str, str]:
    styled = ((name, plain_style(value) if name == "style" else value) for name, value in given.items())
    return {name: value for name, value in styled if name != "class" and (value or name != "style")}


def _value(element: str, name: str, value: str, base: str | None) -> str | None:
    """What an attribute's value becomes; ``None`` when the attribute goes."""
    if name in _LINKS:
        return _link(value, base)
    if name in _MEDIA:
        return _source(element, value, base)
    if name in _PROSE:
        return value.translate(_AS_PROSE) if _REVIVABLE.search(value) else value
    if name in _HARMLESS and (name, element) != ("name", "img"):
        return value
    return value if _may_stay(element, name, value, base) else None


def _may_stay(element: str, name: str, value: str, base: str | None) -> bool:
    """Whether an attribute that is judged by its value, or that no standard knows, is harmless."""
    if name == "srcset":
        return element in ("img", "source") and _only_web(value)
    if name == "style":
        return not _STYLE_RISK.search(value)
    if name == "name":  # a picture's hides the property of the document that is called so
        return not value.isalpha()
    if name in ("target", "rel"):  # only what opens a window without a way back to ours
        return value.lower() in ("", "_blank") if name == "target" else not _OPENER.search(value)
    if not _NAME.match(name) or name in _MEANINGFUL or _FRAMEWORK.match(name):
        return False
    if name.endswith("src") and value and not _openable(tidy(value), base):
        return False  # data-src: what a script, or a pattern, takes for an image's address
    return not _MARKUP.search(value) and not _SCRIPT.match(tidy(value))


def _link(value: str, base: str | None) -> str | None:
    """A link a reader may follow: http, https, mailto or a place in the same page; others go."""
    target = printable(tidy(value))
    if not target or target.startswith("#"):
        return target
    scheme = _SCHEME.match(target)
    if scheme and scheme[0].lower() not in _SAFE_LINK:
        return None
    if scheme and scheme[0].lower() == "mailto:":
        return target
    return absolute(target, base) if base or scheme else target


def _source(element: str, value: str, base: str | None) -> str | None:
    """Where a picture or film is loaded from: an address that can be opened, or the attribute goes."""
    target = printable(tidy(value))
    if not target or (element == "img" and _INLINE_IMAGE.match(target)):
        return target
    if _SCHEME.match(target) or _TWO_SLASHES.match(target) or base:
        address = absolute(target, base)
        return address if address and openable(address) else None
    return target


def _openable(target: str, base: str | None) -> bool:
    address = absolute(target, base or "https://localhost/")
    return bool(address and openable(address))


def _only_web(value: str) -> bool:
    schemes = re.findall(r"([a-z][a-z0-9+.-]*):", value, re.I)
    return all(scheme.lower() in ("http", "https") for scheme in schemes)
