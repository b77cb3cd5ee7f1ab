"""config.yaml as settings: where it is found, what its values mean, what ships."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from aggregator.config import Settings, find_config, load, parse, schema, starter, tree
from aggregator.config.feedrow import FeedRow
from aggregator.errors import ConfigError
from aggregator.model import Feed

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "config.yaml"


def settings(text: str) -> Settings:
    return parse(text, Path("/etc/aggregator/config.yaml"))


def row(more: str = "", url: str = "https://example.org/a.xml", above: str = "") -> Feed:
    return settings(f"{above}feeds:\n- name: a\n  source: feed\n  url: {url}\n{more}").feed_list()[0]


# -- what ships ----------------------------------------------------------------------------------------------------


def test_the_packaged_configuration_is_the_top_level_one() -> None:
    assert starter() == SHIPPED.read_bytes().decode()


def test_the_shipped_configuration_names_ten_channels_of_sina() -> None:
    shipped = load(SHIPPED)
    feeds = shipped.feed_list()
    pairs = [tuple(map(int, re.findall(r"=(\d+)", feed.url))) for feed in feeds]
    assert pairs == [
        (155, 1686), (155, 1687), (155, 1690), (384, 2519), (384, 2671),
        (384, 2672), (384, 2674), (384, 2676), (384, 2487), (153, 2516),
    ]  # fmt: skip
    assert feeds[0].categories == ("金融", "新浪财经", "新浪财经\uff0d国\u5167")
    assert all(feed.categories[:2] == ("金融", "新浪财经") for feed in feeds)
    assert all(feed.categories[2].startswith("新浪财经\uff0d") for feed in feeds)
    assert len({feed.categories[2] for feed in feeds}) == 10
    assert all(re.fullmatch("[a-z-]+", feed.name) for feed in feeds)
    assert {feed.every for feed in feeds} == {300}
    assert {feed.zone for feed in feeds} == {"Asia/Shanghai"}
    assert shipped.archive == ROOT / "archive.db"
    assert shipped.warnings() == ()


def test_what_is_commented_out_can_be_switched_on(tmp_path: Path) -> None:
    """Every commented line of the shipped file is true: without its ``#`` it is a valid setting."""
    text = re.sub(r"^( *)# (?=[ -]|\w+:)", r"\1", SHIPPED.read_text(), flags=re.M)
    (tmp_path / "certificates.pem").touch()
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n")
    whole = parse(text.replace("user_agent: ...", "user_agent: me"), tmp_path / "config.yaml")
    assert [feed.name for feed in whole.feed_list()[10:]] == ["ecb-press", "curl-releases"]
    assert whole.export.hexo is not None
    assert whole.export.hexo.dir == tmp_path / "blog/source/_posts"
    named = whole.network.model_fields_set | whole.network.per_host.model_fields_set
    assert named == {*type(whole.network).model_fields, "connections", "interval"}
    assert whole.feeds[10].model_fields_set == set(FeedRow.model_fields)


def test_the_defaults_it_shows_are_the_defaults() -> None:
    text = re.sub(r"^( *)# (?=[ -]|\w+:)", r"\1", SHIPPED.read_text(), flags=re.M)
    shown = dict(re.findall(r"^ +(\w+): ([^#\n]+?)(?: #|$)", text.partition("feeds:\n")[0], flags=re.M))
    default = settings("archive: a.db")
    for key in ("timeout", "deadline", "max_listing", "max_page", "max_redirects", "referer"):
        said = settings(f"network: {{{key}: {shown[key]}}}").network
        assert getattr(said, key) == getattr(default.network, key)
    for key in ("every", "pages", "expect_newest_within"):
        said_defaults = settings(f"defaults: {{{key}: {shown[key]}}}").defaults
        assert getattr(said_defaults, key) == getattr(default.defaults, key)
    assert settings(f"document: {{date: {shown['date']}, placeholder: {shown['placeholder']}}}") == settings("feeds:")


def test_the_schema_speaks_of_every_key() -> None:
    found = json.loads(json.dumps(schema()))
    assert found["properties"].keys() == Settings.model_fields.keys()
    for part in (found, *found["$defs"].values()):
        assert part["additionalProperties"] is False
        assert part["description"]
        for key, value in part["properties"].items():
            assert "description" in value or "$ref" in str(value), key


