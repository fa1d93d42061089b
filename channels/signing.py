"""Addresses of robots that sign: a token, and the secret that goes with it.

Both let whoever has them post into the group, so that no message of this module repeats one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from channels.base import AddressError

_SHOWN = 4


def split(address: str) -> tuple[str, str]:
    """Token and secret of an address; the secret is empty for a robot that does not sign."""
    token, _, secret = address.partition(":")
    return token, secret


def parse(text: str, *, url: re.Pattern[str], token: re.Pattern[str], advice: str) -> str:
    """`TOKEN` or `TOKEN:SECRET` from itself, or with the robot's whole address for the token.

    `url` finds the token in an address. Raises `AddressError` with `advice`.
    """
    stripped = text.strip()
    found = url.match(stripped)
    given = found["token"] + stripped[found.end() :] if found else stripped
    name, secret = split(given)
    if not token.fullmatch(name) or (":" in given and not re.fullmatch(r"[\w-]{8,128}", secret)):
        raise AddressError(advice)
    return given


def show(address: str) -> str:
    """Words that tell one robot from another and hide all but the end of its token."""
    return f"robot …{split(address)[0][-_SHOWN:]}"


def hmac_sha256(key: str, message: str) -> str:
    """The signature in base64, as both platforms want it."""
    digest = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
