"""Images on their way out: copies beside documents, images inside a page, and what the commands say of them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from browser import browsing, files_served
from hexo_site import front_matters, generate, modules
from test_images import HTML, OTHER, PNG, SVG, listing, pictures
from test_keeping import command
from web_server import Server, beside, reply

from aggregator.archive import Reader
from aggregator.text.html import with_sources

PLACES = {
    name: f"{sha256(body).hexdigest()[:2]}/{sha256(body).hexdigest()}.png" for name, body in (("a", PNG), ("b", OTHER))
}
# The first image is the cover, which the front matter spells otherwise than the body; the last is not to be had.
BODY = (
    '<p>文字。</p><img src="http://bad.example/it\'s{a}.png" alt="a > b src=">'
    '<img src="http://bad.example/b.png#x"><img src="http://bad.example/lost.png">'
    '<a href="http://bad.example/b.png">大图</a>'
)


@contextmanager
def fetched(folder: Path, *bodies: str, images: str = "all") -> Iterator[Server]:
    """A folder with a configuration and an archive, after one ``fetch`` of articles with these bodies."""
    answers = {
        "/it's%7Ba%7D.png": PNG,
        "/it%27s%7Ba%7D.png": PNG,
        "/b.png": OTHER,
        "/drawing.svg": SVG,
        "/page.jpg": HTML,
    }
    with beside({path: reply(200, body) for path, body in answers.items()} | {"/bad": listing(*bodies)}) as server:
        (folder / "config.yaml").write_text(
            f"""
