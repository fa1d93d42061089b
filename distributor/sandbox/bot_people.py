"""People in the sandbox: what they write to a bot, press, and where they let it in."""

from __future__ import annotations

import secrets
import time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from distributor.sandbox.bot_messages import as_message, chat_of, sender_of
from distributor.sandbox.bot_updates import Updates
from distributor.sandbox.store import Incoming, Platform, Store
from distributor.sandbox.telegram_rules import Refusal


class Saying(BaseModel):
    """Somebody writes in a chat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chat: str = Field(min_length=1)
    text: str = Field(min_length=1, max_length=4096)
    #: Who writes; in a private chat it is the chat's id.
    user: int | None = None
    language: str = "zh-hans"


class Press(BaseModel):
    """Somebody presses a button below a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: int
    data: str = Field(min_length=1)
    user: int | None = None
    language: str = "zh-hans"


class Admission(BaseModel):
    """A bot is let into a chat, or thrown out: `administrator`, `member`, `left`, `kicked`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chat: str = Field(min_length=1)
    status: str
    user: int = 1
    bot: int = 1


class People:
    """Everything below `/control/telegram/`, and the forms of the Telegram page."""

    def __init__(self, store: Store, updates: Updates) -> None:
        self._store = store
        self._updates = updates

    def routes(self) -> list[BaseRoute]:
        """The routes to mount."""
        return [
            Route("/control/telegram/say", self.say, methods=["POST"]),
            Route("/control/telegram/press", self.press, methods=["POST"]),
            Route("/control/telegram/admit", self.admit, methods=["POST"]),
        ]

    async def say(self, request: Request) -> Response:
        """A person's message, kept in the chat and told to the bots."""
        return await self._act(request, Saying, self._say)

    async def press(self, request: Request) -> Response:
        """A pressed button, told to the bots."""
        return await self._act(request, Press, self._press)

    async def admit(self, request: Request) -> Response:
        """A change of the bot's own standing in a chat."""
        return await self._act(request, Admission, self._admit)

    async def _act(self, request: Request, kind: type[BaseModel], act: Any) -> Response:
        """Take JSON, or a form of the page, which goes back to its chat."""
        is_form = not request.headers.get("content-type", "").startswith("application/json")
        try:
            if is_form:
                async with request.form() as form:
                    wish = kind.model_validate({key: form[key] for key in form})
            else:
                wish = kind.model_validate_json(await request.body())
            chat = act(wish)
        except (ValidationError, Refusal) as error:
            return JSONResponse({"error": str(error)}, 400)
        if is_form:
            return RedirectResponse(f"/telegram?chat={chat}", 303)
        return JSONResponse({"chat": chat})

    def _say(self, wish: Saying) -> str:
        chat = chat_of(wish.chat)
        person = _person(wish.user or chat["id"], wish.language)
        content: dict[str, Any] = {"chat": chat, "from_user": person, "text": wish.text}
        if wish.text.startswith("/"):
            length = len(wish.text.split()[0])
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        incoming = Incoming(Platform.TELEGRAM, wish.chat, wish.text[:80], content)
        (id_,) = self._store.add([incoming])
        message = self._store.get(Platform.TELEGRAM, id_)
        assert message is not None  # noqa: S101 - just added
        self._updates.add("message", as_message(message))
        return wish.chat

    def _press(self, wish: Press) -> str:
        message = self._store.get(Platform.TELEGRAM, wish.message)
        if message is None:
            raise Refusal(400, "there is no such message")
        chat = message.content["chat"]
        query = {
            "id": secrets.token_hex(8),
            "from": _person(wish.user or chat["id"], wish.language),
            "message": as_message(message),
            "chat_instance": str(chat["id"]),
            "data": wish.data,
        }
        self._updates.add("callback_query", query)
        return message.address

    def _admit(self, wish: Admission) -> str:
        is_in = wish.status in ("administrator", "member")
        before = "left" if is_in else "member"
        member = {
            "chat": chat_of(wish.chat),
            "from": _person(wish.user, "zh-hans"),
            "date": int(time.time()),
            "old_chat_member": _member(wish.bot, before),
            "new_chat_member": _member(wish.bot, wish.status),
        }
        self._updates.add("my_chat_member", member)
        return wish.chat


def _person(id_: int, language: str) -> dict[str, Any]:
    number = abs(id_)
    return {
        "id": number,
        "is_bot": False,
        "first_name": f"Reader {number}",
        "language_code": language,
    }


def _member(bot_id: int, status: str) -> dict[str, Any]:
    """A ChatMember; an administrator may do what a bot that posts needs."""
    member: dict[str, Any] = {"user": sender_of(bot_id), "status": status}
    if status == "administrator":
        member |= dict.fromkeys(_RIGHTS, True) | {"is_anonymous": False}
    if status == "kicked":
        member["until_date"] = 0
    return member


_RIGHTS = (
    "can_be_edited",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_messages",
    "can_edit_messages",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
