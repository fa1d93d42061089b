"""A subscriber's address: the webhook key of a WeCom group robot.

Who has the key can post into the group, so it is a secret: no message of this module repeats it.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from channels.base import AddressError

WEBHOOK_PATH = "/cgi-bin/webhook/send"

#: WeCom makes keys of 36 characters; what is far shorter or longer is something else.
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SHOWN = 4


def parse_address(text: str) -> str:
    """The robot's key, from the key itself or from the whole webhook address.

    Raises `AddressError`, which never repeats what was given.
    """
    stripped = text.strip()
    key = _key_of_url(stripped) if "://" in stripped else stripped
    if not _KEY.fullmatch(key):
        raise AddressError(
            "This is not the key of a WeCom group robot (8 to 64 letters, digits, dashes). "
            "Copy the webhook address from the robot's page in the group's settings."
        )
    return key


def show_address(address: str) -> str:
    """Words that tell one robot from another and hide all of the key but its end."""
    return f"robot …{address[-_SHOWN:]}"


def _key_of_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or parts.path.rstrip("/") != WEBHOOK_PATH:
        raise AddressError(
            f"This is not a WeCom robot's webhook: its path must be {WEBHOOK_PATH}. "
            "Copy the webhook address from the robot's page in the group's settings."
        )
    return "".join(parse_qs(parts.query).get("key", [""]))
