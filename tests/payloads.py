"""Texts that try to be more than text: what a stranger may write into a title or a body. Written for these tests."""

from __future__ import annotations

import json
import re
from pathlib import Path

# What a template engine would evaluate, 14 kinds.
TEMPLATES: tuple[str, ...] = (
    "{{7*7}}",
    '{{ (1).constructor.constructor("return process.version")() }}',
    "{{ [].map.constructor('return process.env.HOME')() }}",
    '{% include "/etc/hostname" %}',
    "{% foo %}",
    "{% raw %}x{% endraw %}{{7*7}}{% raw %}",
    "{% endraw %}{{7*7}}{% raw %}",
    "{# c #}",
    "{% for i in range(0,30000000) %}x{% endfor %}",
    "{% if true %}{{ 6*7 }}{% endif %}",
    "{% set a = 7 %}{{ a*7 }}",
    "{{ '{{' }}7*7{{ '}}' }}",
    "{%- asset_img x.png -%}",
    "{{ page.content }}{{ config | dump }}",
)

# Titles that YAML, front matter, file systems or terminals would read as something else, 63 of them.
TITLES: tuple[str, ...] = (
    "a\n---\nevil: 1", "a\n---", "---", "--- ", "...", "a\n...\nb", ";;;", "evil: 1", "a: b", "a:", ": a",
    "it's", 'say "x"', "it's \"both\"", "'", '"', "''", '""', "'a' b", "\\", "a\\nb", "\\u0041",
    "#x", "a #x", "\ttab", "a\tb", "[x]", "[x", "{x: 1}", "{x", "!!js/function 'x'", "!x y", "&x y", "*x", "- x",
    "? x", "@x", "`x`", "%x", "%22x", "| x", "> x", "yes", "No", "null", "~", "true", "1e3", "0o17", "0x1F",
    "12:30:45", "2020-01-01", "=", "<<", ".inf", "a\u2028b\u2029c", "a\x85b", "a\0b", "😀 𠮷", "a\r\nb", "\ufeffx",
    "\ud800x", " x ",
)  # fmt: skip

# What broke out of a post through Hexo's own passes when its body was written as plain HTML.
THROUGH_HEXO: tuple[str, ...] = (
    '<p title="a\n\n[x](onmouseover=alert(1)//)">b</p>',
    "a\n\n[x](javascript:alert(1))",
    "a\n\n[x][y]\n\n[y]: javascript:alert(1)",
    "<b>a</b>\n\n<i>[</i>x](javascript:alert(1))",
    'a\n\n![" onerror="alert(1)](x)',
    'a\n\nhttp://a:b"onmouseover=alert(1)//x',
    'a\n\n[x](foo:"onmouseover=alert(1)//)',
    '    a\n\n    b\n[x](foo:"onmouseover=alert(1)//)',
    "a\n``` x y http://a\"onmouseover='alert(1)' l\nfoo\n```\nb",
    "a\n~~~ x <b>y\nfoo\n~~~\nb",
    '<a href="http://a/" title="x rel=" y="a onmouseover=alert(1)//">b</a>',
    '<a href="http://a/" title="a rel=\'x onmouseover=alert(1) y=\'b\'">b</a>',
    '<a title="x href=y onmouseover=alert(1)//" href="http://a/">b</a>',
    '<a data-href="javascript:alert(1)" href="http://a/">b</a>',
    '<p><img alt="&lt;img src=x onerror=alert(1)&gt;" src="http://a/x.png"></p>',
    "<p><img alt='\" onmouseover=\"alert(1)' src='http://a/x.png'></p>",
    "<a class=article-share-link data-id=1 data-url='\"><img src=x onerror=alert(1)>'>b</a>",
    '<a class=fancybox data-type=html data-src="&lt;img src=x onerror=alert(1)&gt;">b</a>',
    "a &lt;!--swig\ufffc0--&gt; b",
    "a <!--code\ufffc7--> b",
    "a <!-- x\n\n<p><base href=//evil.example/> --> b",
    "a\n\n    <!-- x\n<p><meta http-equiv=refresh content=0> -->\n[x](javascript:alert(1))",
    '<img src="http://1.2.3.400/x.png">',
    '<img src="http://\'x/">',
    '<img src="/x.png" data-src="http://[">',
    "<img alt=' src=' title='http://['>",
    "a\n\n# <b title='x\"y'>q</b>\n\nb\n===",
    "a\n\n<pre>b</pre>\n[x](javascript:alert(1))",
    "<style>a{b:c}\n\n</style>\n[x](javascript:alert(1))",
)


def heard(title: str) -> str:
    """A title as a reader of JSON hears it: half of a surrogate pair is no character."""
    return re.sub("[\ud800-\udfff]", "\ufffd", title)


def vectors(shared: Path) -> list[str]:
    """The XSS vectors of the shared corpora."""
    files = sorted((shared / "corpus/xss").glob("*.json"))
    return [str(row["payload"]) for file in files for row in json.loads(file.read_text(encoding="utf-8"))]
