"""Editing config.yaml: what was asked for changes, and not one other character."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config import add_feed, add_feeds, parse, remove_feed, set_feed, starter, write_config
from aggregator.config.settings import Settings
from aggregator.errors import ConfigError
from aggregator.text.characters import printable

NEW = {"name": "new", "source": "feed", "url": "https://example.org/new.xml"}
PLAIN = "source: feed\n    url: https://example.org/x.xml"
BLOCK = f"""# top
archive: a.db   # odd   spacing

feeds:
  # the first
  - name: one # inside
    {PLAIN}

  # the second
  - name: two
    {PLAIN}
    headers:
      A: b # the end

  # afterwards
document: {{date: ctime}} # last
"""
ITEM = "{name: %s, source: feed, url: https://example.org/x.xml}"
FLOW = f"feeds: [{ITEM % 'one'}, {ITEM % 'two'}] # end\narchive: a.db\n"
TALL = f"feeds: [\n    {ITEM % 'one'}, # first\n    {ITEM % 'two'},\n  ]\n"
MIXED = f"feeds:\n- {ITEM % 'one'} # first\n- {ITEM % 'two'}"
INDENTED = f"  feeds:\n  -   name: one\n      {PLAIN.replace('    ', '      ')}\n  archive: a.db\n"


def read(text: str) -> Settings:
    return parse(text, Path("config.yaml"))


def names(text: str) -> list[str]:
    return [row.name for row in read(text).feeds]


def added_lines(before: str, after: str) -> list[str]:
    """The lines that are new in ``after``, when all others are as they were and in their order."""
    left, new = before.splitlines(), []
    for line in after.splitlines():
        if left and left[0] == line:
            left.pop(0)
        else:
            new.append(line)
    assert left == []
    return new


# -- adding --------------------------------------------------------------------------------------------------------


def test_a_feed_is_added_like_the_others_with_all_comments_kept() -> None:
    after = add_feed(BLOCK, {**NEW, "categories": ("金融", "no", "a, b"), "every": "5m", "zone": None})
    assert added_lines(BLOCK, after) == [
        "  - name: new",
        "    source: feed",
        "    url: https://example.org/new.xml",
        '    categories: [金融, "no", "a, b"]',
        "    every: 5m",
        "",
    ]
    assert "A: b # the end\n\n  - name: new" in after
    assert names(after) == ["one", "two", "new"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FLOW, FLOW.replace("}]", "}, {name: new, source: feed, url: 'https://example.org/new.xml'}]")),
        (TALL, TALL.replace("},\n  ]", "},\n    {name: new, source: feed, url: 'https://example.org/new.xml'},\n  ]")),
        (MIXED, MIXED + "\n- {name: new, source: feed, url: 'https://example.org/new.xml'}\n"),
        (INDENTED, INDENTED.replace("  archive", "  - name: new\n    {}\n  archive")),
        ("archive: a.db", "archive: a.db\n\nfeeds:\n  - name: new\n    {}\n"),
        ("# mine\n", "# mine\n\nfeeds:\n  - name: new\n    {}\n"),
        ("", "feeds:\n  - name: new\n    {}\n"),
        ("feeds: # none yet\narchive: a.db\n", "feeds: # none yet\n  - name: new\n    {}\narchive: a.db\n"),
        ("feeds: [] # none\n", "feeds: # none\n  - name: new\n    {}\n"),
        ("feeds: null", "feeds:\n  - name: new\n    {}\n"),
        ("feeds:\r\n  #\r\n", "feeds:\r\n  - name: new\r\n    source: feed\r\n    {}\r\n  #\r\n"),
    ],
)
def test_every_way_of_writing_the_list(before: str, after: str) -> None:
    lines = "source: feed\n    url: https://example.org/new.xml"
    expected = after.replace("{}", lines.split("\n    ")[1] if "\r" in after else lines)
    result = add_feed(before, NEW)
    assert result.replace("'", "") == expected.replace("'", "")
    assert names(result)[-1] == "new"


def test_the_shipped_file_takes_a_feed_and_gives_it_back() -> None:
    after = add_feed(starter(), NEW)
    assert len(added_lines(starter(), after)) == 4
    assert remove_feed(after, "new") == starter()


@pytest.mark.parametrize("before", [BLOCK, FLOW, TALL, MIXED, INDENTED, "archive: a.db", "", "feeds: [] # none\n"])
def test_many_feeds_are_added_as_one_by_one(before: str) -> None:
    feeds = [{**NEW, "name": f"new {n}", "every": n} for n in (1, 2, 3)]
    one_by_one = before
    for feed in feeds:
        one_by_one = add_feed(one_by_one, feed)
    together = add_feeds(before, feeds)
    assert [line for line in together.splitlines() if line] == [line for line in one_by_one.splitlines() if line]
    assert add_feeds(before, []) == before
    with pytest.raises(ConfigError, match="of this name already"):
        add_feeds(before, [NEW, NEW])


def test_what_would_be_too_long_to_be_read_again_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"too large.*Nothing was written"):
        add_feeds(BLOCK, [{**NEW, "name": f"{n}", "headers": {"X": "x" * 500_000}} for n in range(17)])


@pytest.mark.parametrize(
    ("feed", "fragment"),
    [
        ({**NEW, "name": "one"}, "a feed of this name already"),
        ({**NEW, "url": "nowhere"}, "url: must be a URL"),
        ({**NEW, "evry": "5m"}, "did you mean `every`"),
        ({"name": "x"}, "source: is missing"),
        ({**NEW, "source": "sina-roll"}, "has no pageid"),
    ],
)
def test_a_feed_that_cannot_be_is_not_added(feed: dict[str, object], fragment: str) -> None:
    with pytest.raises(ConfigError, match=fragment):
        add_feed(BLOCK, feed)


WORDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")) | st.sampled_from(":#'\"[]{},&*!|>%@`-?~=<01"),
    max_size=12,
).filter(lambda text: text.strip() == printable(text) == text != "")
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)


@given(st.tuples(WORDS, WORDS, WORDS), HEADER, st.sampled_from([BLOCK, FLOW, TALL, MIXED, INDENTED, ""]))
def test_any_text_comes_back_as_it_was(categories: tuple[str, str, str], header: str, text: str) -> None:
    after = add_feed(text, {**NEW, "categories": categories, "headers": {"X": header}})
    row = read(after).feeds[-1]
    assert row.categories == categories
    assert row.headers == {"X": header}


# -- changing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [BLOCK, FLOW, TALL, MIXED, starter()])
def test_pause_and_resume(text: str) -> None:
    for name in names(text)[:2]:
        paused = set_feed(text, name, "enabled", False)
        assert [row.name for row in read(paused).feeds if not row.enabled] == [name]
        assert paused.replace("    enabled: false\n", "").replace(", enabled: false", "").strip() == text.strip()
        resumed = set_feed(paused, name, "enabled", True)
        assert resumed == paused.replace("enabled: false", "enabled: true")


def test_a_value_is_replaced_in_its_place() -> None:
    after = set_feed(BLOCK, "one", "url", "https://example.org/y.xml")
    assert after == BLOCK.replace("x.xml", "y.xml", 1)
    after = set_feed(BLOCK, "one", "name", "Die Eins: neu")
    assert after == BLOCK.replace("name: one # inside", 'name: "Die Eins: neu" # inside')
    after = set_feed(BLOCK, "two", "headers", {"A": "c"})
    assert read(after).feeds[1].headers == {"A": "c"}
    listed = BLOCK.replace("    headers", "    categories:\n    - a\n    - b\n    - c\n    headers")
    after = set_feed(listed, "two", "categories", ["x", "y", "z"])
    assert read(after).feeds[1].categories == ("x", "y", "z")
    assert "A: b # the end" in after
    empty = BLOCK.replace("name: one # inside\n", "name: one\n    every:\n")
    assert set_feed(empty, "one", "every", "5m").split() == empty.replace("every:", "every: 5m").split()


def test_a_change_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"no feed of this name\. Did you mean two"):
        set_feed(BLOCK, "twoo", "enabled", False)
    with pytest.raises(ConfigError, match=r"every: must be at least 1s.*Nothing was written"):
        set_feed(BLOCK, "two", "every", 0)
    with pytest.raises(ConfigError, match=r"no feed of this name.*feeds list"):
        remove_feed("archive: a.db\n", "x")


# -- removing ------------------------------------------------------------------------------------------------------


def test_a_removed_feed_leaves_all_other_lines() -> None:
    first = f"  - name: one # inside\n    {PLAIN}\n\n"
    assert remove_feed(BLOCK, "one") == BLOCK.replace(first, "")
    second = f"  - name: two\n    {PLAIN}\n    headers:\n      A: b # the end\n"
    assert remove_feed(BLOCK, "two") == BLOCK.replace(second, "")


@pytest.mark.parametrize("text", [BLOCK, FLOW, TALL, MIXED, MIXED.replace("\n", "\r\n"), starter()])
def test_all_feeds_can_go_one_by_one(text: str) -> None:
    left = names(text)
    while left:
        text = remove_feed(text, left.pop(len(left) // 2))
        assert names(text) == left
    assert names(add_feed(text, NEW)) == ["new"]


@pytest.mark.parametrize("text", [BLOCK, FLOW, TALL, MIXED])
def test_adding_and_removing_changes_nothing(text: str) -> None:
    assert remove_feed(add_feed(text, NEW), "new").rstrip("\n") == text.rstrip("\n")


# -- what cannot be edited -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{archive: a.db}\n",  # nowhere to put a list
        "archive: a.db\n...\n",  # the document has ended
        f"archive: &x a.db\nfeeds: &f [{ITEM % 'one'}]\ndocument: {{placeholder: *f}}\n",
        "feeds: {a: b}\n",
    ],
)
def test_an_unusual_file_is_refused_and_not_damaged(text: str) -> None:
    with pytest.raises(ConfigError, match=r"Nothing was written; change the file by hand"):
        add_feed(text, NEW)


def test_a_feed_behind_an_alias_is_left_alone() -> None:
    text = f"x: &one {ITEM % 'one'}\nfeeds: [*one]\n"
    for edit in (lambda: set_feed(text, "one", "enabled", False), lambda: remove_feed(text, "one")):
        with pytest.raises(ConfigError, match="YAML alias"):
            edit()


# -- writing -------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_keeps_its_rights(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "config.yaml"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_config(link, "new: 金融\r\n")
    assert file.read_bytes().decode() == "new: 金融\r\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    write_config(tmp_path / "fresh.yaml", "a: b\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "fresh.yaml", "real.yaml"]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"cannot be written.*Check that the folder exists"):
        write_config(tmp_path / "nowhere/config.yaml", "a: b\n")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_config(tmp_path / "folder", "a: b\n")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
