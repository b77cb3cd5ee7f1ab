"""``diff``: two versions of an article side by side: fields, what changed in facts, and the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from aggregator.archive import Reader
from aggregator.archive.revisions import Revision
from aggregator.articles.changes import judged, text_told
from aggregator.articles.differences import Difference, Reading, differences
from aggregator.articles.rules import Rules
from aggregator.articles.verdict import Verdict
from aggregator.cli.frame import ConfigOption, JsonOption, app, settings_of
from aggregator.cli.output import complain, local, out, print_json, visible
from aggregator.cli.reading import looked_up
from aggregator.errors import ConfigError
from aggregator.text.dates import iso
from aggregator.text.diff import Op, Run, by_line, difference

_CONTEXT = 1  # unchanged lines shown beside a changed one
_STYLES: dict[Op, str] = {"equal": "", "delete": "red strike", "insert": "green underline"}
_MARKS: dict[Op, str] = {"equal": "{}", "delete": "[-{}-]", "insert": "{{+{}+}}"}
_WHOLE = ("title", "text", "html")  # fields that are told as texts
_INSTANTS = ("published", "modified")


@app.command(epilog="aggregator diff sina:comos:nitmeau2811260 · aggregator diff KEY 1 3 · aggregator diff KEY --json")
def diff(
    what: Annotated[str, typer.Argument(metavar="KEY|URL", help="A key, a URL, or a bare comos id.")],
    first: Annotated[int | None, typer.Argument(metavar="[N]", min=1, help="The version before.")] = None,
    second: Annotated[
        int | None, typer.Argument(metavar="[M]", min=1, help="The version after; without it, N and the one before N.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """What changed between two versions of an article, by default the last two."""
    settings = settings_of(config)
    with Reader(settings.archive) as reader:
        row = looked_up(reader, what, None, None, settings)
        versions = list(reader.revisions(int(str(row["id"]))))
    key, rules = str(row["key"]), settings.site_rules()
    if row["forgotten"]:
        raise ConfigError(f"this article was erased at {row['forgotten']}", where=key)
    pair = _chosen(versions, key, first, second)
    if pair is None:
        if as_json:
            print_json({"key": key, "versions": len(versions), "before": None, "after": None})
        complain(f"{key} has one version: there is nothing to compare it with")
        return
    verdict = _verdict(versions, *pair, rules)
    if as_json:
        print_json(_as_json(key, len(versions), *pair, verdict, rules))
    else:
        _show(*pair, verdict, rules, settings.timezone)


def _chosen(
    versions: Sequence[Revision], key: str, first: int | None, second: int | None
) -> tuple[Revision, Revision] | None:
    """The two versions meant; ``None`` when there is only one and no number was named."""
    by_number = {one.n: one for one in versions}
    if not versions:
        raise ConfigError("it has no version yet", where=key, hint="It waits for the next fetch")
    for number in (first, second):
        if number is not None and number not in by_number:
            raise ConfigError(f"it has no version {number}, but {_list(by_number)}", where=key)
    if first is None:
        return (versions[-2], versions[-1]) if len(versions) > 1 else None
    if second is not None:
        return by_number[first], by_number[second]
    if first - 1 not in by_number:
        raise ConfigError("there is no version before its first", where=key, hint="Name two: aggregator diff KEY 1 2")
    return by_number[first - 1], by_number[first]


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _verdict(versions: Sequence[Revision], before: Revision, after: Revision, rules: Rules) -> Verdict | None:
    """What the source changed in facts; ``None`` where it changed nothing, only our reading of it did."""
    between = range(min(before.n, after.n) + 1, max(before.n, after.n) + 1)
    edited = any(one.n in between and one.cause != "parser" for one in versions)
    return judged(before.content, after.content, rules) if edited else None


def _fields(before: Revision, after: Revision) -> list[Difference]:
    found = differences(Reading(before.content, before.fingerprint), Reading(after.content, after.fingerprint))
    return [one for one in found if one.field not in _WHOLE]


def _text_runs(before: Revision, after: Revision, rules: Rules) -> tuple[Run, ...]:
    return difference(text_told(before.content, rules), text_told(after.content, rules))


def _as_json(
    key: str, versions: int, before: Revision, after: Revision, verdict: Verdict | None, rules: Rules
) -> dict[str, object]:
    return {
        "key": key,
        "versions": versions,
        "before": _origin(before),
        "after": _origin(after),
        "verdict": verdict.verdict if verdict else None,
        "evidence": [asdict(one) for one in verdict.evidence] if verdict else [],
        "fields": [asdict(one) for one in _fields(before, after)],
        "title": [asdict(run) for run in difference(before.content.title, after.content.title)],
        "text": [asdict(run) for run in _text_runs(before, after, rules)],
    }


def _origin(one: Revision) -> dict[str, object]:
    """Where a version comes from."""
    origin = {"n": one.n, "cause": one.cause, "seen": iso(one.seen), "page": one.page, "entry": one.entry}
    return {**origin, "parser": one.parser, "rules": one.content.rules_version, "title": one.content.title}


def _show(before: Revision, after: Revision, verdict: Verdict | None, rules: Rules, zone: str) -> None:
    _line("title", _styled(difference(before.content.title, after.content.title)))
    for name, one in (("before", before), ("after", after)):
        page = f"page {one.page}" if one.page else "the listing"
        parts = (f"version {one.n}", one.cause, f"seen {local(iso(one.seen), zone)}", f"from {page}")
        made = f"parser {one.parser}, rules {one.content.rules_version or 'none'}"
        _line(name, Text(visible(" · ".join((*parts, made)))))
    for field in _fields(before, after):
        was, now = (local(value, zone) if field.field in _INSTANTS else value for value in (field.before, field.after))
        _line(field.field.replace("_", " "), Text(visible(f"{was or 'none'} → {now or 'none'}")))
    _show_verdict(verdict)
    out().print()
    runs = _text_runs(before, after, rules)
    if all(run.op == "equal" for run in runs):
        same = "only its markup differs" if before.content.html != after.content.html else "no word of it differs"
        complain(f"the text is the same: {same}")
        return
    for line in _folded(by_line(runs)):
        out().print(line)


def _show_verdict(verdict: Verdict | None) -> None:
    if verdict is None:
        _line("verdict", Text("none: only our reading of it changed, or the article itself came or went"))
        return
    _line("verdict", Text(verdict.verdict, style="bold red" if verdict.verdict == "material" else "dim"))
    for one in verdict.evidence:
        place = one.where.replace("_", " ")
        _line("", Text(visible(f"{one.kind} in {place}: {one.before or 'none'} → {one.after or 'none'}")))


def _line(name: str, value: Text) -> None:
    out().print(Text(f"{name:>14}  ") + value)


def _folded(lines: Sequence[tuple[Run, ...]]) -> Iterator[Text]:
    """The changed lines with their neighbours; what is left out between them is one line."""
    changed = [number for number, line in enumerate(lines) if any(run.op != "equal" for run in line)]
    shown = {near for number in changed for near in range(number - _CONTEXT, number + _CONTEXT + 1)}
    hidden = 0
    for number, line in enumerate(lines):
        if number not in shown:
            hidden += 1
            continue
        if hidden:
            yield _skipped(hidden)
        hidden = 0
        yield _styled(line)
    if hidden:
        yield _skipped(hidden)


def _skipped(count: int) -> Text:
    return Text(f"… {count} unchanged {'line' if count == 1 else 'lines'}", style="dim")


def _styled(line: Sequence[Run]) -> Text:
    """A line in colours, or where there are none with marks; ¶ is an end of a line that came or went."""
    console = out()
    coloured = console.is_terminal and not console.no_color and console.color_system is not None
    whole = len({run.op for run in line}) == 1  # a line that came or went with its end needs no ¶
    text = Text()
    for run in line:
        words = visible(run.text) or ("" if whole else "¶")
        if words:
            text.append(words if coloured else _MARKS[run.op].format(words), style=_STYLES[run.op] if coloured else "")
    return text
