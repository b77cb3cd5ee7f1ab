"""Datasette's page of articles, asked so that a search in it costs what it shows."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.utils import tilde_decode

from aggregator.browse.archives import is_archive

_ARTICLES = re.compile(r".*/(?P<database>[^/.]+)/articles(\.\w+)?")


def in_order_of_the_index(scope: MutableMapping[str, Any], datasette: Any) -> MutableMapping[str, Any]:
    """A search of articles by Datasette's own ``?_search=`` that names no order gives those archived last first.

    The index has them so; to sort them by publication, as the table is, all hits are read. No facet is counted over
    the hits that is not asked for.
    """
    found = _ARTICLES.fullmatch(scope.get("path", ""))
    if not found or not is_archive(datasette, tilde_decode(found["database"])):
        return scope
    said = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    if not said.get("_search") or "_sort" in said or "_sort_desc" in said:
        return scope
    more = {"_sort_desc": "revision"} | ({} if any(name.startswith("_facet") for name in said) else {"_nofacet": "1"})
    return {**scope, "query_string": scope["query_string"] + b"&" + urlencode(more).encode()}
