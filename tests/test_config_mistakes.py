"""What people get wrong in config.yaml: each mistake is one line, with file, line, key and a way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.config import load, parse
from aggregator.errors import ConfigError

FEED = "feeds:\n  - name: a\n    source: feed\n    url: https://example.org/a.xml\n"
ROLL = "feeds:\n  - name: a\n    source: sina-roll\n    url: https://feed.mix.sina.com.cn/api/roll/get"

# (text, line, key, a fragment of the message)
MISTAKES = [
    ("archiv: a.db\n", 1, "archiv", "did you mean `archive`"),
    ("archive: a.db\nfeds: []\n", 2, "feds", "did you mean `feeds`"),
    ("network:\n  deadlin: 3s\n", 2, "network.deadlin", "did you mean `deadline`"),
    ("network:\n  per_host:\n    conections: 3\n", 3, "network.per_host.conections", "did you mean `connections`"),
    ("user_agent: me\n", 1, "user_agent", "belongs under `network`"),
    ("defaults:\n  every: 5m\ncolour: red\n", 3, "colour", "known here: archive, timezone"),
    ("defaults:\n  <<: {every: 5m}\n", 2, "defaults.<<", "put what feeds share under `defaults`"),
    (FEED + "    interval: [a]\n", 5, "feeds[0].interval", "it belongs at the top level of the file"),
    ("archive: a.db\narchive: b.db\n", 2, "archive", "first on line 1"),
    (FEED + "    url: https://example.org/b.xml\n", 5, "feeds[0].url", "first on line 4"),
    (FEED + FEED.removeprefix("feeds:\n"), 5, "feeds[1].name", "the feed on line 2"),
    (FEED + "    every: 0\n", 5, "feeds[0].every", "at least 1s"),
    (FEED + "    every: 500ms\n", 5, "feeds[0].every", "at least 1s"),
    (FEED + "    every: -5m\n", 5, "feeds[0].every", "not be negative"),
    (FEED + "    every: 5 minutes\n", 5, "feeds[0].every", "such as 30s, 5m, 6h or 7d"),
    (FEED + "    every: 1.5s\n", 5, "feeds[0].every", "whole seconds"),
    (FEED + "    every: true\n", 5, "feeds[0].every", "such as 30s"),
    (FEED + "    every: 9999d\n", 5, "feeds[0].every", "at most 3650d"),
    ("defaults:\n  every:\n", 2, "defaults.every", "not nothing"),
    ("network:\n  deadline: 0s\n", 2, "network.deadline", "more than 0s"),
    ("network:\n  max_page: 10 apples\n", 2, "network.max_page", "such as 500kB or 10MB"),
    ("network:\n  max_page: 0\n", 2, "network.max_page", "at least 1 byte"),
    ("network:\n  max_redirects: -1\n", 2, "network.max_redirects", "at least 0"),
    ("network:\n  max_redirects: many\n", 2, "network.max_redirects", "a whole number, not 'many'"),
    ("network:\n  per_host: {connections: 99}\n", 2, "network.per_host.connections", "at most 32"),
    ("network:\n  robots: perhaps\n", 2, "network.robots", "true or false"),
    ("network: fast\n", 1, "network", "a section of keys and values, not 'fast'"),
    ("network:\n  connect_to: [a]\n", 2, "network.connect_to", "a section of keys and values, not a list"),
    ("network:\n  connect_to:\n    a.cn: 127.0.0.1:8377\n", 3, "network.connect_to.a.cn", "must be http://host:port"),
    ("network:\n  connect_to:\n    a.cn: https://127.0.0.1:1\n", 3, "network.connect_to.a.cn", "http://host:port"),
    ("network:\n  connect_to:\n    a.cn: http://127.0.0.1\n", 3, "network.connect_to.a.cn", "http://host:port"),
    ("network:\n  connect_to:\n    a.cn: http://b:80/x\n", 3, "network.connect_to.a.cn", "http://host:port"),
    ("network:\n  connect_to:\n    http://a.cn: http://b:1\n", 3, "network.connect_to.http://a.cn", "a host name"),
    ("network:\n  allow_private: [10.0.0.0/33]\n", 2, "network.allow_private[0]", "such as 10.0.0.0/8"),
    ("network:\n  allow_private:\n    - x.org\n    - 10.1.2.3/8\n", 4, "network.allow_private[1]", "10.0.0.0/8"),
    ("network:\n  allow_private: [a b]\n", 2, "network.allow_private[0]", "a host name"),
    ("network:\n  fake_ip_ranges: [198.18.0.0]\n    \n  proxy: x\n", 4, "network.proxy", "no scheme"),
    ("network:\n  ca_bundle: nothing.pem\n", 2, "network.ca_bundle", "there is none at"),
    ("network:\n  user_agent: 新浪\n", 2, "network.user_agent", "printable ASCII"),
    ("timezone: Asia/Shanghia\n", 1, "timezone", "did you mean Asia/Shanghai?"),
    (FEED + "    zone: Mars/Base\n", 5, "feeds[0].zone", "the name of a time zone"),
    (FEED + "    zone: ../../etc\n", 5, "feeds[0].zone", "the name of a time zone"),
    (FEED + "    pages: maybe\n", 5, "feeds[0].pages", "'auto', 'true' or 'false', not 'maybe'"),
    (FEED + "    enabled: maybe\n", 5, "feeds[0].enabled", "true or false"),
    (FEED + "    categories: [a, b]\n", 5, "feeds[0].categories", "exactly three"),
    (FEED + "    categories: finance\n", 5, "feeds[0].categories", "exactly three"),
    (FEED + "    categories: [a, '', c]\n", 5, "feeds[0].categories", "not be empty"),
    (FEED + "    categories: [a, 1, c]\n", 5, "feeds[0].categories", "put it in quotes"),
    (FEED + "    proxy: socks5://127.0.0.1:1\n", 5, "feeds[0].proxy", "the scheme 'socks5'"),
    (FEED + "    proxy: 127.0.0.1:1\n", 5, "feeds[0].proxy", "no scheme"),
    (FEED + "    cookies_file: nothing.txt\n", 5, "feeds[0].cookies_file", "there is none at"),
    (FEED + "    headers:\n      A b: c\n", 6, "feeds[0].headers.A b", "the name of an HTTP header"),
    (FEED + '    headers:\n      Cookie: "a\\nb"\n', 6, "feeds[0].headers.Cookie", "printable ASCII"),
    (FEED + "    headers:\n      X: 3\n", 6, "feeds[0].headers.X", "put it in quotes"),
    ("feeds:\n  - name: a\n    source: feed\n", 2, "feeds[0].url", "is missing"),
    (
        "feeds:\n  - name: a\n    url: https://a.org\n    source: rss\n",
        4,
        "feeds[0].source",
        "'feed', 'sina-roll', 'sina-live', 'sina-column' or 'sina-company'",
    ),
    (FEED.replace("https", "htps"), 4, "feeds[0].url", "the scheme 'htps'"),
    (FEED.replace("https://example.org", "example.org"), 4, "feeds[0].url", "has no scheme"),
    (FEED.replace("example.org", ""), 4, "feeds[0].url", "a URL with a host"),
    (FEED.replace("example.org", "example.org:99999"), 4, "feeds[0].url", "is not a URL"),
    (FEED.replace("/a.xml", "/a b.xml"), 4, "feeds[0].url", "without spaces"),
    (ROLL + "\n", 4, "feeds[0].url", "has no pageid and no lid"),
    (ROLL + "?pageid=155\n", 4, "feeds[0].url", "has no lid"),
    (ROLL + "?pageid=155&lid=x\n", 4, "feeds[0].url", "has no lid"),
    (FEED.replace("name: a", "name: --all"), 2, "feeds[0].name", "no - at its start"),
    (FEED.replace("name: a", "name: a\u202eb"), 2, "feeds[0].name", "the direction of writing"),
    (FEED.replace("name: a", "name: a\ufdd0b"), 2, "feeds[0].name", "without control characters"),
    (FEED + "    opml: {version: 2}\n", 5, "feeds[0].opml.version", "must be a text, not '2'; put it in quotes"),
    (FEED + "    opml: {a b: c}\n", 5, "feeds[0].opml.a b", "the name of an XML attribute"),
    (FEED + "    opml: {xmlURL: c}\n", 5, "feeds[0].opml.xmlURL", "the program writes itself"),
    (FEED + "    opml: {'aggregator:every': c}\n", 5, "feeds[0].opml.aggregator:every", "the program writes itself"),
    (FEED + '    opml: {a: "\\x07"}\n', 5, "feeds[0].opml.a", "without control characters"),
    (FEED + "    opml: htmlUrl\n", 5, "feeds[0].opml", "a section of keys and values"),
    (FEED.replace("name: a", "name: 163"), 2, "feeds[0].name", "put it in quotes"),
    ("feeds: all\n", 1, "feeds", "must be a list, not 'all'"),
    ("feeds:\n  -\n  - text\n", 2, "feeds[0]", "not nothing"),
    ("document:\n  date: mtime\n", 2, "document.date", "'intime' or 'ctime'"),
    ("document:\n  placeholder: cat\n", 2, "document.placeholder", "picsum, none or the URL"),
    ("export:\n  hexo:\n    folder: x\n", 3, "export.hexo.folder", "known here: dir"),
    ("export:\n  hexo: {}\n", 2, "export.hexo.dir", "is missing"),
    ("archive: 3\n", 1, "archive", "must be a text"),
    ("archive: ''\n", 1, "archive", "must not be empty"),
]

# (bytes, line or None, a fragment of the message, a fragment of the hint)
UNREADABLE = [
    (b"", None, "nothing in it", "aggregator init"),
    (b"# only a comment\n", None, "nothing in it", "aggregator init"),
    (b"- a\n", 1, "keys and values", "archive: archive.db"),
    (b"archive: a.db\nfeeds:\n\t- name: a\n", 3, "a tab in the indentation", "spaces"),
    (b"archive: a.db\nnetwork:\n  \tproxy: a\n", 3, "a tab in the indentation", "spaces"),
    (b"\xef\xbb\xbfarchive: a.db\n", 1, "byte order mark", "UTF-8 without BOM"),
    ("archive: a.db\n".encode("utf-16"), 1, "UTF-16", "UTF-8 without BOM"),
    ("archive: a.db\n# 金融\n".encode("gb18030"), 2, "is not UTF-8", "Save"),
    (b"archive: a.db\n# \x00\n", 2, "U+0000", "Delete it"),
    (b"archive: a.db\nnetwork: {timeout: 3\nfeeds: []\n", 3, "not valid YAML", "bracket"),
    (b"archive: a.db\nfeeds: [\n", 3, "not valid YAML", "never closed"),
    (b"archive: 'a.db\nfeeds: []\n", 3, "not valid YAML", "never closed"),
    (b"archive: a.db\ndocument: a: b\n", 2, "not valid YAML", "in quotes"),
    (b"archive: a.db\n  feeds: []\n", 2, "not valid YAML", "indentation"),
    (b"archive: a.db\nnetwork\nfeeds: []\n", 3, "not valid YAML", "colon after its key"),
    (b"network:\n  user_agent: @me\n", 2, "not valid YAML", "in quotes"),
    (b"archive: a.db\n---\narchive: b.db\n", 2, "second YAML document", "---"),
    (b"archive: !!python/object/apply:os.system [x]\n", 1, "a YAML tag", "plain value"),
    (b"archive: *a\n", 1, "names no anchor", "Write the value out"),
    (b"a: &a [*a]\n", 1, "names no anchor", "Write the value out"),
    (b"? [a]\n: b\n", 1, "a key that is not a word", "quotes"),
    (b"archive: " + b"[" * 5000, 1, "nested more than 32", "bracket"),
]


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, Path("config.yaml"))
    return caught.value.message


@pytest.mark.parametrize(("text", "line", "key", "fragment"), MISTAKES)
def test_a_mistake_is_named_with_line_and_key(text: str, line: int, key: str, fragment: str) -> None:
    first = refusal(text).splitlines()[0]
    assert first.startswith(f"config.yaml:{line}: {key}: ")
    assert fragment in first


@pytest.mark.parametrize(("data", "line", "fragment", "hint"), UNREADABLE)
def test_what_is_no_configuration_is_told_once(
    tmp_path: Path, data: bytes, line: int | None, fragment: str, hint: str
) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.where == (f"{file}:{line}" if line else str(file))
    assert fragment in caught.value.message
    assert hint in caught.value.hint


def test_an_alias_bomb_is_refused() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for name, before in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    with pytest.raises(ConfigError, match="more than 200000 values") as caught:
        parse(bomb, Path("config.yaml"))
    assert caught.value.where == "config.yaml:6"


def test_all_mistakes_are_told_at_once_those_that_explain_others_first() -> None:
    told = refusal("timezone: Mars\nfeeds:\n  - nam: a\n    source: feed\n    url: x\n    every: 0\nfoo: 1\n")
    keys = [line.split(": ")[1] for line in told.splitlines()]
    assert keys == ["feeds[0].nam", "foo", "timezone", "feeds[0].url", "feeds[0].every"]


def test_a_misspelt_key_is_not_told_as_missing_too() -> None:
    told = refusal("feeds:\n  - name: a\n    source: feed\n    ulr: https://example.org\n")
    assert told == "config.yaml:4: feeds[0].ulr: is no known key; did you mean `url`?"


def test_many_mistakes_are_cut() -> None:
    told = refusal("".join(f"key{n}: 1\n" for n in range(100))).splitlines()
    assert len(told) == 41
    assert told[-1] == "config.yaml: and 60 more mistakes"


def test_secrets_are_never_repeated() -> None:
    text = FEED.replace("https://example.org", "ftp://me:hush@example.org")
    told = refusal(
        text
        + "    headers: {Authorization: 'hush é'}\n"
        + "    proxy: 'http://me:hush@'\n"
        + "network: {proxy: 'http://me:hush@'}\n"
    )
    assert len(told.splitlines()) == 4
    assert "hush" not in told


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file.*aggregator init"):
        load(tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / ("x" * 300))
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "a\0b")
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * 8_000_001)
    with pytest.raises(ConfigError, match="too large"):
        load(big)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("archive: a.db\n")
    file.chmod(0)
    with pytest.raises(ConfigError, match=r"may not be read.*chmod"):
        load(file)


KEYS = st.sampled_from(
    "archive network defaults feeds every pages zone name url source timezone categories headers connect_to "
    "allow_private per_host interval export hexo dir enabled <<".split()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | KEYS
VALUES = st.recursive(SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x, max_size=4), max_leaves=12)


def verdict(text: str) -> list[str]:
    """Where the mistakes of a text stand; any other exception than ConfigError comes through."""
    try:
        parse(text, Path("config.yaml"))
    except ConfigError as error:
        return [error.where] if error.where else error.message.splitlines()
    return ["config.yaml"]


@given(st.text(st.sampled_from("ab:-#[]{},&*!|>'\"%@`?~<= \n\t\r0189é金\x00\x85\u2028\ufeff\\xuU"), max_size=60))
@example("%YAML 1." + "9" * 5000 + "\n---\na: 1\n")
@example('a: "\\UFFFFFFFF"\n')
@example("a: 2001-99-99\n")
@example("archive: \ud800\n")
@example("archive: ~nobody-of-this-name/x\n")
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    assert all(line.startswith("config.yaml") for line in verdict(text))


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.booleans())
def test_no_value_raises_anything_but_a_config_error(data: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow)
    assert all(line.startswith("config.yaml") for line in verdict(text))