# -- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("6h", 21_600), ("7d", 604_800), ("90", 90), ("'90'", 90), ("1.5m", 90), ("0010", 10)],
)
def test_durations(text: str, seconds: int) -> None:
    assert row(f"  every: {text}\n").every == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("10MB", 10_000_000), ("500kB", 500_000), ("1MiB", 1_048_576), ("123", 123), ("1.5 kb", 1500), ("7B", 7)],
)
def test_sizes(text: str, size: int) -> None:
    assert settings(f"network: {{max_page: {text}}}").network.max_page == size


@pytest.mark.parametrize(
    ("text", "pages"),
    [("auto", "auto"), ("true", "true"), ("false", "false"), ("yes", "true"), ("Off", "false"), ("'no'", "false")],
)
def test_pages(text: str, pages: str) -> None:
    assert row(f"  pages: {text}\n").pages == pages


def test_words_stay_words() -> None:
    """YAML 1.1 would make booleans, times and dates of these."""
    assert row("  categories: [no, 12:30, 2026-01-01]\n").categories == ("no", "12:30", "2026-01-01")


@pytest.mark.parametrize(
    "text",
    [
        "a: [no, 12:30, 0644, ~, 1.5, '1', \"\\u4e2d\"]\nb: {c: true}\n",
        "a: http://x/?q=1#f  # c\nb: 'it''s'\n? k\n: v\nd: &x {q: 1}\ne: *x\nf: *x\n",
        "a: |\n  1\n\n  2\nb: >-\n  3\n   4\n- 5\n",
        "a: one\ttwo\n",
        "b: [htt?p://x, 'c']\n",
        "a: {b: }\n",
        "a: [1, 2\nb: 3\n",
        "a: !!python/name:os.system x\n",
        "a: 1\n---\nb: 2\n",
        "a: \x07\n",
        "# nothing\n",
    ],
)
def test_the_quick_parser_reads_the_same_and_says_the_same(text: str) -> None:
    def read(*, quick: bool) -> object:
        try:
            return tree.plain(tree.compose(text, "c.yaml", quick=quick))
        except ConfigError as error:
            return str(error)

    assert read(quick=True) == read(quick=False)
    shipped = starter()
    assert tree.compose(shipped, "c.yaml", quick=True) == tree.compose(shipped, "c.yaml")


def test_paths_begin_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "config.yaml").write_text("archive: data/archive.db\nexport: {hexo: {dir: ../posts}}\n")
    monkeypatch.chdir(tmp_path)
    found = load(Path("a/config.yaml"))
    assert found.archive == folder / "data/archive.db"
    assert found.export.hexo is not None
    assert found.export.hexo.dir.resolve() == tmp_path / "posts"
    monkeypatch.setenv("HOME", "/home/someone")
    assert settings("archive: ~/a.db").archive == Path("/home/someone/a.db")
    assert settings("archive: /var/a.db").archive == Path("/var/a.db")
    assert settings("feeds: []").archive == Path("/etc/aggregator/archive.db")


def test_a_section_whose_lines_are_all_commented_out_has_its_defaults() -> None:
    empty = settings("network:\ndefaults:\ndocument:\nexport:\nfeeds:\n")
    assert empty == settings("archive: archive.db")
    assert empty.warnings() == ("there are no feeds; add one with: aggregator feeds add NAME URL",)


def test_settings_are_frozen() -> None:
    found = settings("archive: a.db")
    with pytest.raises(ValidationError):
        found.timezone = "UTC"


def test_anchors_may_be_shared() -> None:
    found = settings(
        "feeds:\n- {name: a, source: feed, url: https://a.org, categories: &c [x, y, z]}\n"
        "- {name: b, source: feed, url: https://b.org, categories: *c}\n"
    )
    assert found.feed_list()[1].categories == ("x", "y", "z")


# -- feeds ---------------------------------------------------------------------------------------------------------


def test_a_feed_gets_the_defaults() -> None:
    above = "defaults: {every: 1h, pages: false, zone: Europe/Berlin, expect_newest_within: 2d, recheck: [1d]}\n"
    assert row(above=above) == Feed(
        recheck=(86_400,),
        name="a",
        source="feed",
        url="https://example.org/a.xml",
        categories=("未分类", "example.org", "example.org"),
        every=3600,
        pages="false",
        zone="Europe/Berlin",
        expect_newest_within=172_800,
    )
    own = "  every: 5s\n  pages: auto\n  zone: UTC\n  expect_newest_within: 1d\n  enabled: off\n  headers: {X-A: b}\n"
    assert row(own, above=above) == Feed(
        recheck=(86_400,),
        name="a",
        source="feed",
        url="https://example.org/a.xml",
        categories=("未分类", "example.org", "example.org"),
        every=5,
        enabled=False,
        pages="auto",
        zone="UTC",
        expect_newest_within=86_400,
        headers={"X-A": "b"},
    )


