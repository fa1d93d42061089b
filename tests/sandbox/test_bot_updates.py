"""How bots learn in the sandbox what people do, and what it refuses them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
import requests

from tests.sandbox.conftest import Client
from tests.support.waiting import eventually


def call(client: Client, method: str, **parameters: Any) -> dict[str, Any]:
    url = f"{client.sandbox.base_url}/bot123:secret/{method}"
    answer: dict[str, Any] = requests.post(url, json=parameters, timeout=30).json()
    return answer


def person(client: Client, does: str, **what: Any) -> requests.Response:
    return requests.post(f"{client.sandbox.base_url}/control/telegram/{does}", json=what, timeout=5)


def updates(client: Client, offset: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(client, "getUpdates", offset=offset)["result"]
    return found


def test_what_people_write_waits_until_the_bot_has_confirmed_it(client: Client) -> None:
    person(client, "say", chat="42", text="/start abc")
    (first,) = updates(client)
    assert first["message"]["text"] == "/start abc"
    assert first["message"]["from"]["id"] == 42
    assert first["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert updates(client) == [first]
    assert updates(client, first["update_id"] + 1) == []


def test_a_poll_waits_for_what_comes(client: Client) -> None:
    call(client, "getMe")
    waiting = threading.Timer(0.1, lambda: person(client, "say", chat="42", text="hello"))
    waiting.start()
    (update,) = call(client, "getUpdates", timeout=20)["result"]
    waiting.join()
    assert update["message"]["text"] == "hello"


def test_a_second_poll_ends_the_first_one(client: Client) -> None:
    first: dict[str, Any] = {}
    poll = threading.Thread(target=lambda: first.update(call(client, "getUpdates", timeout=20)))
    poll.start()

    def ended() -> bool:
        updates(client)
        return bool(first)

    eventually(ended)
    poll.join()
    assert first["error_code"] == 409
    assert "terminated by other getUpdates" in first["description"]


def test_a_pressed_button_and_an_admission_are_told(client: Client) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}
    sent = call(client, "sendMessage", chat_id=42, text="Sure?", reply_markup=keyboard)["result"]
    assert person(client, "press", message=sent["message_id"], data="yes").ok
    person(client, "admit", chat="@daily_news", status="administrator")
    person(client, "admit", chat="-100200", status="kicked")
    query, admitted, kicked = updates(client)
    assert query["callback_query"]["data"] == "yes"
    assert query["callback_query"]["message"]["message_id"] == sent["message_id"]
    assert admitted["my_chat_member"]["new_chat_member"]["can_post_messages"] is True
    assert kicked["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert person(client, "press", message=999, data="yes").status_code == 400
    assert person(client, "say", chat="no chat", text="x").status_code == 400


@contextmanager
def hook(answers: list[int]) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A webhook that answers with these statuses, then 200; yields its address and its calls."""
    calls: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append((self.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), body))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_is_called_with_its_secret_until_it_takes_the_update(client: Client) -> None:
    with hook([500]) as (url, calls):
        assert call(client, "setWebhook", url=url, secret_token="s3cret")["ok"]
        assert call(client, "getUpdates")["error_code"] == 409
        person(client, "say", chat="42", text="hello")
        eventually(lambda: len(calls) == 2)
        eventually(lambda: not call(client, "getWebhookInfo")["result"]["pending_update_count"])
    assert [secret for secret, _ in calls] == ["s3cret", "s3cret"]
    assert calls[0][1] == calls[1][1]
    call(client, "deleteWebhook")
    assert updates(client) == []


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ({"text": "Go", "url": "http://localhost:8080/"}, "Wrong HTTP URL"),
        ({"text": "Go", "callback_data": "x" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "Go"}, "Text buttons are unallowed"),
        ({"text": " ", "callback_data": "x"}, "must be non-empty"),
    ],
)
def test_a_button_that_telegram_would_refuse_is_refused(
    client: Client, button: dict[str, str], words: str
) -> None:
    markup = {"inline_keyboard": [[button]]}
    answer = call(client, "sendMessage", chat_id=42, text="x", reply_markup=markup)
    assert answer["error_code"] == 400
    assert words in answer["description"]


def test_only_what_is_pinned_can_be_unpinned(client: Client) -> None:
    message = call(client, "sendMessage", chat_id="@news", text="x")["result"]["message_id"]
    assert not call(client, "unpinChatMessage", chat_id="@news", message_id=message)["ok"]
    assert call(client, "pinChatMessage", chat_id="@news", message_id=message)["ok"]
    assert call(client, "unpinChatMessage", chat_id="@news", message_id=message)["ok"]


def test_a_topic_is_one_of_a_group(client: Client) -> None:
    sent = call(client, "sendMessage", chat_id=-1001234567890, text="x", message_thread_id=7)
    assert sent["result"]["message_thread_id"] == 7
    refused = call(client, "sendMessage", chat_id=42, text="x", message_thread_id=7)
    assert "message thread not found" in refused["description"]


def test_what_a_person_wrote_cannot_be_edited_by_a_bot(client: Client) -> None:
    person(client, "say", chat="42", text="hello")
    (update,) = updates(client)
    wanted = update["message"]["message_id"]
    answer = call(client, "editMessageText", chat_id=42, message_id=wanted, text="x")
    assert "message can't be edited" in answer["description"]


def test_the_page_shows_the_conversation_and_lets_people_answer(client: Client) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}
    call(client, "sendMessage", chat_id=42, text="Sure?", reply_markup=keyboard)
    url = f"{client.sandbox.base_url}/control/telegram/say"
    answer = requests.post(url, data={"chat": "42", "text": "of course"}, timeout=5)
    assert answer.url.endswith("/telegram?chat=42")
    assert "of course" in answer.text
    assert 'name="data" value="yes"' in answer.text
