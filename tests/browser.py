"""A real browser, headless: what pages run, ask for and hold. Chromium is Debian's; without it tests skip."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
    " --no-first-run"
).split()
_NOWHERE = "http://127.0.0.1:9"  # the proxy for every host but loopback: nobody listens there
_SHOWN = frozenset({"image", "media"})  # what an article may load

_HOOKS = """
window.ran = [];
for (const name of ['alert', 'confirm', 'prompt', 'print'])
  window[name] = (...words) => { window.ran.push(`${name}(${words})`); };
window.addEventListener('error', event => { if (event.message) window.ran.push(`error ${event.message}`); });
"""
# Every element and attribute that could run something, as a line; then all of the article is pointed at and clicked.
_LOOK = """async () => {
  const facts = [];
  const told = node => node.matches('head meta:not([http-equiv])');  // a page's description of itself
  for (const node of document.querySelectorAll('*')) {
    const name = node.localName;
    if (/^(script|i?frame|frameset|object|embed|applet|base|meta|link|form|svg|math|template|portal)$/.test(name)
        && !told(node))
      facts.push(`element ${node.cloneNode(false).outerHTML.replaceAll(location.href, '')}`);
    if (name === 'style')
      facts.push((/[@\\\\<]|url\\(/.test(node.textContent) ? 'element style ' : 'plain style ') + node.textContent);
    for (const {name: key, value} of node.attributes) {
      if (/^on/i.test(key)) facts.push(`attribute ${name} ${key}=${value}`);
      const address = value.replace(/[\\x00-\\x20\\x7f-\\xa0\\u2028\\u2029\\ufeff]/g, '');
      if (/^(javascript|vbscript|data):/i.test(address) && !/^data:image\\/(png|gif|jpe?g|webp);base64,/i.test(address)
          && !['content', 'alt', 'title'].includes(key))
        facts.push(`address ${name} ${key}=${value}`);
    }
  }
  window.addEventListener('click', event => event.preventDefault());
  for (const node of (document.querySelector('article') || document.body).querySelectorAll('*')) {
    for (const kind of ['mouseover', 'focus', 'click'])
      node.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true}));
  }
  await new Promise(done => requestIdleCallback(done));
  return {facts, ran: window.ran};
}"""


@dataclass(frozen=True)
class Seen:
    """What a page came to: scripts that ran or failed, requests to other hosts but for pictures, elements and such."""

    ran: tuple[str, ...]
    asked: tuple[str, ...]
    facts: tuple[str, ...]

    def beyond(self, harmless: Seen) -> list[str]:
        """What this page has that a harmless one of its kind has not."""
        own = (*self.ran, *self.asked, *self.facts)
        return sorted((Counter(own) - Counter((*harmless.ran, *harmless.asked, *harmless.facts))).elements())


@dataclass
class Browser:
    """An open browser with one page."""

    page: Any
    _ran: list[str] = field(default_factory=list)
    _asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._request)
        self.page.on("pageerror", lambda error: self._ran.append(f"page error {error}"))
        self.page.on("dialog", lambda dialog: (self._ran.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("popup", lambda popup: self._ran.append(f"popup {popup.url}"))
        self.page.on("console", self._console)

    def _request(self, request: Any) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None) and request.resource_type not in _SHOWN:
            self._asked.append(f"request {request.resource_type} {request.url}")

    def _console(self, message: Any) -> None:
        if not message.text.startswith("Failed to load resource"):
            self._ran.append(f"console {message.text}")

    def look(self, url: str) -> Seen:
        """Open a page, let it load, point at everything, click on everything."""
        self._ran.clear()
        self._asked.clear()
        answer = self.page.goto(url, wait_until="load")
        assert answer is not None
        assert answer.status == 200, url
        found = self.page.evaluate(_LOOK)
        if self.page.url.partition("#")[0] != url:  # a light box may leave a fragment
            self._ran.append(f"went to {self.page.url}")
        return Seen((*self._ran, *found["ran"]), tuple(self._asked), tuple(found["facts"]))


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A headless Chromium with a profile of its own, which reaches nothing but loopback."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(profile),
            executable_path=chromium,
            headless=True,
            args=list(FLAGS),
            proxy={"server": _NOWHERE, "bypass": "127.0.0.1"},
            viewport={"width": 1000, "height": 800},
        )
        context.set_default_timeout(20_000)
        context.add_init_script(_HOOKS)
        try:
            yield Browser(context.pages[0])
        finally:
            context.close()


@contextmanager
def files_served(folder: Path) -> Iterator[str]:
    """A folder on loopback; its address without a slash at the end."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""
