"""Stored images in what leaves the archive: as files beside documents, or inside of a page."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import quote

from aggregator.articles.images import address_of, file_of
from aggregator.errors import ConfigError
from aggregator.export.hexo import put
from aggregator.text.html import with_sources

_FRONT_END = "\n---\n\n"
_COVER = re.compile(r"(?m)^(headimg|thumbnail): '([^']*)'$")


@dataclass(frozen=True, slots=True)
class Stored:
    """The images of an archive: ``find`` gives the sha256 and media type for an address, ``load`` the bytes."""

    find: Callable[[str], tuple[str, str] | None]
    load: Callable[[str], bytes | None]

    def of(self, source: str) -> tuple[str, str] | None:
        """The sha256 and media type of the image of a stored body's ``src``; ``None`` where it is not stored."""
        url = address_of(source)
        return self.find(url) if url else None


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """Where copies of images are written, and the address at which a site's pages find them: else "/" and its name."""

    folder: Path
    url: str | None = None

    @property
    def address(self) -> str:
        """The address, without a slash at its end.

        Raises:
            ConfigError: it has characters that would have to be escaped in a document.
        """
        url = self.url if self.url is not None else f"/{quote(self.folder.resolve().name)}"
        if not re.fullmatch(r"[A-Za-z0-9._~:/@%+-]*", url):
            hint = "Give a path such as /blog/images, or a whole URL, percent-encoded"
            raise ConfigError("this is no address for images", where=url, hint=hint)
        return url.rstrip("/")


@dataclass(slots=True)
class Copies:
    """Copies of stored images below ``folder``, which the pages of a site find at ``address``; how many were written.

    A copy is named by its sha256, so that it never changes and no other image ever takes its place.
    """

    folder: Path
    address: str
    images: Stored
    written: int = 0
    _there: set[str] = field(default_factory=set)

    def localised(self, document: str) -> str:
        """The document with every image that is stored pointing to its copy, which is written; others stay remote.

        Raises:
            ArchiveError: as ``put``.
        """
        front, end, body = document.partition(_FRONT_END)
        front = _COVER.sub(lambda found: f"{found[1]}: '{self._place(unescape(found[2])) or found[2]}'", front)
        return front + end + with_sources(body, self._place)

    def _place(self, source: str) -> str | None:
        image = self.images.of(source)
        if image is None:
            return None
        file = file_of(*image)
        return f"{self.address}/{file}" if file in self._there or self._copy(file, image[0]) else None

    def _copy(self, file: str, sha256: str) -> bool:
        body = self.images.load(sha256)
        if body is None:
            return False
        self.written += put(self.folder, file, body)
        self._there.add(file)
        return True


@dataclass(slots=True)
class Inlined:
    """Stored images as ``data:`` addresses; how many sources of images were replaced so, and how many could not be."""

    images: Stored
    done: int = 0
    missing: int = 0

    def __call__(self, source: str) -> str | None:
        """The address that holds the image itself; ``None`` where it is not stored."""
        if source.startswith("data:"):
            return None
        image = self.images.of(source)
        body = self.images.load(image[0]) if image else None
        if image is None or body is None:
            self.missing += 1
            return None
        self.done += 1
        return f"data:{image[1]};base64,{b64encode(body).decode()}"
