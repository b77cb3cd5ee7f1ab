"""What leaves the archive as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from aggregator.archive import Reader
from aggregator.config import Settings
from aggregator.errors import ConfigError
from aggregator.export.hexo import Exported, export, export_news
from aggregator.export.images import Copies, ImageFolder, Stored


def export_new(settings: Settings) -> Exported:
    """Write to the configured Hexo folder, if there is one, what is new since the last export that came to its end."""
    hexo = settings.export.hexo
    if hexo is None:
        return Exported()
    with Reader(settings.archive) as reader:
        return export_news(reader.news, hexo.dir)


def export_all(settings: Settings, folder: Path | None = None, images: ImageFolder | None = None) -> Exported:
    """Write all of the archive's documents below a folder; unnamed, the configured Hexo folder.

    With ``images`` stored images are copied there, and the documents written point to the copies.

    Raises:
        ConfigError: no folder is named anywhere; the address of ``images`` cannot be used.
        ArchiveError: there is no archive, or the folder cannot be written.
    """
    hexo = settings.export.hexo
    target = folder or (hexo.dir if hexo else None)
    if target is None:
        hint = "Name one: aggregator export --to DIR"
        raise ConfigError("no folder to export to", where="export.hexo.dir", hint=hint)
    with Reader(settings.archive) as reader:
        mark, news = reader.news()
        with closing(news) as documents:
            if images is None:
                return export(documents, target, mark)
            copies = Copies(images.folder, images.address, Stored(reader.image, reader.image_bytes))
            done = export(((file, copies.localised(text)) for file, text in documents), target)
            return replace(done, images=copies.written)


def export_until(settings: Settings, folder: Path, until: int) -> tuple[Exported, int]:
    """Write the archive's documents as they were at a commit; how many are not byte for byte what they were.

    Raises:
        ArchiveError: there is no archive, or the folder cannot be written.
    """
    differing = 0

    def made() -> Iterator[tuple[str, str]]:
        nonlocal differing
        for file, text, known in reader.documents_until(until, settings.document.placeholder):
            differing += known not in (None, sha256(text.encode()).hexdigest())
            yield file, text

    with Reader(settings.archive) as reader:
        done = export(made(), folder)
    return done, differing
