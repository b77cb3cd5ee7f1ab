"""Certificates for servers of the tests, made by the openssl command."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

_CA = """
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


def certificate(folder: Path, name: str, *, expired: bool = False) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for a host (PEM), and what a server with it needs. Skips without openssl."""
    place = folder / f"{name}{'-expired' if expired else ''}"
    place.mkdir()
    (place / "ca.cnf").write_text(_CA, encoding="ascii")
    (place / "index.txt").touch()
    extensions = f"-addext subjectAltName=DNS:{name} -addext basicConstraints=critical,CA:TRUE"
    dates = "-startdate 20200101000000Z -enddate 20200201000000Z" if expired else "-days 2"
    _openssl(place, f"req -new -newkey rsa:2048 -nodes -subj /CN={name} {extensions} -keyout key.pem -out request.pem")
    _openssl(
        place, f"ca -config ca.cnf -batch -notext -selfsign -keyfile key.pem {dates} -in request.pem -out cert.pem"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "cert.pem", place / "key.pem")
    return place / "cert.pem", context


def _openssl(place: Path, words: str) -> None:
    try:
        subprocess.run(["openssl", *words.split()], cwd=place, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl command to make a certificate with")
