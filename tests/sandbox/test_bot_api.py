"""The Bot API, reached by python-telegram-bot and by plain HTTP."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast

import httpx
import pytest
import requests
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Route
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter

from distributor.sandbox.bot_api import BotApi
from distributor.sandbox.faults import FaultBook
from distributor.sandbox.store import Store, open_database
from tests.sandbox.conftest import Client

T = TypeVar("T")


def with_bot(client: Client, use: Callable[[Bot], Awaitable[T]]) -> T:
    async def session() -> T:
        async with Bot("123:secret", base_url=f"{client.sandbox.base_url}/bot") as bot:
            return await use(bot)

    return asyncio.run(session())


@pytest.fixture(autouse=True)
def _timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-telegram-bot warns about the old kind of `retry_after` otherwise."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


async def posted_at_once(folder: Path, chats: list[str]) -> list[httpx.Response]:
    """One message to each of `chats`, sent to a Bot API whose clock stands still."""
    with closing(open_database(folder)) as connection:
        api = BotApi(Store(connection, folder), FaultBook(connection), clock=lambda: 0.0)
        app = Starlette(routes=[Route("/bot{token}/{method}", api.endpoint, methods=["POST"])])
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            bodies = [{"chat_id": chat, "text": "hello"} for chat in chats]
            return [await http.post("/bot1:x/sendMessage", json=body) for body in bodies]


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (320, 180), "#0b5fa5").save(stream, "PNG")
    return stream.getvalue()


def test_a_bot_learns_who_it_is(client: Client) -> None:
    me = with_bot(client, lambda bot: bot.get_me())
    assert (me.id, me.is_bot) == (123, True)


def test_a_chat_can_be_looked_up(client: Client) -> None:
    chat = with_bot(client, lambda bot: bot.get_chat("@daily_digest"))
    assert (chat.type, chat.username) == ("channel", "daily_digest")


def test_a_message_comes_back_as_readers_get_it(client: Client) -> None:
    message = with_bot(
        client,
        lambda bot: bot.send_message(
            42, '<b>要闻</b> <a href="https://example.org/1">第一条</a>', parse_mode="HTML"
        ),
    )
    assert message.text == "要闻 第一条"
    assert [(e.type, e.offset, e.length, e.url) for e in message.entities] == [
        ("bold", 0, 2, None),
        ("text_link", 3, 3, "https://example.org/1"),
    ]
    assert (message.chat.id, message.chat.type) == (42, "private")


def test_everything_python_telegram_bot_sends_along_is_understood(client: Client) -> None:
    button = InlineKeyboardButton("网页版", url="https://example.org/")
    message = with_bot(
        client,
        lambda bot: bot.send_message(
            "@daily_digest",
            "hello",
            entities=[MessageEntity("bold", 0, 5)],
            disable_notification=True,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_markup=InlineKeyboardMarkup([[button]]),
        ),
    )
    assert [e.type for e in message.entities] == ["bold"]
    assert message.reply_markup is not None
    assert message.reply_markup.inline_keyboard[0][0].url == "https://example.org/"


def test_a_part_replies_to_the_part_before(client: Client) -> None:
    async def thread(bot: Bot) -> int:
        first = await bot.send_message(42, "1/2")
        second = await bot.send_message(
            42, "2/2", reply_parameters=ReplyParameters(first.message_id)
        )
        assert second.reply_to_message is not None
        return second.reply_to_message.message_id - first.message_id

    assert with_bot(client, thread) == 0


def test_a_reply_to_nothing_is_refused(client: Client) -> None:
    reply = client.say("hello", reply_parameters={"message_id": 99})
    assert reply.json()["description"] == "Bad Request: message to be replied not found"


def test_a_reply_to_nothing_may_be_sent_all_the_same(client: Client) -> None:
    parameters = {"message_id": 99, "allow_sending_without_reply": True}
    assert client.say("hello", reply_parameters=parameters).ok


def test_a_message_can_be_corrected_and_deleted(client: Client) -> None:
    async def correct(bot: Bot) -> None:
        sent = await bot.send_message(42, "Tpyo")
        edited = await bot.edit_message_text("Typo", 42, sent.message_id)
        assert getattr(edited, "text", None) == "Typo"
        with pytest.raises(BadRequest, match="not modified"):
            await bot.edit_message_text("Typo", 42, sent.message_id)
        await bot.delete_message(42, sent.message_id)

    with_bot(client, correct)
    assert client.messages() == []


def test_a_photo_is_uploaded_and_kept(client: Client) -> None:
    message = with_bot(client, lambda bot: bot.send_photo(42, picture(), caption="封面"))
    assert (message.photo[0].width, message.photo[0].height) == (320, 180)
    assert message.caption == "封面"
    assert [path.read_bytes() for path in client.folder.rglob("*.img")] == [picture()]


def test_a_photo_that_is_none_is_refused(client: Client) -> None:
    with pytest.raises(BadRequest, match=r"(?i)image_process_failed"):
        with_bot(client, lambda bot: bot.send_photo(42, b"no picture"))


@pytest.mark.parametrize("way", ["json", "form", "query", "multipart"])
def test_parameters_are_taken_whatever_way_they_come(client: Client, way: str) -> None:
    url = f"{client.sandbox.base_url}/bot123:secret/SendMessage"
    values = {"chat_id": "42", "text": "hello", "entities": json.dumps([])}
    match way:
        case "json":
            reply = requests.post(url, json={"chat_id": 42, "text": "hello"}, timeout=10)
        case "form":
            reply = requests.post(url, data=values, timeout=10)
        case "query":
            reply = requests.get(url, params=values, timeout=10)
        case _:
            files = {name: (None, value) for name, value in values.items()}
            reply = requests.post(url, files=files, timeout=10)
    assert reply.json()["result"]["text"] == "hello"


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({"chat_id": 42, "text": ""}, "Bad Request: message text is empty"),
        ({"chat_id": 42, "text": " \n\u200b "}, "Bad Request: message text is empty"),
        ({"chat_id": 42, "text": "x" * 4097}, "Bad Request: message is too long"),
        ({"chat_id": "nobody", "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": "", "text": "x"}, "Bad Request: chat_id is empty"),
        (
            {"chat_id": 42, "text": "<p>x</p>", "parse_mode": "HTML"},
            'Bad Request: can\'t parse entities: Unsupported start tag "p" at byte offset 0',
        ),
        (
            {"chat_id": 42, "text": "1. x", "parse_mode": "MarkdownV2"},
            "Bad Request: can't parse entities: Character '.' is reserved and must be escaped"
            " with the preceding '\\'",
        ),
        ({"chat_id": 42, "text": "x", "parse_mode": "RTF"}, "Bad Request: unsupported parse_mode"),
    ],
)
def test_refuses_in_the_words_of_the_platform(
    client: Client, parameters: dict[str, object], description: str
) -> None:
    reply = client.bot("sendMessage", **parameters)
    assert reply.status_code == 400
    assert reply.json() == {"ok": False, "error_code": 400, "description": description}


def test_a_chat_can_be_made_absent(client: Client) -> None:
    text = "Bad Request: chat not found"
    client.fault(platform="telegram", match="@gone", kind="reject", code=400, text=text)
    with pytest.raises(BadRequest, match="Chat not found"):
        with_bot(client, lambda bot: bot.send_message("@gone_channel", "hello"))


def test_python_telegram_bot_sees_a_blocked_bot_as_forbidden(client: Client) -> None:
    text = "Forbidden: bot was blocked by the user"
    client.fault(platform="telegram", match="42 ", kind="reject", code=403, text=text)
    with pytest.raises(Forbidden):
        with_bot(client, lambda bot: bot.send_message(42, "hello"))


def test_a_token_that_is_none_is_unknown(client: Client) -> None:
    reply = requests.get(f"{client.sandbox.base_url}/botsecret/getMe", timeout=10)
    assert reply.json() == {"ok": False, "error_code": 404, "description": "Not Found"}


def test_a_revoked_token_is_invalid(client: Client) -> None:
    client.fault(platform="telegram", match="bot123", kind="reject", code=401, text="Unauthorized")
    with pytest.raises(InvalidToken):
        with_bot(client, lambda bot: bot.send_message(42, "hello"))


def test_python_telegram_bot_is_told_how_long_to_wait(client: Client) -> None:
    async def burst(bot: Bot) -> None:
        for number in range(3):
            await bot.send_message(42, str(number))
        with pytest.raises(RetryAfter) as refused:
            await bot.send_message(42, "3")
        assert timedelta(0) < cast(timedelta, refused.value.retry_after) <= timedelta(seconds=3)

    with_bot(client, burst)


@pytest.mark.parametrize(
    ("chats", "passed"),
    [
        (["42"] * 5, 3),
        ([str(chat) for chat in range(1, 41)], 30),
        (["@one_channel", "@two_channel"] * 4, 6),
    ],
    ids=["three at once for a chat", "thirty a second for a bot", "every chat by itself"],
)
def test_keeps_the_rates_of_the_platform(tmp_path: Path, chats: list[str], passed: int) -> None:
    replies = asyncio.run(posted_at_once(tmp_path, chats))
    assert [reply.status_code for reply in replies] == [200] * passed + [429] * (
        len(replies) - passed
    )
    assert all(r.json()["parameters"]["retry_after"] > 0 for r in replies[passed:])


def test_an_unknown_method_says_so(client: Client) -> None:
    reply = client.bot("sendTelepathy")
    assert (reply.status_code, reply.json()["description"]) == (404, "Not Found: method not found")


def test_no_token_is_kept(client: Client) -> None:
    client.say("hello")
    assert b"secret" not in b"".join(p.read_bytes() for p in client.folder.iterdir() if p.is_file())
