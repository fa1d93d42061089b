"""Bot API objects: chats, users and messages as JSON."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from typing import Any

from distributor.sandbox.store import Received
from distributor.sandbox.telegram_rules import bad_request

_CHAT = re.compile(r"-?[1-9]\d{0,17}|@[A-Za-z][A-Za-z0-9_]{3,31}")
#: Supergroups and channels have ids of this form.
_SUPERGROUP_BASE = -1_000_000_000_000


def chat_of(chat_id: str) -> dict[str, Any]:
    """The chat that every well-formed id or @name has here. Raises `Refusal` for others.

    A chat that shall not exist is a fault: `reject`, 400, `Bad Request: chat not found`.
    """
    if not chat_id:
        raise bad_request("chat_id is empty")
    if not _CHAT.fullmatch(chat_id):
        raise bad_request("chat not found")
    if chat_id.startswith("@"):
        name = chat_id[1:]
        number = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:4])
        channel = {"type": "channel", "title": name, "username": name}
        return {"id": _SUPERGROUP_BASE - number, **channel}
    number = int(chat_id)
    if number > 0:
        return {"id": number, "type": "private", "first_name": f"Reader {number}"}
    type_ = "supergroup" if number <= _SUPERGROUP_BASE else "group"
    return {"id": number, "type": type_, "title": f"Group {number}"}


def sender_of(bot_id: int) -> dict[str, Any]:
    """The bot as a User."""
    return {
        "id": bot_id,
        "is_bot": True,
        "first_name": "Sandbox bot",
        "username": f"sandbox_{bot_id}_bot",
    }


def as_message(message: Received, replied: Received | None = None) -> dict[str, Any]:
    """A Message object; `replied` is the one that it answers."""
    content = dict(message.content)
    bot_id, pinned = content.pop("bot_id", 0), content.pop("pinned", False)
    person = content.pop("from_user", None)
    for own in ("reply_to", "silent"):
        content.pop(own, None)
    shown: dict[str, Any] = {"message_id": message.id, "date": int(message.at.timestamp())}
    shown |= {key: value for key, value in content.items() if value != []}
    if person:
        shown["from"] = person
    elif content["chat"]["type"] == "channel":
        shown["sender_chat"] = content["chat"]
    else:
        shown["from"] = sender_of(bot_id)
    if replied:
        shown["reply_to_message"] = as_message(replied)
    if pinned:
        shown["is_pinned"] = True
    return shown


def photo_sizes(picture: bytes, reference: str) -> list[dict[str, Any]]:
    """A list with one PhotoSize. Raises `Refusal` when the upload is no picture.

    Without an upload `reference` is a URL or a file id, which the sandbox does not fetch.
    """
    width, height = _dimensions(picture) if picture else (1280, 720)
    identity = hashlib.sha256(picture or reference.encode()).hexdigest()
    size: dict[str, Any] = {
        "file_id": identity,
        "file_unique_id": identity[:16],
        "width": width,
        "height": height,
    }
    return [size | {"file_size": len(picture)}] if picture else [size]


def _dimensions(picture: bytes) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(picture)) as image:
            warnings.simplefilter("error")
            return image.size
    except (UnidentifiedImageError, Image.DecompressionBombWarning, OSError) as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error
