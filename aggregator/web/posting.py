"""A message to a receiver: one POST, of whose answer only the status counts."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.errors import FetchError
from aggregator.web.guard import Guard, admit
from aggregator.web.lean import httpx
from aggregator.web.manners import retry_after
from aggregator.web.outcome import FAULTS, check_headers, failure, fault


@dataclass(frozen=True, slots=True)
class Poster:
    """What a POST needs of the client: its wire, and which addresses may be asked."""

    transport: httpx.AsyncBaseTransport
    guard: Guard
    plain_hosts: Collection[str]
    agent: str
    clock: Callable[[], datetime]

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        """Send ``body`` and return the status, a 2xx.

        No redirect is followed and no byte of the answer's body is read. Raises ``FetchError``, also where there was
        no answer in so many seconds; it names the receiver's host only, since the rest of its address may be a secret.
        """
        where = ""
        try:
            target = admit(url, self.guard).copy_with(fragment=None)
            where = f"{target.scheme}://{target.netloc.decode('ascii')}"
            async with asyncio.timeout(seconds):
                return await self._post(target, headers, body, where)
        except TimeoutError:
            raise FetchError(f"no answer within {seconds:g} s", kind="timeout", where=where) from None
        except FAULTS as error:
            raise fault(error, where, reading=False) from None
        except FetchError as error:
            error.where = where
            raise

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes, where: str) -> int:
        plain = url.raw_host.decode("ascii") in self.plain_hosts
        request = httpx.Request(
            "POST",
            (url.copy_with(scheme="http") if plain else url).copy_with(userinfo=b""),
            headers={"Host": url.netloc.decode("ascii"), "User-Agent": self.agent, **_credentials(url), **headers},
            content=body,
            extensions={"timeout": httpx.Timeout(None).as_dict()},
        )
        response = await self.transport.handle_async_request(request)
        try:
            check_headers(response.headers.raw, where)
            if not 200 <= response.status_code < 300:
                raise self._refusal(response, where)
            return response.status_code
        finally:
            await response.aclose()

    def _refusal(self, response: httpx.Response, where: str) -> FetchError:
        now = self.clock()
        wait = retry_after(dict(response.headers), now)
        error = failure(response.status_code, where, now + timedelta(seconds=wait) if wait else None)
        error.hint = ""  # what it says is for feeds
        return error


def _credentials(url: httpx.URL) -> dict[str, str]:
    """What an address has before its host, as a header."""
    if not url.userinfo:
        return {}
    return {"Authorization": f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode()}"}
