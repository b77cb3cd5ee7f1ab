"""The configuration as a value: ``Settings``, frozen, every default filled in, every path absolute.

Keys, units and defaults are the interface of the program; a key it does not know is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from aggregator import __version__
from aggregator.articles.rules import Rules, built_in, flaw, with_rows
from aggregator.config import values
from aggregator.config.feedrow import FeedRow, RetentionRow
from aggregator.config.hookrow import HookRow
from aggregator.config.kinds import (
    Duration,
    FilePath,
    HeaderText,
    Looks,
    Name,
    OptionalWords,
    PagesSwitch,
    Pause,
    Seconds,
    Section,
    Selectors,
    Size,
    WebUrl,
    Zone,
    empty_list,
    empty_section,
    file_at,
)
from aggregator.model import Cookies, Feed, Images, Scope, Way
from aggregator.text.secrets import secrets_of
from aggregator.text.urls import host_of, is_sina

_SHORTEST_PATH = 6  # letters of a webhook's path, which often is all that keeps others out
UNFILED = "未分类"
SINA_ZONE = "Asia/Shanghai"


Listen: TypeAlias = Annotated[
    tuple[str, int] | None, BeforeValidator(values.listening), WithJsonSchema({"type": ["string", "null"]})
]


def _pair(value: object) -> object:
    if value is not None and (not isinstance(value, (list, tuple)) or len(value) != 2):
        raise ValueError(f"must be a list of two regular expressions, not {values.shown(value)}")
    return value and tuple(values.words(item) for item in value)


class PerHost(Section):
    """How gently one host is treated."""

    connections: int = Field(default=2, ge=1, le=32)
    """Connections to one host at the same time."""
    interval: Pause | None = None
    """Least time between two requests to one host. Unset: 0.5s for Sina's hosts, none for others."""


class Network(Section):
    """How pages are fetched."""

    user_agent: HeaderText | None = None
    """The whole User-Agent header. Unset, the program names itself and `contact`."""
    contact: HeaderText | None = None
    """An address at which an operator of a site can reach you: a URL or a mail address, sent with each request."""
    referer: HeaderText = "https://finance.sina.com.cn/"
    """The Referer header, sent to Sina's hosts only (some of their lists answer 403 without one)."""
    timeout: Seconds = 10.0
    """Longest wait for a connection, or between two pieces of an answer."""
    max_listing: Size = 32_000_000
    """Largest listing, after decompression."""
    max_page: Size = 10_000_000
    """Largest article page, after decompression."""
    max_image: Size = 5_000_000
    """Largest image of an article."""
    max_redirects: int = Field(default=10, ge=0, le=50)
    """Redirects followed for one request."""
    deadline: Seconds = 30.0
    """Longest time one request may take in all."""
    retry_after_scope: Scope = "host"
    """Who stays away when an answer is 429 or 503: host (every feed of that host) or feed (the one that asked)."""
    per_host: Annotated[PerHost, BeforeValidator(empty_section)] = PerHost()
    connect_to: Annotated[
        Mapping[Annotated[str, BeforeValidator(values.host)], Annotated[str, BeforeValidator(values.local_address)]],
        BeforeValidator(empty_section),
    ] = Field(default_factory=dict)
    """Hosts that are reached in plain HTTP at another address, each as `host: http://host:port`."""
    allow_private: Annotated[
        tuple[Annotated[str, BeforeValidator(values.host_or_network)], ...], BeforeValidator(empty_list)
    ] = ()
    """Hosts or address ranges that may be reached although their addresses are private."""
    fake_ip_ranges: Annotated[
        tuple[Annotated[str, BeforeValidator(values.network)], ...], BeforeValidator(empty_list)
    ] = ()
    """Address ranges a local proxy invents for public names, such as 198.18.0.0/15."""
    proxy: WebUrl | None = None
    """An HTTP proxy for every request. The proxy variables of the environment are not used."""
    ca_bundle: FilePath | None = None
    """A file of certificates (PEM) to trust besides the built-in ones."""
    robots: bool = False
    """Honour robots.txt (Disallow, Crawl-delay) for article pages and images."""

    @field_validator("ca_bundle")
    @classmethod
    def _bundle_is_there(cls, path: Path | None) -> Path | None:
        return path and file_at(path)

    @property
    def agent(self) -> str:
        """The User-Agent header to send."""
        contact = f"; +{self.contact}" if self.contact else ""
        return self.user_agent or f"Mozilla/5.0 (compatible; aggregator/{__version__}{contact})"


