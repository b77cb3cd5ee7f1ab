"""What pages may do in a browser, what SQL may do in the archive, and who may ask."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from datasette.utils.asgi import NotFound, Response

from aggregator.browse.archives import archives_of, is_archive
from aggregator.browse.spreadsheets import SafeRows
from aggregator.browse.tables import in_order_of_the_index

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

# Scripts only from files of this server. Styles also inline: colours of articles and Datasette's own pages need them.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:{images};"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What is sent as it came runs nothing and loads nothing, whatever a browser takes it for.
INERT = "sandbox; default-src 'none'; frame-ancestors 'none'"
_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),  # frame-ancestors, for browsers older than it
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow, noarchive"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_IMAGES = "images"  # a thousand rows of it, as JSON, could be gigabytes


def may(datasette: Any, action: str, resource: object) -> bool | None:
    """Datasette's question whether somebody may: SQL of one's own only where the metadata's ``allow_sql`` says so.

    ``None`` leaves it to Datasette.
    """
    if action == "execute-sql" and is_archive(datasette, str(resource)):
        said = [datasette.metadata("allow_sql", database=resource), datasette.metadata("allow_sql")]
        return False if said == [None, None] else None
    if action == "view-table" and isinstance(resource, tuple) and resource[1] == _IMAGES:
        return False if is_archive(datasette, resource[0]) else None
    return None


def guarded(application: Application, datasette: Any) -> Application:
    """Datasette's application with headers on every answer that bind a browser, where there is an archive.

    Pages may show images of other hosts where the plugin's setting ``remote_images`` says so.
    """
    images = " http: https:" if (datasette.plugin_config("aggregator") or {}).get("remote_images") else ""
    headers = ((b"content-security-policy", _POLICY.format(images=images).encode()), *_HEADERS)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        rows: SafeRows | None = None

        async def sending(message: Message) -> None:
            nonlocal rows
            if message["type"] == "http.response.start":
                said = list(message.get("headers", []))
                message = {**message, "headers": [*said, *_missing(said, headers)]}
                rows = SafeRows() if _is_csv(scope["path"], said) else None
            elif rows is not None:
                more = bool(message.get("more_body"))
                message = {**message, "body": rows.through(message.get("body", b""), last=not more)}
            await send(message)

        if scope["type"] == "http":
            scope = in_order_of_the_index(scope, datasette)
        await application(scope, receive, sending if archives_of(datasette) else send)

    return answer


ROBOTS = r"^/robots\.txt$"


async def robots(datasette: Any) -> Response:
    """``robots.txt`` (RFC 9309): an archive is not for search engines to copy.

    Raises:
        NotFound: there is no archive here.
    """
    if not archives_of(datasette):
        raise NotFound("no archive")
    return Response.text("User-agent: *\nDisallow: /\n")


def _is_csv(path: str, headers: Iterable[Header]) -> bool:
    """Whether an answer is Datasette's CSV: it calls it plain text where it is not to be a file."""
    kinds = [bytes(value) for name, value in headers if bytes(name).lower() == b"content-type"]
    return path.endswith(".csv") and any(kind.startswith((b"text/csv", b"text/plain")) for kind in kinds)


def _missing(said: Iterable[Header], headers: Iterable[Header]) -> list[Header]:
    names = {name.lower() for name, _ in said}
    return [header for header in headers if header[0] not in names]


@dataclass(frozen=True, slots=True)
class Door:
    """Who comes in. With a password whoever knows it, by HTTP Basic (RFC 7617), whatever the name.

    Without one, and where only this machine is served (``local``), a request must name the machine by its address or
    as localhost: else a page elsewhere, whose name leads here, could read everything in the visitor's browser.
    """

    password: str | None = None
    local: bool = True

    def refusal(self, headers: Iterable[Header]) -> tuple[int, str] | None:
        """Status and reason of not letting a request in; ``None`` lets it."""
        said = {name.lower(): value.decode("latin-1") for name, value in headers}
        if self.password is not None:
            known = _knows(said.get(b"authorization", ""), self.password)
            return None if known else (401, "This archive has a password; the name does not matter.")
        if self.local and not _is_here(said.get(b"host", "")):
            return 421, "Ask by the address, http://127.0.0.1 and the port, or start browse with --host."
        return None


def _knows(authorization: str, password: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    try:
        words = base64.b64decode(given, validate=True)
    except binascii.Error:
        return False
    _, _, word = words.partition(b":")
    same = hmac.compare_digest(sha256(word).digest(), sha256(password.encode()).digest())
    return same and scheme.lower() == "basic"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens at a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_here(host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return bool(ip_address(name))
    except ValueError:
        return name.lower().rstrip(".") in ("localhost", "")


def behind(door: Door, application: Application) -> Application:
    """The application for those whom the door lets in."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        refused = door.refusal(scope["headers"]) if scope["type"] == "http" else None
        if refused is None:
            await application(scope, receive, send)
            return
        status, reason = refused
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
        if status == 401:
            headers.append((b"www-authenticate", b'Basic realm="archive", charset="UTF-8"'))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": reason.encode()})

    return answer
