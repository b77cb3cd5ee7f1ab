"""The pictures of the README: small, and as their script makes them."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import screenshots

ROOT = Path(__file__).resolve().parent.parent
PICTURES = sorted(re.findall(r"\]\((docs/pictures/\w+\.png)\)", (ROOT / "README.md").read_text(encoding="utf-8")))


def read(image: bytes) -> screenshots.Pixels:
    """The rows of RGB of a PNG with a palette whose rows are not filtered."""
    chunks, at = {}, 8
    while at < len(image):
        length, name = struct.unpack(">I4s", image[at : at + 8])
        data = image[at + 8 : at + 8 + length]
        assert struct.unpack(">I", image[at + 8 + length :][:4]) == (zlib.crc32(name + data),)
        chunks[name], at = data, at + 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[rows[:, 1:]]


def test_the_readme_shows_all_pictures_and_each_is_small() -> None:
    assert len(PICTURES) == 5
    assert [f"docs/pictures/{path.name}" for path in sorted((ROOT / "docs/pictures").iterdir())] == PICTURES
    for name in PICTURES:
        image = (ROOT / name).read_bytes()
        assert len(image) <= screenshots.LARGEST
        assert read(image).shape == (screenshots.HEIGHT, screenshots.WIDTH, 3)


@pytest.mark.parametrize("most", [2, 5, 16, 200])
def test_an_image_of_few_colours_comes_out_as_it_is_and_one_of_many_nearly_so(most: int) -> None:
    colours = np.random.default_rng(8).integers(0, 256, (most, 3), np.uint8)
    few = colours[np.arange(20 * 30).reshape(20, 30) % most]
    assert (read(screenshots.png(few, most)) == few).all()
    slope = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    drawn = read(screenshots.png(slope, most)).astype(int)
    assert len(np.unique(drawn)) == most
    assert np.abs(drawn - slope).max() <= 256 / most + 1
