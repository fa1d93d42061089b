"""Takes addresses and keys out of other people's words, such as a platform's reply."""

from __future__ import annotations

import re

_HIDDEN = "…"
#: The webhook key of a group robot, which is its address and opens it to anyone.
_KEY = r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
#: Mail addresses and names of chats; then ids of chats and users.
_ADDRESS = re.compile(rf"{_KEY}|[^\s<>()\"',;:]*@[^\s<>()\"',;:]+|-?\b\d{{8,}}\b")
#: Keys, tokens of bots, and passwords in URLs, wherever they come from.
_SECRET = re.compile(rf"{_KEY}|\d{{6,}}:[\w-]{{30,}}|(?<=://)[^\s/@]*:[^\s/@]+(?=@)")


def without_addresses(text: str) -> str:
    """`text` with every address hidden: platforms like to repeat the recipient."""
    return _ADDRESS.sub(_HIDDEN, text)


def without_secrets(text: str, *known: str) -> str:
    """`text` without the secrets `known`, nor anything of the shape of one."""
    for secret in known:
        text = text.replace(secret, _HIDDEN)
    return _SECRET.sub(_HIDDEN, text)
