"""A real Hexo: documents in, a site out. ``AGGREGATOR_HEXO`` names a folder in which npm has installed it.

Addresses are made of ``:hash``, as docs/format.md asks for: of ``:title`` Hexo 8 cannot make one that holds a ``%``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "hexo" / "package.json"  # what .ci/run installs
_CONFIG = """
title: site
url: http://site.example
permalink: :hash/
theme: landscape
timezone: Asia/Shanghai
external_link: {enable: true}
index_generator: {per_page: 40}
"""
_FRONT_MATTER = """
const fs = require('fs'), {parse} = require('hexo-front-matter');
const files = JSON.parse(fs.readFileSync(0, 'utf8'));
console.log(JSON.stringify(files.map(file => parse(fs.readFileSync(file, 'utf8')))));
"""


def modules() -> Path:
    """The folder of npm's packages; the test skips where Hexo is not installed."""
    named = os.environ.get("AGGREGATOR_HEXO", "")
    folder = Path(named) / "node_modules"
    if not named or shutil.which("node") is None or not (folder / "hexo").is_dir():
        pytest.skip("Hexo is not installed: npm install in a copy of tests/hexo, and name that in AGGREGATOR_HEXO")
    return folder


def generate(site: Path, posts: Path) -> Path:
    """Make a site of a folder of posts by ``hexo generate``, which must succeed without an error; its public folder."""
    packages = modules()
    site.mkdir()
    shutil.copy(PACKAGE, site)
    (site / "_config.yml").write_text(_CONFIG, encoding="utf-8")
    (site / "node_modules").symlink_to(packages)
    (site / "source").mkdir()
    (site / "source/_posts").symlink_to(posts)
    command = ["node", str(packages / "hexo/bin/hexo"), "generate"]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, timeout=120, env=_environment())
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-2000:]
    assert "ERROR" not in said, said[-2000:]
    assert "FATAL" not in said, said[-2000:]
    return site / "public"


def address(file: str, seconds: int) -> str:
    """The path of a post's page: Hexo's hash of its file's name and its date (Unix time)."""
    return hashlib.sha1(f"{file.removesuffix('.md')}{seconds}".encode()).hexdigest()[:12] + "/"


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
