"""A feed's cookies, out of a file as browsers and curl write it (cookies.txt). No message repeats what stands in it."""

from __future__ import annotations

import warnings
from pathlib import Path

from aggregator.model import Cookie, Cookies

MAX_BYTES = 1_000_000

_FORM = (
    "must be a cookies.txt: `# Netscape HTTP Cookie File`, then lines of seven columns parted by tabs "
    "(domain, TRUE where it begins with a dot, path, secure, expiry, name, value)"
)


def read(path: Path) -> Cookies:
    """The cookies of a file. An expiry of 0 means none, as in what browsers export.

    Raises:
        ValueError: there is no such file, it may not be read, or it is no cookies.txt.
    """
    if not path.is_file():
        raise ValueError(f"must be a file, but there is none at {path}")
    from http.cookiejar import LoadError, MozillaCookieJar  # with urllib's and http's clients: as much as all this

    jar = MozillaCookieJar()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"must be a cookies.txt, but {path} is larger than {MAX_BYTES // 1000} kB")
        with warnings.catch_warnings(action="ignore"):  # like its error, its warning quotes the line
            jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except (LoadError, UnicodeDecodeError):
        raise ValueError(f"{_FORM}, which {path} is not") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}; give yourself the right (chmod u+r)") from None
    found = tuple(
        Cookie(
            domain=one.domain.lower().removeprefix("."),
            subdomains=one.domain_specified,
            path=one.path or "/",
            secure=one.secure,
            expires=one.expires or None,
            text=one.name if one.value is None else f"{one.name}={one.value}",
        )
        for one in jar
    )
    if not all(one.text.isprintable() for one in found):
        raise ValueError(f"{_FORM}; a name or value in {path} has control characters")
    return Cookies(str(path), found)
