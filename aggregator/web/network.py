"""What the network settings are, as one frozen value; ``app`` builds it from ``network:`` in config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aggregator.text.urls import is_sina

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
SINA_PAUSE = 0.5  # seconds between request starts: Sina answers 403 to faster readers


@dataclass(frozen=True, slots=True)
class Network:
    """How the program behaves on the network. Durations are seconds, sizes bytes after unpacking.

    ``timeout`` bounds one connect or one read, ``deadline`` one whole fetch with its redirects (time spent waiting for
    a turn is not counted). ``connections`` and ``interval`` are per host; ``interval`` ``None`` means 0.5 s for Sina's
    hosts and none for others. ``connect_to`` maps a host name to ``http://address:port``, where it is reached in plain
    HTTP. ``allow_private`` holds host names, addresses and CIDRs that may lie in a private network; a bare address
    stands for URLs that spell that address, a CIDR also for names that resolve into it. ``fake_ip_ranges`` are CIDRs
    from which a local proxy answers DNS. ``proxy`` is an ``http://`` or ``https://`` URL; ``proxies``
    are those that single requests name in its place; ``ca_bundle`` is a PEM file
    that is trusted in addition. ``robots``: pages and images are read only as far as the site's robots.txt allows.
    """

    user_agent: str = "Mozilla/5.0 (compatible; aggregator)"
    referer: str = "https://finance.sina.com.cn/"
    timeout: float = 10.0
    deadline: float = 30.0
    max_listing: int = 32_000_000
    max_page: int = 10_000_000
    max_image: int = 5_000_000
    max_redirects: int = 10
    connections: int = 2
    interval: float | None = None
    connect_to: Mapping[str, str] = field(default_factory=dict)
    allow_private: tuple[str, ...] = ()
    fake_ip_ranges: tuple[str, ...] = ()
    proxy: str | None = None
    proxies: tuple[str, ...] = ()
    ca_bundle: str | None = None
    robots: bool = False

    def limit(self, kind: Literal["listing", "page", "image", "robots"]) -> int:
        """Return how many bytes an answer of this kind may have after unpacking."""
        return {"listing": self.max_listing, "image": self.max_image}.get(kind, self.max_page)

    def pause(self, host: str) -> float:
        """Return the seconds that pass at least between two request starts to ``host``."""
        if self.interval is not None:
            return self.interval
        at_home = host in self.connect_to or host in self.allow_private
        return SINA_PAUSE if is_sina(host) and not at_home else 0.0


def unused_proxy(proxy: str | None, environ: Mapping[str, str]) -> str | None:
    """What to say where the environment names a proxy and the configuration none: it is not used. Else ``None``.

    The variable's value is not repeated: it may hold a password.
    """
    named = [name for name in PROXY_VARIABLES if environ.get(name)]
    if proxy or not named:
        return None
    return f"{', '.join(named)} of the environment is not used; if a proxy is needed, set network.proxy in config.yaml"
