"""One row of ``feeds:``, and what of it the program works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from aggregator.articles.filters import flaw
from aggregator.config import values
from aggregator.config.kinds import (
    CookiesFile,
    Duration,
    HeaderText,
    Lasting,
    Looks,
    Name,
    PagesSwitch,
    Section,
    Three,
    WebUrl,
    Zone,
    empty_list,
    empty_section,
)
from aggregator.model import Images, Part, Scope, SourceName, Term

_PARTS: tuple[Part, ...] = ("title", "body", "symbols")


def _term(value: object) -> Term:
    """Words or /a regular expression/ for anywhere, or {title|body|symbols: either} for there."""
    part: Part | None = "any"
    if isinstance(value, dict):
        part = next((one for one in _PARTS if list(value) == [one]), None)
        value = next(iter(value.values()), None)
    if part is None:
        raise ValueError("must be a text, or one of title, body and symbols with a text")
    words = values.words(value)
    if fault := flaw(words):
        raise ValueError(f"{values.shown(words)} {fault}")
    return Term(part, words)


_TERM_PART = {"type": "string", "minLength": 1}
_TERM = {
    "anyOf": [
        _TERM_PART,
        {
            "type": "object",
            "properties": dict.fromkeys(_PARTS, _TERM_PART),
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}
TermRow: TypeAlias = Annotated[Term, BeforeValidator(_term), WithJsonSchema(_TERM)]


class FallbackRow(Section):
    """Another way to a feed's news."""

    source: SourceName
    """What answers, as in a feed's row."""
    url: WebUrl
    """The listing's address."""

    @field_validator("url")
    @classmethod
    def _list_is_named(cls, url: str, info: ValidationInfo) -> str:
        return values.source_url(str(info.data.get("source")), url)


class RetentionRow(Section):
    """After how long what is kept of a feed is dropped."""

    pages: Lasting = None
    """Raw pages, whose hashes stay: a duration such as 90d or 2y, or never."""
    texts: Lasting = None
    """Texts of articles nothing was heard of since; never before their pages."""

    @model_validator(mode="after")
    def _pages_go_first(self) -> Self:
        if self.texts is not None and (self.pages is None or self.pages > self.texts):
            raise ValueError("texts must not be dropped before pages: give `pages` as long a time or a shorter one")
        return self


class FeedRow(Section):
    """One feed."""

    name: Name
    """A short name of your own, used on the command line."""
    source: SourceName
    """What answers: feed (RSS, RDF, Atom, JSON Feed), or of Sina sina-roll, sina-live, sina-column, sina-company."""
    url: WebUrl
    """The listing's address. For sina-roll with pageid and lid; num and page are set by the program."""
    categories: Three | None = None
    """Three levels under which documents are filed; unset: 未分类 and the host."""
    every: Duration | None = None
    """Time between two polls of this feed, always the same; unset: as `interval` or defaults.every say."""
    enabled: bool = True
    """false pauses the feed; its archive stays."""
    pages: PagesSwitch | None = None
    """Fetch each article's page? auto: unless the listing carries the full text."""
    zone: Zone | None = None
    """Time zone in which this feed's dates without one are read."""
    expect_newest_within: Duration | None = None
    """The feed is shown as stale when its newest entry is older than this."""
    recheck: Looks | None = None
    """How long after first sight an article's page is looked at again; off: never."""
    retry_after_scope: Scope | None = None
    """host or feed, instead of network.retry_after_scope."""
    headers: Annotated[
        Mapping[Annotated[str, BeforeValidator(values.header_name)], HeaderText], BeforeValidator(empty_section)
    ] = Field(default_factory=dict)
    """Headers sent with each request for this feed's listing and pages."""
    fallback: Annotated[tuple[FallbackRow, ...], BeforeValidator(empty_list)] = ()
    """Other listings with the same news, each with source and url, asked in their order when the first refuses."""
    cookies_file: CookiesFile | None = None
    """A cookies.txt, read at the start; each cookie is sent where its own domain says."""
    user_agent: HeaderText | None = None
    """The whole User-Agent header for this feed's listing and the pages of its origin, instead of the network's."""
    proxy: WebUrl | None = None
    """An HTTP proxy for this feed's listing and its articles' pages, instead of the network's."""
    encoding: Annotated[str, BeforeValidator(values.charset)] | None = None
    """The charset of this feed's listing and of the pages of its host, whatever they say themselves."""
    retention: RetentionRow | None = None
    """After how long this feed's pages and texts are dropped, instead of defaults.retention."""
    keep: Annotated[tuple[TermRow, ...], BeforeValidator(empty_list)] = ()
    """Only articles in which one of these is found are archived."""
    drop: Annotated[tuple[TermRow, ...], BeforeValidator(empty_list)] = ()
    """Articles in which one of these is found are not archived."""
    images: Images | None = None
    """Images kept with its articles: none, cover or all."""
    opml: Annotated[
        Mapping[
            Annotated[str, BeforeValidator(values.attribute_name)],
            Annotated[str, BeforeValidator(values.attribute_text)],
        ],
        BeforeValidator(empty_section),
    ] = Field(default_factory=dict)
    """Attributes of the outline this feed was imported from, written again by `aggregator opml export`."""

    @field_validator("url")
    @classmethod
    def _list_is_named(cls, url: str, info: ValidationInfo) -> str:
        return values.source_url(str(info.data.get("source")), url)
