"""The Bot API over HTTP: https://core.telegram.org/bots/api as far as a newsletter uses it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from distributor.sandbox.bot_calls import Call, read_call
from distributor.sandbox.bot_content import (
    caption_content,
    formatted_of,
    options_of,
    summary_of,
    text_content,
)
from distributor.sandbox.bot_edits import Edits
from distributor.sandbox.bot_keyboards import check_keyboard
from distributor.sandbox.bot_messages import chat_of, photo_sizes, sender_of
from distributor.sandbox.bot_updates import Updates
from distributor.sandbox.faults import Fault, FaultBook
from distributor.sandbox.http_faults import respond
from distributor.sandbox.rates import SlidingWindow, first_wait
from distributor.sandbox.store import Incoming, Platform, Received, Store
from distributor.sandbox.telegram_rules import (
    CAPTION_LIMIT,
    TEXT_LIMIT,
    FormattedText,
    Refusal,
    bad_request,
    is_empty,
)

_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]+")
_HTTP_CODES = frozenset(HTTPStatus)
#: Users who own every group here.
_OWNERS = (1,)


class BotApi:
    """Answers `/bot<token>/<method>` for every bot that asks."""

    def __init__(
        self,
        store: Store,
        faults: FaultBook,
        clock: Callable[[], float] = time.monotonic,
        *,
        has_limits: bool = True,
    ) -> None:
        """`has_limits`: whether too many messages are refused, as at Telegram's own server."""
        self._store = store
        self._faults = faults
        self._has_limits = has_limits
        self.updates = Updates()
        #: Pictures that were uploaded, by their ids.
        self._photos: dict[str, bytes] = {}
        # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this; a chat
        # takes a short burst above one message a second.
        self._per_bot = SlidingWindow(30, 1, clock)
        self._per_chat = SlidingWindow(3, 3, clock)
        self._per_group = SlidingWindow(20, 60, clock)
        self._edits = Edits(store, self._limit_rate)
        self._methods: dict[str, Callable[[Call], object]] = {
            "getme": self._get_me,
            "getchat": self._get_chat,
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "editmessagetext": self._edits.edit_message_text,
            "editmessagecaption": self._edits.edit_message_caption,
            "deletemessage": self._edits.delete_message,
            "pinchatmessage": self._edits.pin_chat_message,
            "unpinchatmessage": self._edits.unpin_chat_message,
            "getchatmember": self._get_chat_member,
            "answercallbackquery": lambda _call: True,
            "setmycommands": lambda _call: True,
            "setwebhook": self.updates.set_webhook,
            "deletewebhook": self.updates.delete_webhook,
            "getwebhookinfo": self.updates.webhook_info,
        }

    async def endpoint(self, request: Request) -> Response:
        """Answer one call in the Bot API's form."""
        token = request.path_params["token"]
        if not _TOKEN.fullmatch(token):
            return self._refuse(Refusal(404, "Not Found"))
        try:
            call = await read_call(request, int(token.partition(":")[0]))
            self.updates.inbox(call.bot_id)
            name = request.path_params["method"].lower()
            if name == "getupdates":
                return JSONResponse({"ok": True, "result": await self.updates.get(call)})
        except Refusal as refusal:
            return self._refuse(refusal)
        method = self._methods.get(name)
        if method is None:
            return self._refuse(Refusal(404, "Not Found: method not found"))
        target = f"{call.text('chat_id')} bot{call.bot_id}".strip()
        verdict = self._faults.decide(Platform.TELEGRAM, target, call.digest())
        return await respond(verdict, lambda: self._accept(method, call), self._strike)

    def _accept(self, method: Callable[[Call], object], call: Call) -> Response:
        try:
            return JSONResponse({"ok": True, "result": method(call)})
        except Refusal as refusal:
            return self._refuse(refusal)

    def _strike(self, fault: Fault) -> Response:
        if fault.names_a_wait:
            refusal = _too_many(fault.retry_after)
            return self._refuse(Refusal(429, fault.text or refusal.description, fault.retry_after))
        code = fault.code or HTTPStatus.BAD_REQUEST
        return self._refuse(Refusal(code, fault.text or _phrase(code)))

    def _refuse(self, refusal: Refusal) -> Response:
        self._store.refused(Platform.TELEGRAM, f"{refusal.code} {refusal.description}"[:120])
        body: dict[str, object] = {
            "ok": False,
            "error_code": refusal.code,
            "description": refusal.description,
        }
        if refusal.retry_after is not None:
            body["parameters"] = {"retry_after": refusal.retry_after}
        return JSONResponse(body, refusal.code if 400 <= refusal.code <= 599 else 400)  # noqa: PLR2004

    def _get_me(self, call: Call) -> object:
        abilities = {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        return sender_of(call.bot_id) | abilities

    def _get_chat(self, call: Call) -> object:
        return chat_of(call.text("chat_id")) | {"accent_color_id": 0, "max_reaction_count": 11}

    def _send_message(self, call: Call) -> object:
        chat = chat_of(call.text("chat_id"))
        if not call.text("text"):
            raise bad_request("message text is empty")
        formatted = formatted_of(call, "text", "entities", TEXT_LIMIT)
        if is_empty(formatted.text):
            raise bad_request("message text is empty")
        content = text_content(formatted)
        return self._post(call, chat, content, formatted)

    def _send_photo(self, call: Call) -> object:
        chat = chat_of(call.text("chat_id"))
        formatted = formatted_of(call, "caption", "caption_entities", CAPTION_LIMIT)
        photo = call.text("photo")
        picture = call.uploads.get(photo.removeprefix("attach://") if photo else "photo", b"")
        if not picture and not photo:
            raise bad_request("there is no photo in the request")
        picture = picture or self._photos.get(photo, b"")
        sizes = photo_sizes(picture, photo)
        if picture:
            self._photos[sizes[-1]["file_id"]] = picture
        content = {
            "photo": sizes,
            **caption_content(formatted),
        }
        return self._post(call, chat, content, formatted, picture)

    def _get_chat_member(self, call: Call) -> object:
        """Everybody is a plain member, and in a private chat whoever it is with."""
        chat_of(call.text("chat_id"))
        user = {"id": call.number("user_id"), "is_bot": False, "first_name": "Reader"}
        is_owner = call.number("user_id") in _OWNERS
        return {"user": user, "status": "creator" if is_owner else "member", "is_anonymous": False}

    def _post(
        self,
        call: Call,
        chat: dict[str, Any],
        content: dict[str, Any],
        formatted: FormattedText,
        picture: bytes = b"",
    ) -> object:
        check_keyboard(call.json("reply_markup"))
        topic = _topic(call, chat)
        replied = self._replied_to(call, chat)
        self._limit_rate(call, chat)
        whole = {"bot_id": call.bot_id, "chat": chat, **content, **options_of(call), **topic}
        if call.is_set("disable_notification"):
            whole["silent"] = True
        if replied:
            whole["reply_to"] = replied.id
        incoming = Incoming(
            Platform.TELEGRAM,
            call.text("chat_id"),
            summary_of(formatted.text),
            whole,
            warnings=formatted.warnings,
        )
        (id_,) = self._store.add([incoming], picture)
        return self._edits.shown(id_)

    def _replied_to(self, call: Call, chat: dict[str, Any]) -> Received | None:
        reply = call.json("reply_parameters") or {}
        wanted = int(reply.get("message_id") or call.number("reply_to_message_id"))
        if not wanted:
            return None
        try:
            return self._edits.find(chat, wanted, "message to be replied not found")
        except Refusal:
            if reply.get("allow_sending_without_reply"):
                return None
            raise

    def _limit_rate(self, call: Call, chat: dict[str, Any]) -> None:
        if not self._has_limits:
            return
        key = f"{call.bot_id} {chat['id']}"
        windows = [(self._per_bot, str(call.bot_id)), (self._per_chat, key)]
        if call.text("chat_id").startswith("-"):
            windows.append((self._per_group, key))
        wait = first_wait(windows)
        if wait:
            raise _too_many(wait)


def _topic(call: Call, chat: dict[str, Any]) -> dict[str, Any]:
    """The topic of a forum that a message goes to; every supergroup is a forum here."""
    thread = call.number("message_thread_id")
    if not thread:
        return {}
    if chat["type"] != "supergroup":
        raise bad_request("message thread not found")
    return {"message_thread_id": thread, "is_topic_message": True}


def _phrase(code: int) -> str:
    """What the Bot API says with a code when it says no more: the words of HTTP."""
    return HTTPStatus(code).phrase if code in _HTTP_CODES else "Bad Request"


def _too_many(retry_after: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after)
