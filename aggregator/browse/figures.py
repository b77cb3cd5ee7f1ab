"""Pictures as values: grids and bars, ready for a template to draw as SVG and to tell as a table. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from markupsafe import Markup, escape

LEVELS = 5  # shades of a grid; 0 is nothing


@dataclass(frozen=True, slots=True)
class Cell:
    """A square: its shade, and its value as a table tells it. ``kind`` names a shade of its own: ``gap``, ``bad``."""

    level: int
    value: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Squares in rows and columns. ``marks`` are the columns whose heading is drawn, by place."""

    name: str
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    columns: tuple[str, ...]
    marks: tuple[tuple[int, str], ...]

    def squares(self, row: int, step: float) -> Markup:
        """A row as SVG, each square with what it means. Thousands of expressions in a template cost ten times this."""
        label, cells = self.rows[row]
        name, place = escape(label), f'y="{22 + 22 * row}" width="{step - 2:.5g}" height="19"'
        return Markup(
            "".join(
                f'<rect class="l{one.level}{one.kind and " "}{one.kind}" x="{step * n:.5g}" {place}>'
                f"<title>{name} · {column} · {one.value or '–'}</title></rect>"
                for n, (one, column) in enumerate(zip(cells, self.columns, strict=True))
            )
        )

    def values(self, row: int) -> Markup:
        """A row as cells of a table."""
        return Markup("".join(f"<td>{one.value or '–'}</td>" for one in self.rows[row][1]))


@dataclass(frozen=True, slots=True)
class Bar:
    """Half of the values are at most ``middle``, nine in ten at most ``most``, of ``count`` there are."""

    label: str
    kind: str
    middle: float
    most: float
    count: int


def grid(
    name: str, labels: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[int | None]], every: int
) -> Grid:
    """Counts as shades of the largest one; ``None`` is nothing to tell. ``every`` how many columns one is named."""
    most = max((value for row in values for value in row if value), default=0)
    rows = tuple(
        (label, tuple(Cell(_level(value, most), "" if value is None else str(value)) for value in row))
        for label, row in zip(labels, values, strict=True)
    )
    return Grid(name, rows, tuple(columns), marked(columns, every))


def marked(columns: Sequence[str], every: int) -> tuple[tuple[int, str], ...]:
    """One column in so many, with its place."""
    return tuple((place, column) for place, column in enumerate(columns) if place % every == 0)


def _level(value: int | None, most: int) -> int:
    return -(-LEVELS * value // most) if value and most else 0


def bars(
    labels: Mapping[int, str], lags: Iterable[tuple[int, float | None, float]], kinds: tuple[str, str]
) -> tuple[Bar, ...]:
    """Two bars a feed: the source's lag and ours, in seconds; none where nothing is known."""
    found: dict[int, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for feed, source, ours in lags:
        sources, all_ours = found[feed]
        all_ours.append(ours)
        if source is not None:
            sources.append(source)
    return tuple(
        Bar(label, kind, *_of(values), len(values))
        for feed, label in labels.items()
        for kind, values in zip(kinds, found.get(feed, ()), strict=False)
        if values
    )


def _of(values: list[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    tenths = quantiles(values, n=10, method="inclusive")
    return tenths[4], tenths[8]
