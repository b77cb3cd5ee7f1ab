"""The colours of our pages: text is as distinct as WCAG 2.2 wants for AA (1.4.3), in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parent.parent / "aggregator" / "browse" / "static" / "news.css"
_BLOCK = re.compile(r":root \{(.*?)\}", re.DOTALL)
_COLOUR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
GROUNDS = ("paper", "sheet", "tint")
TEXTS = ("ink", "soft", "accent", "link", "visited", "good", "warn", "bad")
PAIRS = [(text, ground) for text in TEXTS for ground in GROUNDS]
PAIRS += [("mark-ink", "mark"), ("insert-ink", "insert"), ("delete-ink", "delete")]


def luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def themes() -> list[dict[str, str]]:
    light, dark = (dict(_COLOUR.findall(block)) for block in _BLOCK.findall(CSS.read_text(encoding="utf-8")))
    return [light, light | dark]


def test_the_measure_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_is_distinct_from_its_ground(theme: int, text: str, ground: str) -> None:
    colours = themes()[theme]
    assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_edges_of_fields_and_bars_are_distinct(theme: int) -> None:
    colours = themes()[theme]
    for ground in GROUNDS:  # WCAG 2.2, 1.4.11
        assert contrast(colours["soft"], colours[ground]) >= 3
        assert contrast(colours["accent"], colours[ground]) >= 3


def test_every_colour_is_a_variable() -> None:
    rules = _BLOCK.sub("", CSS.read_text(encoding="utf-8"))
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)", rules) == []
