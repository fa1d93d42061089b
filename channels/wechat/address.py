"""A subscriber's address: a group robot's key, somebody in WeCom, or an Official Account's readers.

Who has a robot's key can post into its group, so it is a secret: no message of this module repeats
one. The other addresses are none:

- `app:zhangsan`, `app:party:2`, `app:tag:3`, `app:@all`: a member, a department, a tag, everybody;
- `official:all`, `official:tag:2`: all followers, or those with a tag (for mass sends).
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from channels.base import AddressError

WEBHOOK_PATH = "/cgi-bin/webhook/send"

#: WeCom makes keys of 36 characters; what is far shorter or longer is something else.
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
#: A member's account: https://developer.work.weixin.qq.com/document/path/90195.
_APP = re.compile(r"app:(?:@all|party:\d{1,10}|tag:\d{1,10}|[a-z0-9][a-z0-9_.@-]{0,63})")
_OFFICIAL = re.compile(r"official:(?:all|tag:\d{1,10})")
_SHOWN = 4


def parse_address(text: str) -> str:
    """The one canonical form; a robot's key also from the whole webhook address.

    WeCom does not tell members apart by upper and lower case. Raises `AddressError`, which never
    repeats a key.
    """
    stripped = text.strip()
    if stripped.lower().startswith(("app:", "official:")):
        return _named(stripped.lower())
    key = _key_of_url(stripped) if "://" in stripped else stripped
    if not _KEY.fullmatch(key):
        raise AddressError(
            "This is not the key of a WeCom group robot (8 to 64 letters, digits, dashes). "
            "Copy the webhook address from the robot's page in the group's settings."
        )
    return key


def show_address(address: str) -> str:
    """Words that tell one robot from another and hide all of the key but its end."""
    return address if ":" in address else f"robot …{address[-_SHOWN:]}"


def _named(address: str) -> str:
    if address.startswith("app:") and not _APP.fullmatch(address):
        raise AddressError(
            f"{address[:80]!r} names nobody in WeCom: write app:USERID, app:party:ID, app:tag:ID "
            "or app:@all."
        )
    if address.startswith("official:") and not _OFFICIAL.fullmatch(address):
        raise AddressError(
            f"{address[:80]!r} names no readers of an Official Account: write official:all or "
            "official:tag:ID."
        )
    return address


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