@pytest.mark.parametrize(
    ("host", "zone"),
    [
        ("rss.sina.com.cn", "Asia/Shanghai"),
        ("SINA.CN", "Asia/Shanghai"),
        ("notsina.cn", None),
        ("sina.com.cn.example.org", None),
    ],
)
def test_dates_of_sina_are_read_in_shanghai(host: str, zone: str | None) -> None:
    assert row(url=f"http://{host}/a.xml").zone == zone
    assert row("  zone: UTC\n", url=f"http://{host}/a.xml").zone == "UTC"


def test_warnings() -> None:
    feed = "- {name: %s, source: feed, url: https://a.org, enabled: false}\n"
    assert settings("feeds:\n" + feed % "a" + feed % "b").warnings() == (
        "every feed is paused; resume one with: aggregator feeds resume NAME",
        "the same url is polled 2 times, by a, b",
    )


# -- network -------------------------------------------------------------------------------------------------------


def test_the_program_names_itself() -> None:
    assert re.fullmatch(r"Mozilla/5.0 \(compatible; aggregator/[\w.]+\)", settings("feeds:").network.agent)
    named = settings("network: {contact: https://example.org/us}").network.agent
    assert named.endswith("; +https://example.org/us)")
    assert settings("network: {user_agent: me/1, contact: a@b.c}").network.agent == "me/1"


def test_the_pause_between_requests_may_be_a_fraction() -> None:
    assert settings("feeds:").network.per_host.interval is None
    assert settings("network: {per_host: {interval: 250ms}}").network.per_host.interval == 0.25
    assert settings("network: {per_host: {interval: 0}}").network.per_host.interval == 0


def test_addresses_are_normalised() -> None:
    found = settings(
        "network:\n  allow_private: [LOCALHOST, '::1', 10.0.0.0/8]\n  fake_ip_ranges: [198.18.0.0/15]\n"
        "  connect_to: {A.org: 'http://[::1]:80/'}\n"
    ).network
    assert found.allow_private == ("localhost", "::1", "10.0.0.0/8")
    assert found.fake_ip_ranges == ("198.18.0.0/15",)
    assert found.connect_to == {"a.org": "http://[::1]:80"}


# -- finding it ----------------------------------------------------------------------------------------------------


def test_the_places_in_their_order(tmp_path: Path) -> None:
    cwd, home, etc, xdg = (tmp_path / name for name in ("cwd", "home", "etc", "xdg"))
    explicit, named = tmp_path / "x.yaml", tmp_path / "y.yaml"
    places = [explicit, named, cwd / "config.yaml", xdg / "aggregator/config.yaml", etc / "aggregator/config.yaml"]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("feeds: []\n")
    environ = {"AGGREGATOR_CONFIG": str(named), "XDG_CONFIG_HOME": str(xdg)}
    assert find_config(explicit, environ, cwd, home, etc) == explicit
    assert find_config(None, environ, cwd, home, etc) == named
    del environ["AGGREGATOR_CONFIG"]
    for place in places[2:]:
        assert find_config(None, environ, cwd, home, etc) == place
        place.unlink()
    user = home / ".config/aggregator/config.yaml"
    user.parent.mkdir(parents=True)
    user.touch()
    assert find_config(None, {"XDG_CONFIG_HOME": "relative"}, cwd, home, etc) == user


def test_nothing_found_lists_the_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_config(None, {}, tmp_path / "cwd", tmp_path / "home", tmp_path / "etc")
    for place in ("cwd/config.yaml", "home/.config/aggregator/config.yaml", "etc/aggregator/config.yaml"):
        assert str(tmp_path / place) in caught.value.message
    assert "aggregator init" in caught.value.hint
    assert "--config PATH" in caught.value.hint


def test_a_file_named_by_hand_is_not_replaced_by_another(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    with pytest.raises(ConfigError, match="named by --config"):
        find_config(Path("nope.yaml"), {}, tmp_path, tmp_path)
    with pytest.raises(ConfigError, match=r"named by \$AGGREGATOR_CONFIG"):
        find_config(None, {"AGGREGATOR_CONFIG": "nope.yaml"}, tmp_path, tmp_path)


def test_the_scope_of_retry_after_is_the_networks_unless_the_feed_has_its_own() -> None:
    assert row().retry_after_scope == "host"
    assert row(above="network: {retry_after_scope: feed}\n").retry_after_scope == "feed"
    assert row("  retry_after_scope: host\n", above="network: {retry_after_scope: feed}\n").retry_after_scope == "host"