class Interval(Section):
    """How often feeds without an `every` of their own are asked: as often as each has news, between min and max."""

    min: Duration
    """Least time between two polls, however much news there is."""
    max: Duration
    """Longest time between two polls, however little news there is."""

    @model_validator(mode="after")
    def _least_goes_first(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must not be longer than max")
        return self


class Defaults(Section):
    """What holds for every feed that does not say otherwise."""

    every: Duration = 300
    """Time between two polls of a feed where no `interval` is given; its server or the listing may ask for more."""
    pages: PagesSwitch = "auto"
    """Fetch each article's page? auto: unless the listing carries the full text."""
    zone: Zone | None = None
    """Time zone in which dates without one are read; unset, UTC. Sina's are always read as Asia/Shanghai."""
    expect_newest_within: Duration = 86_400
    """A feed whose newest entry is older than this is shown as stale."""
    images: Images = "none"
    """Images kept with an article: none, cover (the first of its text) or all (of its text, at most 100)."""
    recheck: Looks = (3_600, 21_600, 86_400, 604_800)
    """How long after first sight an article's page is looked at again, for edits and to see it go; off: never."""
    retention: Annotated[RetentionRow, BeforeValidator(empty_section)] = RetentionRow()
    """After how long pages and texts are dropped; unset, never."""


class DocumentSettings(Section):
    """The front-matter document made of each article."""

    date: Literal["intime", "ctime"] = "intime"
    """Which of Sina's times dates a document: intime (when Sina listed it) or ctime (publication)."""
    placeholder: str = "picsum"
    """The head image of an article without one: picsum, none, or the URL of an image."""

    @field_validator("placeholder", mode="before")
    @classmethod
    def _placeholder_is_known(cls, value: object) -> str:
        if value in ("picsum", "none"):
            return str(value)
        if isinstance(value, str) and "://" in value:
            return values.web_url(value)
        raise ValueError(f"must be picsum, none or the URL of an image, not {values.shown(value)}")


class Hexo(Section):
    """A Hexo site that receives the documents after each poll."""

    dir: FilePath
    """The folder of posts, such as blog/source/_posts."""


class Export(Section):
    """Where documents are written, besides the archive."""

    hexo: Hexo | None = None


class Observe(Section):
    """How the daemon is watched from outside."""

    listen: Listen = None
    """Where `run` answers /healthz, /readyz and /metrics, such as 127.0.0.1:9464; unset: nowhere."""
    public: bool = False
    """Allow an address in `listen` that other machines can reach. There is no password."""

    @model_validator(mode="after")
    def _stays_at_home(self) -> Self:
        if self.listen and not self.public and not ip_address(self.listen[0]).is_loopback:
            raise ValueError(
                "other machines could reach `listen`: use 127.0.0.1, or add `public: true` if that is meant"
            )
        return self


class Backup(Section):
    """Copies that the daemon makes of the archive."""

    dir: FilePath | None = None
    """A folder that is there, best on another disk; unset, no copies are made."""
    every: Duration = 86_400
    """How often."""
    keep: int = Field(default=7, ge=1, le=1_000)
    """How many copies; when there is one more, the oldest goes."""


class RuleRow(Section):
    """Where pages of a site keep the parts of an article. Selectors are CSS and are tried in order."""

    name: Name
    """The name of a built-in row, whose keys given here are changed, or of a row of your own."""
    hosts: Selectors = ()
    """Hosts the row is for, such as news.example.org or *.example.org."""
    body: Selectors = ()
    """The element whose content is the article."""
    mark: OptionalWords = ""
    """What must be on a page for the row to be tried."""
    between: Annotated[tuple[str, str] | None, BeforeValidator(_pair)] = None
    """Two regular expressions between which the body stands, tried before `body`."""
    slides: OptionalWords = ""
    """The inline variable that holds a slide show's pictures."""
    lazy: OptionalWords = ""
    """The attribute that holds the address of an image until a script moves it."""
    title: Selectors = ()
    """The headline."""
    time: Selectors = ()
    """The date shown."""
    media: Selectors = ()
    """The medium."""
    editor: Selectors = ()
    """The editor in charge."""
    keywords: Selectors = ()
    """Each keyword."""
    remove: Selectors = ()
    """What inside the body is not part of the article's text."""
    identity: Selectors = ()
    """Where the page says which article it is: selector @attribute."""
    challenge: OptionalWords = ""
    """A regular expression that only a page which asks for a human matches."""

    @field_validator("*", mode="after")
    @classmethod
    def _can_be_used(cls, value: object, info: ValidationInfo) -> object:
        key = str(info.field_name)
        if key in ("name", "hosts", "slides", "lazy"):
            return value
        for text in value if isinstance(value, tuple) else (value,):
            fault = flaw(key, text) if isinstance(text, str) and text else None
            if fault:
                raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if built_in().named(self.name) is None:
            lacking = [key for key, value in (("hosts", self.hosts), ("body", self._finds)) if not value]
            if lacking:
                raise ValueError(f"needs `{lacking[0]}`, because no built-in row is named {values.shown(self.name)}")
        return self

    @property
    def _finds(self) -> object:
        return self.body or self.between or self.slides

    def given(self) -> dict[str, object]:
        """The keys that stand in the file, without those left at their defaults."""
        return self.model_dump(exclude_unset=True)


class Browse(Section):
    """The pages of `browse`."""

    remote_images: bool = False
    """Let a reader's browser load images that are not stored from their own sites, which then know who reads what."""


class Settings(Section):
    """The whole of config.yaml."""

    archive: FilePath = Path("archive.db")
    """The archive's file. Paths are relative to the configuration file."""
    timezone: Zone = SINA_ZONE
    """Time zone of times on the command line and in what is printed."""
    network: Annotated[Network, BeforeValidator(empty_section)] = Network()
    defaults: Annotated[Defaults, BeforeValidator(empty_section)] = Defaults()
    interval: Interval | None = None
    """Between which bounds a feed without `every` is asked as often as it has news; unset: each defaults.every."""
    document: Annotated[DocumentSettings, BeforeValidator(empty_section)] = DocumentSettings()
    export: Annotated[Export, BeforeValidator(empty_section)] = Export()
    observe: Annotated[Observe, BeforeValidator(empty_section)] = Observe()
    backup: Annotated[Backup, BeforeValidator(empty_section)] = Backup()
    browse: Annotated[Browse, BeforeValidator(empty_section)] = Browse()
    feeds: Annotated[tuple[FeedRow, ...], BeforeValidator(empty_list)] = ()
    """The feeds that are polled, in the order in which they are shown."""
    rules: Annotated[tuple[RuleRow, ...], BeforeValidator(empty_list)] = ()
    """Rows over the built-in ones that tell where a site's pages keep their article."""
    hooks: Annotated[tuple[HookRow, ...], BeforeValidator(empty_list)] = ()
    """Rules by which others are told what was archived."""

    def site_rules(self) -> Rules:
        """The built-in rules with this configuration's rows over them."""
        return with_rows(built_in(), [row.given() for row in self.rules])

    def feed_list(self) -> tuple[Feed, ...]:
        """Every feed, paused ones too, in the order of the file, with the defaults filled in."""
        return tuple(_feed(row, self.defaults, self.interval, self.network.retry_after_scope) for row in self.feeds)

    def retention(self) -> dict[str, RetentionRow]:
        """After how long what is kept of each feed is dropped."""
        return {row.name: row.retention or self.defaults.retention for row in self.feeds}

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: credentials and tokens in addresses, headers, cookies; longest first."""
        cookies = [cookie.text for feed in self.feed_list() for cookie in feed.cookies.kept]
        rest = self.model_dump(
            mode="json", exclude={"feeds": {"__all__": {"cookies_file", "opml"}}}, exclude_unset=True
        )
        webhooks = [url.partition("://")[2].partition("/")[2] for row in self.hooks if (url := row.then.webhook)]
        found = {*secrets_of(rest, cookies), *(path for path in webhooks if len(path) >= _SHORTEST_PATH)}
        return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))

    def warnings(self) -> tuple[str, ...]:
        """What is allowed but hardly meant, one sentence each."""
        found = [] if self.feeds else ["there are no feeds; add one with: aggregator feeds add NAME URL"]
        if self.feeds and not any(row.enabled for row in self.feeds):
            found.append("every feed is paused; resume one with: aggregator feeds resume NAME")
        for url, count in Counter(row.url for row in self.feeds).items():
            if count > 1:
                names = ", ".join(row.name for row in self.feeds if row.url == url)
                found.append(f"the same url is polled {count} times, by {names}")
        for hook in self.hooks:
            unknown = sorted(set(hook.when.feeds) - {row.name for row in self.feeds})
            if unknown:
                found.append(f"the hook {hook.name} waits for {', '.join(unknown)}, and there is no such feed")
        return tuple(found)


def _feed(row: FeedRow, defaults: Defaults, interval: Interval | None, scope: Scope) -> Feed:
    host = host_of(row.url)
    by_news = interval if row.every is None else None
    return Feed(
        name=row.name,
        source=row.source,
        url=row.url,
        categories=row.categories or (UNFILED, host, host),
        every=by_news.min if by_news else row.every or defaults.every,
        slowest=by_news.max if by_news else None,
        enabled=row.enabled,
        pages=row.pages or defaults.pages,
        zone=_zone(row, row.url, defaults),
        expect_newest_within=row.expect_newest_within or defaults.expect_newest_within,
        recheck=defaults.recheck if row.recheck is None else row.recheck,
        headers=({"User-Agent": row.user_agent} if row.user_agent else {}) | dict(row.headers),
        cookies=row.cookies_file or Cookies(),
        proxy=row.proxy,
        encoding=row.encoding,
        retry_after_scope=row.retry_after_scope or scope,
        keep=row.keep,
        drop=row.drop,
        images=row.images or defaults.images,
        fallback=tuple(Way(way.source, way.url, _zone(row, way.url, defaults)) for way in row.fallback),
    )


def _zone(row: FeedRow, url: str, defaults: Defaults) -> str | None:
    return row.zone or (SINA_ZONE if is_sina(host_of(url)) else defaults.zone)
