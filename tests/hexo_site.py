"""A real Hexo: documents in, a site out. ``AGGREGATOR_HEXO`` names a folder in which npm has installed it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

PACKAGE = Path(__file__).parent / "hexo" / "package.json"  # what .ci/run installs
BY_TITLE = ":year/:month/:day/:title/"  # Hexo's default
BY_HASH = ":hash/"  # docs/format.md: of a title with a "5%" Hexo 8 cannot make an address
_CONFIG = """
title: site
url: http://site.example
permalink: {permalink}
theme: landscape
timezone: Asia/Shanghai
external_link: {{enable: true}}
index_generator: {{per_page: 40}}
"""
_FRONT_MATTER = """
const fs = require('fs'), {parse} = require('hexo-front-matter');
const files = JSON.parse(fs.readFileSync(0, 'utf8'));
console.log(JSON.stringify(files.map(file => parse(fs.readFileSync(file, 'utf8')))));
"""


def modules(package: str = "hexo") -> Path:
    """The folder of npm's packages; the test skips where the one it needs is not installed."""
    named = os.environ.get("AGGREGATOR_HEXO", "")
    folder = Path(named) / "node_modules"
    if not named or shutil.which("node") is None or not (folder / package).is_dir():
        pytest.skip(f"no {package}: npm install in a copy of tests/hexo, and name that in AGGREGATOR_HEXO")
    return folder


def generate(site: Path, posts: Path, permalink: str = BY_HASH, images: Path | None = None) -> Path:
    """Make a site of a folder of posts by ``hexo generate``, which must succeed without an error; its public folder.

    ``images`` is a folder that is put beside the posts.
    """
    packages = modules()
    site.mkdir()
    shutil.copy(PACKAGE, site)
    (site / "_config.yml").write_text(_CONFIG.format(permalink=permalink), encoding="utf-8")
    (site / "node_modules").symlink_to(packages)
    (site / "source").mkdir()
    (site / "source/_posts").symlink_to(posts)
    if images:
        (site / "source" / images.name).symlink_to(images)
    command = ["node", str(packages / "hexo/bin/hexo"), "generate"]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, timeout=120, env=_environment())
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-2000:]
    assert "ERROR" not in said, said[-2000:]
    assert "FATAL" not in said, said[-2000:]
    return site / "public"


def address(file: str, at: datetime, permalink: str = BY_HASH) -> str:
    """The path of a post's page: of its file's name and date."""
    slug = file.removesuffix(".md")
    if permalink == BY_TITLE:
        return f"{at.astimezone(ZoneInfo('Asia/Shanghai')):%Y/%m/%d}/{slug}/"
    return hashlib.sha1(f"{slug}{int(at.timestamp())}".encode()).hexdigest()[:12] + "/"


def front_matters(files: list[Path]) -> list[dict[str, object]]:
    """What Hexo's own reader makes of these files; the text below the front matter is ``_content``."""
    done = subprocess.run(
        ["node", "-e", _FRONT_MATTER],
        cwd=modules().parent,
        input=json.dumps([str(file) for file in files]),
        capture_output=True,
        text=True,
        timeout=60,
        env=_environment(),
        check=True,
    )
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TZ": "Asia/Shanghai", "NO_COLOR": "1"}
