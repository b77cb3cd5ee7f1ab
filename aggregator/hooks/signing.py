"""The signature of a webhook, as the Standard Webhooks specification (standardwebhooks.com, 1.0.0) has it. Pure."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256

from aggregator.errors import ConfigError

_PREFIX = "whsec_"


def key_of(secret: str, where: str) -> bytes:
    """The key that a secret stands for: ``whsec_`` and base64, or else the octets of its UTF-8.

    Raises:
        ConfigError: what follows ``whsec_`` is no base64. The secret is not repeated.
    """
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        hint = "Write it as the receiver shows it, or without whsec_"
        raise ConfigError("the secret is no base64 behind whsec_", where=where, hint=hint) from None


def signed(id: str, at: datetime, body: bytes, key: bytes | None) -> dict[str, str]:
    """The headers of a message: its id, when it is sent, and with a key the signature over both and the body."""
    stamp = str(int(at.timestamp()))
    headers = {"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": stamp}
    if key is not None:
        mac = hmac.new(key, b".".join((id.encode(), stamp.encode(), body)), sha256).digest()
        headers["webhook-signature"] = f"v1,{b64encode(mac).decode()}"
    return headers
