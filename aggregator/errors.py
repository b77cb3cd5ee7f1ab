"""What can go wrong, as types. Every error says what happened, where, and what to do next.

``AggregatorError`` > ``ConfigError``, ``FetchError``, ``ParseError``, ``ArchiveError``. The ``kind`` is a short,
stable word that is stored, counted and printed; the texts are for people and may change.
"""

from __future__ import annotations

import re
from datetime import datetime

# Credentials before the host. A password may hold the characters that end a host, as people write them: then its colon
# is followed by what is no port.
_USERINFO = re.compile(r"^([^/?#]*//)(?:[^/?#]*@|[^/?#@:\[]*:(?!\d*(?:[/?#]|$)).*@)", re.DOTALL)
_PARAMETER = re.compile(r"([?&;#])([^?=&;#]*)=[^&;#]+")
_SECRET = re.compile(
    r"token|secret|passw|pwd|signature|session|apikey|auth|jwt|credential|(?:^|[_-])(?:key|sig|sid|pass|pw)$",
    re.IGNORECASE,
)


def masked(url: str) -> str:
    """Return a URL that may be printed and stored: without user and password, with the values of secrets hidden."""
    return _PARAMETER.sub(_hidden, _USERINFO.sub(r"\1", url))


def _hidden(parameter: re.Match[str]) -> str:
    return f"{parameter[1]}{parameter[2]}=***" if _SECRET.search(parameter[2]) else parameter[0]


class AggregatorError(Exception):
    """The root of all errors this program raises on purpose.

    ``message`` says what happened, ``where`` names the URL (``masked``), file, key or feed, ``hint`` the next step.
    ``str()`` joins the three into one line without control characters.
    """

    kind = "error"

    def __init__(self, message: str, *, kind: str | None = None, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = masked(where)
        self.hint = hint
        if kind is not None:
            self.kind = kind

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        text = f"{text}. {self.hint}" if self.hint else text
        return "".join(c if c.isprintable() else " " for c in text)


class ConfigError(AggregatorError):
    """The configuration or the command line cannot be used (exit code 2)."""

    kind = "config"


class FetchError(AggregatorError):
    """The network gave no usable answer.

    Kinds: ``scheme``, ``refused`` (the address is not allowed), ``dns``, ``connect``, ``tls``, ``timeout``,
    ``protocol``, ``redirects``, ``too_large``, ``truncated``, ``encoding``, ``blocked`` (401, 403, 456 …),
    ``rate_limited`` (429, 503), ``held`` (we keep away until ``retry_at``), ``robots`` (the site's robots.txt asks us
    not to), ``not_found`` (404), ``gone`` (410), ``http`` (any other status of 400 and above).
    ``status`` is the HTTP status if there was one, ``retry_at`` the instant (UTC) before which the host wants no
    request.
    """

    kind = "fetch"

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        where: str = "",
        hint: str = "",
        status: int | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(message, kind=kind, where=where, hint=hint)
        self.status = status
        self.retry_at = retry_at


class ParseError(AggregatorError):
    """The bytes are not what they should be.

    Kinds for a listing: ``not_a_feed``, ``api_error`` (a code other than 0 inside a 200), ``blocked`` (a challenge
    page).
    Kinds for an article's page: ``wrong_page`` (it does not prove to be the article asked for), ``extract_failed``
    (no rule finds a body).
    Kinds for both: ``too_slow`` and ``too_heavy`` (reading it took more time or memory than anything honest does).
    An article that was read but that the archive cannot take is ``unstorable``.
    Kinds for an image: ``active_image`` (SVG, which may hold scripts), ``not_an_image``.
    Kinds for an OPML file: ``not_opml``, ``entities`` (it declares some), ``too_large`` (in bytes, outlines or depth).
    """

    kind = "not_a_feed"


class ArchiveError(AggregatorError):
    """The archive cannot be used (exit code 3).

    Kinds: ``missing``, ``not_an_archive``, ``damaged``, ``newer_schema``, ``older_schema``, ``locked``,
    ``no_rights``, ``disk_full``.
    """

    kind = "archive"
