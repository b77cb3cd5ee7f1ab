"""The pictures of the README: ``python tests/screenshots.py docs/pictures`` makes them anew, of the demo's archive.

Five pages of ``aggregator browse`` in a headless Chromium, each as a PNG of few colours.
"""

from __future__ import annotations

import base64
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from browser import Browser, browsing
from numpy.typing import NDArray
from test_consumers import browse

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 1280, 860
COLOURS = (160, 112, 80, 56, 40)  # the most with which a picture is small enough
LARGEST = 72_000  # bytes
_EDITED = "SELECT article FROM revisions WHERE cause = 'changed' ORDER BY verdict = 'material' DESC LIMIT 1"
# An article with a picture of its own, reprinted elsewhere: the page has most to show of it.
_RICH = (
    "SELECT a.id FROM articles a JOIN revisions r ON r.id = a.revision JOIN image_fetches g ON g.url = r.cover"
    " JOIN links l ON a.id IN (l.a, l.b) WHERE r.symbols <> '[]' ORDER BY a.id LIMIT 1"
)
_DECODED = """async address => {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, image.width, image.height).data;
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}"""


def palette_of(colours: Pixels, counts: NDArray[np.int64], most: int) -> Pixels:
    """At most so many colours for an image of these, by cutting the box with most to lose at its median."""
    boxes = [np.arange(len(colours))]
    while len(boxes) < most:
        losses = [np.ptp(colours[box], axis=0).max() * np.sqrt(counts[box].sum()) for box in boxes]
        worst = int(np.argmax(losses))
        if losses[worst] == 0:
            break
        box = boxes.pop(worst)
        along = colours[box][:, np.ptp(colours[box], axis=0).argmax()]
        box = box[np.argsort(along, kind="stable")]
        shares = np.cumsum(counts[box])
        cut = min(max(int(np.searchsorted(shares, shares[-1] / 2)), 1), len(box) - 1)
        boxes += [box[:cut], box[cut:]]
    means = [np.average(colours[box], axis=0, weights=counts[box]) for box in boxes]
    return np.round(means).astype(np.uint8)


def png(pixels: Pixels, most: int) -> bytes:
    """Rows of RGB as a PNG with a palette (RFC 2083), each pixel the nearest of at most so many colours."""
    height, width, _ = pixels.shape
    colours, places, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette = palette_of(colours, counts, most)
    apart = (colours[:, None, :].astype(np.int32) - palette[None, :, :]) ** 2
    nearest = apart.sum(axis=2).argmin(axis=1).astype(np.uint8)
    rows = np.hstack([np.zeros((height, 1), np.uint8), nearest[places.reshape(height, width)]])
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),  # 8 bits a pixel, a palette
        b"PLTE": palette.tobytes(),
        b"IDAT": zlib.compress(rows.tobytes(), 9),
        b"IEND": b"",
    }
    framed = (struct.pack(">I", len(data)) + name + data + _checked(name + data) for name, data in chunks.items())
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def _checked(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def shot(page: Any, address: str) -> Pixels:
    """What a window shows of a page, as rows of RGB."""
    page.goto(address)
    taken = base64.b64encode(page.screenshot()).decode()
    page.goto("about:blank")
    flat = base64.b64decode(page.evaluate(_DECODED, f"data:image/png;base64,{taken}"))
    return np.frombuffer(flat, np.uint8).reshape(HEIGHT, WIDTH, 4)[:, :, :3]


def take(browser: Browser, site: str, archive: Path, folder: Path) -> None:
    """All pictures into a folder, telling their sizes."""
    with closing(sqlite3.connect(archive)) as db:
        edited, rich = (db.execute(sql).fetchone()[0] for sql in (_EDITED, _RICH))
    pages = {
        "front": "/",
        "article": f"/archive/articles/{rich}",
        "diff": f"/archive/-/diff/{edited}",
        "search": "/archive/-/search?q=央行",
        "figures": "/archive/-/figures",
    }
    browser.page.set_extra_http_headers({"accept-language": "zh-CN"})
    browser.page.emulate_media(color_scheme="light")
    browser.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in pages.items():
        pixels = shot(browser.page, site + path)
        made = next(one for most in COLOURS if len(one := png(pixels, most)) <= LARGEST)
        (folder / f"{name}.png").write_bytes(made)
        print(f"{name}.png: {len(made) / 1e3:.0f} kB")


def main() -> int:
    """Make the demo's archive, browse it, take the pictures."""
    (target,) = sys.argv[1:] or ["docs/pictures"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-m", "aggregator", "demo", "--dir", str(folder / "demo")], check=True, capture_output=True
        )
        with browse(folder / "demo") as site, browsing(folder / "profile") as browser:
            take(browser, site, folder / "demo" / "archive.db", Path(target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
