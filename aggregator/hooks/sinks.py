"""Where a hook tells its events: a webhook, a command, or an Atom file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from aggregator.archive import Reader
from aggregator.config import Settings
from aggregator.errors import ConfigError
from aggregator.hooks import atom, command
from aggregator.hooks.rules import Event, When
from aggregator.hooks.signing import key_of, signed
from aggregator.model import Clock

Post = Callable[[str, Mapping[str, str], bytes, float], Awaitable[int]]
_SECONDS = 15.0  # a receiver may take to answer


class Sink(Protocol):
    """A receiver of events."""

    @property
    def most(self) -> int:
        """How many events may be handed over at once."""
        ...

    async def send(self, events: Sequence[Event]) -> str:
        """Tell these events; what the receiver said. Raises ``AggregatorError`` where it did not take them."""
        ...


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of the configuration: what it tells, and where: one of ``webhook``, ``command`` and ``file``."""

    name: str
    when: When
    webhook: str | None = None
    secret_env: str | None = None
    command: tuple[str, ...] = ()
    file: Path | None = None

    @property
    def where(self) -> str:
        """Where it tells, as may be shown: of a webhook's address only the host, the rest is often a secret."""
        if self.webhook:
            parts = urlsplit(self.webhook)
            return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        return self.command[0] if self.command else str(self.file)


def hooks_of(settings: Settings) -> tuple[Hook, ...]:
    """The hooks of a configuration."""
    return tuple(
        Hook(
            name=row.name,
            when=When(row.when.on, row.when.feeds, row.when.words, row.when.symbols, row.when.categories),
            webhook=row.then.webhook,
            secret_env=row.then.secret_env,
            command=row.then.command,
            file=row.then.atom,
        )
        for row in settings.hooks
    )


@dataclass(frozen=True, slots=True)
class Webhook:
    """A POST of each event, signed anew each time it is sent."""

    hook: Hook
    post: Post
    environ: Mapping[str, str]
    clock: Clock
    most: int = 1

    async def send(self, events: Sequence[Event]) -> str:
        """Post the event. Raises ``FetchError``, or ``ConfigError`` where the secret is not there."""
        (event,) = events
        headers = signed(event.id, self.clock(), event.body, self._key())
        return f"HTTP {await self.post(str(self.hook.webhook), headers, event.body, _SECONDS)}"

    def _key(self) -> bytes | None:
        name = self.hook.secret_env
        if name is None:
            return None
        if not self.environ.get(name):
            hint = f"Set {name} where the program is started"
            raise ConfigError(f"there is no secret in the environment variable {name}", kind="no_secret", hint=hint)
        return key_of(self.environ[name], name)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is run for each event."""

    hook: Hook
    environ: Mapping[str, str]
    most: int = 1

    async def send(self, events: Sequence[Event]) -> str:
        """Run it; what it said. Raises ``CommandError``."""
        (event,) = events
        around = command.environment(self.environ, self.hook.name, event.type, event.id)
        return await command.run(self.hook.command, event.body, around)


@dataclass(frozen=True, slots=True)
class AtomFile:
    """A file with the newest events of the hook; the archive says which."""

    hook: Hook
    archive: Path
    most: int = 100

    async def send(self, events: Sequence[Event]) -> str:
        """Write the file anew. Raises ``FileError``, ``ArchiveError``."""
        return await asyncio.to_thread(self._write)

    def _write(self) -> str:
        with Reader(self.archive) as reader:
            facts = reader.latest_facts(self.hook.name, atom.NEWEST)
        atom.write(Path(str(self.hook.file)), self.hook.name, facts)
        return f"{len(facts)} events in it"


def sink_of(hook: Hook, archive: Path, post: Post, environ: Mapping[str, str], clock: Clock) -> Sink:
    """The receiver of a hook."""
    if hook.webhook:
        return Webhook(hook, post, environ, clock)
    return Command(hook, environ) if hook.command else AtomFile(hook, archive)