archive: archive.db
network: {{connect_to: {{bad.example: "{server.url}"}}}}
feeds: [{{name: one, source: feed, url: "http://bad.example/bad", pages: false, images: {images}}}]
""",
            encoding="utf-8",
        )
        yield server


def files(folder: Path) -> list[Path]:
    """What an export wrote below a folder, but for its own mark."""
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != ".export"]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in files(folder)}


def times(*folders: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for folder in folders for file in files(folder)}


def test_documents_point_to_copies_on_request_and_else_stay_as_they_were(tmp_path: Path) -> None:
    with fetched(tmp_path, BODY, "<p>没有图片。</p>"):
        told = json.loads(command(tmp_path, "fetch", "--json"))
    assert (told["totals"]["images"], told["totals"]["images_failed"]) == (2, 1)
    plain, local, copies = (tmp_path / name for name in ("plain", "local", "img"))
    command(tmp_path, "export", "--to", str(plain))
    with Reader(tmp_path / "archive.db") as reader:
        assert tree(plain) == {file: text.encode() for file, text in reader.documents()}

    words = ("export", "--to", str(local), "--images", str(copies), "--json")
    assert json.loads(command(tmp_path, *words)) == {"written": 2, "unchanged": 0, "images": 2}
    assert tree(copies) == {PLACES["a"]: PNG, PLACES["b"]: OTHER}
    before = times(local, copies)
    assert json.loads(command(tmp_path, *words)) == {"written": 0, "unchanged": 2, "images": 0}
    assert times(local, copies) == before

    with_pictures, without = tree(local).values()
    assert without == list(tree(plain).values())[1]
    remote = next(iter(tree(plain).values())).decode()
    for old, new in (
        ("headimg: 'http://bad.example/it%27s%7Ba%7D.png'", f"headimg: '/img/{PLACES['a']}'"),
        ("thumbnail: 'http://bad.example/it%27s%7Ba%7D.png'", f"thumbnail: '/img/{PLACES['a']}'"),
        ('src="http://bad.example/it\'s&#123;a&#125;.png"', f'src="/img/{PLACES["a"]}"'),
        ('src="http://bad.example/b.png#x"', f'src="/img/{PLACES["b"]}"'),
    ):
        assert remote.count(old) == 1, old
        remote = remote.replace(old, new)
    assert with_pictures.decode() == remote
    assert 'src="http://bad.example/lost.png"' in remote


def test_a_site_below_a_path_of_its_own(tmp_path: Path) -> None:
    with fetched(tmp_path, pictures("b.png")):
        command(tmp_path, "fetch")
    words = ("export", "--to", str(tmp_path / "posts"), "--images", str(tmp_path / "图 片"))
    command(tmp_path, *words, "--image-url", "https://cdn.example/x/")
    (document,) = tree(tmp_path / "posts").values()
    assert f"headimg: 'https://cdn.example/x/{PLACES['b']}'" in document.decode()
    command(tmp_path, *words)
    (document,) = tree(tmp_path / "posts").values()
    assert f'src="/%E5%9B%BE%20%E7%89%87/{PLACES["b"]}"' in document.decode()
    command(tmp_path, *words, "--image-url", "/a'b", code=2)
    command(tmp_path, "export", "--to", str(tmp_path / "posts"), "--image-url", "/x", code=2)
    command(tmp_path, *words, "--as-of", "2100-01-01", code=2)


def test_a_damaged_copy_is_written_again_and_none_through_a_link(tmp_path: Path) -> None:
    with fetched(tmp_path, pictures("b.png")):
        command(tmp_path, "fetch")
    words = ("export", "--to", str(tmp_path / "posts"), "--images", str(tmp_path / "img"), "--json")
    command(tmp_path, *words)
    copy = tmp_path / "img" / PLACES["b"]
    copy.write_bytes(OTHER[:-1])
    assert json.loads(command(tmp_path, *words))["images"] == 1
    assert copy.read_bytes() == OTHER
    copy.unlink()
    copy.parent.rmdir()
    (tmp_path / "elsewhere").mkdir()
    copy.parent.symlink_to(tmp_path / "elsewhere")
    command(tmp_path, *words, code=3)
    assert tree(tmp_path / "elsewhere") == {}


def test_a_real_site_of_hexo_shows_the_copies(tmp_path: Path) -> None:
    modules()
    with fetched(tmp_path, BODY, pictures("b.png", "lost.png")):
        command(tmp_path, "fetch")
    posts, images = tmp_path / "posts", tmp_path / "images"
    command(tmp_path, "export", "--to", str(posts), "--images", str(images))
    public = generate(tmp_path / "site", posts, images=images)
    assert {str(read["headimg"]) for read in front_matters(sorted(posts.rglob("*.md")))} == {
        f"/images/{place}" for place in PLACES.values()
    }
    shown = [
        source
        for file in public.rglob("index.html")
        for source in re.findall(r'<img src="([^"]*)"', file.read_text(encoding="utf-8"))
    ]
    local = {source for source in shown if source.startswith("/images/")}
    assert local == {f"/images/{place}" for place in PLACES.values()}
    assert {source for source in shown if source not in local} == {"http://bad.example/lost.png"}
    assert {(public / source[1:]).read_bytes() for source in local} == {PNG, OTHER}


def test_a_page_holds_its_images(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with fetched(tmp_path, BODY, pictures("b.png"), "<p>没有图片。</p>"):
        command(tmp_path, "fetch")
    inline = f"data:image/png;base64,{b64encode(OTHER).decode()}"
    said = []
    for number in range(3):
        capfd.readouterr()
        command(tmp_path, "show", f"http://bad.example/{number}", "--html", str(tmp_path / f"{number}.html"))
        said.append(capfd.readouterr().err.strip().rpartition(".html")[2])
    assert said == [", with 2 images in it; 1 are not stored and load from their sites", ", with 1 images in it", ""]
    some, whole, none = ((tmp_path / f"{n}.html").read_text(encoding="utf-8") for n in range(3))
    assert f'src="{inline}"' in some
    assert 'src="http://bad.example/lost.png"' in some
    assert "img-src data: http: https:;" in some
    assert f'src="{inline}"' in whole
    assert "img-src data:;" in whole
    assert "img-src http: https:;" in none


def test_a_page_that_holds_all_its_images_asks_nobody(tmp_path: Path) -> None:
    with fetched(tmp_path, pictures("b.png")):
        command(tmp_path, "fetch")
    command(tmp_path, "show", "http://bad.example/0", "--html", str(tmp_path / "page.html"))
    with files_served(tmp_path) as base, browsing(tmp_path / "profile") as browser:
        seen = browser.look(f"{base}/page.html")
        shown = browser.page.evaluate("document.images[0].naturalWidth")
    assert (seen.ran, seen.asked, shown) == ((), (), 8)


def test_status_tells_of_images_where_there_are_any(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with fetched(tmp_path, pictures("b.png", "drawing.svg", "page.jpg?token=hush")) as server:
        command(tmp_path, "fetch")
        assert "1 images stored, 2 failed (1 active_image, 1 not_an_image)" in capfd.readouterr().err
        out = command(tmp_path, "status")
        assert "images: 1 stored (0.0 MB), 1 waiting, 1 failed" in capfd.readouterr().err
        assert "active_image" in out
        assert "hush" not in out
        told = json.loads(command(tmp_path, "status", "--json"))
        assert told["images"] == {"stored": 1, "bytes": len(OTHER), "waiting": 1, "failed": 1}
        assert {one["error_kind"] for one in told["image_troubles"]} == {"active_image", "not_an_image"}
        before = len(server.asked)
        command(tmp_path, "fetch", "--retry")
        assert "2 failed images get another try" in capfd.readouterr().err
        assert [one.target.partition("?")[0] for one in server.asked[before:]] == ["/bad", "/drawing.svg", "/page.jpg"]


def test_no_images_no_word_of_them(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with fetched(tmp_path, pictures("b.png"), images="none"):
        told = json.loads(command(tmp_path, "fetch", "--json"))
        command(tmp_path, "status")
    assert "image" not in json.dumps(told) + capfd.readouterr().err
    assert "images" not in json.loads(command(tmp_path, "status", "--json"))


def test_renormalise_asks_for_the_images_of_what_is_archived(tmp_path: Path) -> None:
    with fetched(tmp_path, pictures("b.png"), images="none"):
        command(tmp_path, "fetch")
        config = tmp_path / "config.yaml"
        config.write_text(config.read_text(encoding="utf-8").replace("images: none", "images: all"), encoding="utf-8")
        command(tmp_path, "renormalise", "--dry-run")
        assert "images" not in json.loads(command(tmp_path, "fetch", "--json"))["totals"]
        command(tmp_path, "renormalise")
        assert json.loads(command(tmp_path, "fetch", "--json"))["totals"]["images"] == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<img src="a" alt="b">', '<img src="A" alt="b">'),
        ('<img alt src="a&amp;lt">', '<img alt src="A&amp;LT">'),
        ('<!--<img src="a">--><img src="b">', '<!--<img src="a">--><img src="B">'),
        ('<img alt="x src=" src="a">', '<img alt="x src=" src="A">'),
        ('<img data-src="a" src="keep"><img src><img>', '<img data-src="a" src="keep"><img src><img>'),
        ('<p title="<img">x</p><imgs src="a">', '<p title="<img">x</p><imgs src="a">'),
    ],
)
def test_sources_of_images_are_replaced_where_they_stand(body: str, expected: str) -> None:
    assert with_sources(body, lambda source: None if source == "keep" else source.upper()) == expected
