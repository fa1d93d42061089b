"""The bot as it runs: people write in the sandbox's chats, and read what comes back."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from channels.telegram.account import TelegramAccount
from distributor.bot import webhook
from distributor.bot.service import BotService
from distributor.operations.errors import OperationError
from tests.bot.conftest import OPERATOR
from tests.support.service import Service, edition
from tests.support.waiting import eventually


@contextmanager
def listening(shop: Service, account: TelegramAccount) -> Iterator[None]:
    """The bot in a thread, stopped at the end of the block."""
    loops: list[asyncio.AbstractEventLoop] = []
    stops: list[asyncio.Event] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        stops.append(asyncio.Event())
        await BotService(shop.context, shop.hints, account).serve(stops[0])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        # Its first call makes it known to the sandbox, which keeps updates for it from then on.
        eventually(lambda: stops)
        eventually(lambda: known(account))
        yield
    finally:
        loops[0].call_soon_threadsafe(stops[0].set)
        thread.join(30)
    assert not thread.is_alive()


def known(account: TelegramAccount) -> bool:
    """Whether the bot listens the way that it is told to."""
    token = account.token.get_secret_value()
    info = requests.post(f"{account.base_url}{token}/getWebhookInfo", timeout=5).json()["result"]
    return bool(info["url"] == account.webhook_url)


def texts(shop: Service, chat: str) -> list[str]:
    """What the bot wrote in a chat."""
    return [
        str(message["text"])
        for message in shop.platforms.received("telegram")
        if message["address"] == chat and "bot_id" in message["body"]
    ]


def test_a_person_subscribes_reads_chooses_and_leaves(
    shop: Service, account: TelegramAccount
) -> None:
    shop.deliver(shop.start_and_plan(edition(items=3), to="daily"))
    with listening(shop, account):
        shop.platforms.person("say", chat="42", text="/start")
        eventually(lambda: len(texts(shop, "42")) == 1)
        shop.platforms.person("say", chat="42", text="/latest")
        eventually(lambda: len(texts(shop, "42")) == 2)
        shop.platforms.person("say", chat="42", text="/settings")
        eventually(lambda: len(texts(shop, "42")) == 3)
        settings = shop.platforms.received("telegram")[-1]
        shop.platforms.person("press", message=settings["id"], data="language:en")
        eventually(lambda: "Press to change" in texts(shop, "42")[-1])
        shop.platforms.person("say", chat="42", text="/stop")
        eventually(lambda: len(texts(shop, "42")) == 4)
    first, latest, _, last = texts(shop, "42")
    assert first.startswith("已订阅：daily。")
    assert "第 1 件事" in latest
    assert last.startswith("Unsubscribed from daily")


def test_telegram_calls_the_bot_and_nobody_else_can(
    shop: Service, account: TelegramAccount
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    called = account.model_copy(
        update={"webhook_url": f"http://{place}/telegram", "webhook_listen": place}
    )
    with listening(shop, called):
        shop.platforms.person("admit", chat="-100777", status="administrator", user=1)
        eventually(lambda: texts(shop, "-100777"))
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guessed"}):
            answer = requests.post(f"http://{place}/telegram", json={}, headers=headers, timeout=5)
            assert answer.status_code == 401
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret_of(called)}
        answer = requests.post(f"http://{place}/", data=b"[1]", headers=headers, timeout=5)
        assert answer.status_code == 400
    assert "daily" in texts(shop, "-100777")[0]


def test_an_operator_is_asked_about_a_draft(shop: Service, account: TelegramAccount) -> None:
    send_id = shop.start(to="daily", draft=True)
    with listening(shop, account):
        eventually(lambda: texts(shop, str(OPERATOR)))
        question = shop.platforms.received("telegram")[-1]
        shop.platforms.person("press", message=question["id"], data=f"approve:{send_id}")
        eventually(lambda: shop.hints.prepared == [send_id])


def test_in_a_group_the_bot_asks_telegram_who_decides(
    shop: Service, account: TelegramAccount
) -> None:
    with listening(shop, account):
        shop.platforms.person("say", chat="-100777", text="/start", user=5, language="en")
        eventually(lambda: texts(shop, "-100777"))
        shop.platforms.person("say", chat="-100777", text="/start", user=1, language="en")
        eventually(lambda: len(texts(shop, "-100777")) == 2)
    refused, welcome = texts(shop, "-100777")
    assert refused == "In a group only administrators can do that."
    assert "daily" in welcome


def test_a_bot_whose_token_is_refused_says_what_to_do(
    shop: Service, account: TelegramAccount
) -> None:
    shop.platforms.misbehave("telegram", "reject", code=401, text="Unauthorized")
    service = BotService(shop.context, shop.hints, account)
    with pytest.raises(OperationError, match="@BotFather"):
        asyncio.run(service.serve(asyncio.Event()))
