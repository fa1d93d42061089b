from __future__ import annotations

import json
import logging
import multiprocessing
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError

from channels.base import AccountUnreachable, Connection, Fault, Outcome, Part, Recipient, Verdict
from channels.telegram import CHANNEL
from channels.telegram.account import TelegramAccount
from tests.channels.telegram.bot_api import Answer, BotApi, error, hang_up, reply
from tests.channels.telegram.editions import edition, item, paragraph, rendered

TOKEN = "123456:AAsecretsecretsecret"
RECIPIENT = Recipient("-1001", identity="send-1")


@pytest.fixture
def api() -> Iterator[BotApi]:
    server = BotApi()
    yield server
    server.close()


@pytest.fixture
def account(api: BotApi) -> TelegramAccount:
    return bot(api.base_url)


@pytest.fixture
def connection(account: TelegramAccount) -> Iterator[Connection]:
    opened = CHANNEL.connect(account)
    yield opened
    opened.close()


SECRET_HALF = TOKEN.partition(":")[2]


def bot(base_url: str, token: str = TOKEN, read_timeout_seconds: float = 30) -> TelegramAccount:
    return TelegramAccount(
        name="news",
        channel="telegram",
        token=SecretStr(token),
        base_url=base_url,
        read_timeout_seconds=read_timeout_seconds,
    )


def parts() -> tuple[Part, ...]:
    long = (paragraph("这是一句话。" * 1000),)
    return rendered(edition((item(1, body=long),))).parts


PART = rendered(edition((item(1),))).parts[0]


def test_a_post_is_sent_as_it_was_rendered(api: BotApi, connection: Connection) -> None:
    outcome = connection.deliver(PART, RECIPIENT)
    assert outcome == Outcome(Verdict.SENT, "ok", "message 1 in chat -1001", message_id="1")
    ((path, sent),) = api.calls
    assert path.endswith("/sendMessage")
    assert sent == {
        "chat_id": "-1001",
        "text": PART.payload["text"],
        "parse_mode": "HTML",
        "link_preview_options": '{"is_disabled": true}',
    }


def test_the_buttons_of_a_post_are_sent(api: BotApi, connection: Connection) -> None:
    given = edition((item(1),), web_url="https://digest.example.com/e/1")
    connection.deliver(rendered(given, buttons=True).parts[0], RECIPIENT)
    assert json.loads(api.calls[0][1]["reply_markup"]) == {
        "inline_keyboard": [[{"text": "网页版", "url": "https://digest.example.com/e/1"}]]
    }


def test_a_preview_is_asked_for_as_it_was_rendered(api: BotApi, connection: Connection) -> None:
    connection.deliver(rendered(edition((item(1),)), preview=True).parts[0], RECIPIENT)
    assert json.loads(api.calls[0][1]["link_preview_options"]) == {
        "url": "https://digest.example.com/e/1",
        "prefer_large_media": True,
        "show_above_text": True,
    }


def test_posts_go_to_the_topic_that_a_subscriber_names(api: BotApi, connection: Connection) -> None:
    connection.deliver(PART, Recipient("-1001", "send-1", attributes={"thread": "42"}))
    assert api.calls[0][1]["message_thread_id"] == "42"


def test_within_silent_hours_a_post_makes_no_sound(api: BotApi) -> None:
    now = datetime.now(UTC)
    hours = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    quiet = bot(api.base_url).model_copy(update={"silent_hours": hours, "time_zone": "UTC"})
    connection = CHANNEL.connect(quiet)
    connection.deliver(PART, RECIPIENT)
    # Two zones on, it is an hour past them at the least.
    awake = {"time_zone": "Etc/GMT-6"}
    connection.deliver(PART, Recipient("-1001", "send-1", attributes=awake))
    connection.deliver(PART, Recipient("-1001", "send-1", attributes={"silent_hours": ""}))
    connection.close()
    silent = [call[1].get("disable_notification") for call in api.calls]
    assert silent == ["true", None, None]


def test_an_attribute_that_cannot_be_read_fails_its_subscriber_alone(
    api: BotApi, connection: Connection
) -> None:
    outcome = connection.deliver(PART, Recipient("-1001", "s", attributes={"thread": "first"}))
    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.RECIPIENT)
    assert "thread='first'" in outcome.reply
    assert api.calls == []


def test_the_last_part_pins_the_first_and_unpins_the_post_before(api: BotApi) -> None:
    pinning = bot(api.base_url).model_copy(update={"pin": True})
    given = edition((item(1, body=(paragraph("这是一句话。" * 1000),)),))
    connection, accepted = CHANNEL.connect(pinning), ("7",)
    (_, last) = rendered(given, pin=True).parts
    to = Recipient("-1001", "send-1", accepted=accepted, previous=("3", "4"))
    outcome = connection.deliver(last, to)
    connection.close()
    assert outcome.reply.endswith("; pinned")
    done = [(path.rsplit("/", 1)[-1], call.get("message_id")) for path, call in api.calls]
    assert done == [("sendMessage", None), ("pinChatMessage", "7"), ("unpinChatMessage", "3")]
    assert api.calls[1][1]["disable_notification"] == "true"


def test_a_post_that_cannot_be_pinned_is_sent_all_the_same(api: BotApi) -> None:
    connection = CHANNEL.connect(bot(api.base_url).model_copy(update={"pin": True}))
    api.answers += [api.accept, error(400, "Bad Request: not enough rights to manage pinned")]
    outcome = connection.deliver(rendered(edition((item(1),)), pin=True).parts[0], RECIPIENT)
    connection.close()
    assert outcome.verdict is Verdict.SENT
    assert "not pinned" in outcome.reply


def test_who_wants_nothing_pinned_gets_nothing_pinned(api: BotApi) -> None:
    connection = CHANNEL.connect(bot(api.base_url).model_copy(update={"pin": True}))
    part = rendered(edition((item(1),)), pin=True).parts[0]
    connection.deliver(part, Recipient("-1001", "send-1", attributes={"pin": "no"}))
    connection.close()
    assert len(api.calls) == 1


def test_each_next_part_replies_to_the_one_before_without_a_sound(
    api: BotApi, connection: Connection
) -> None:
    accepted: tuple[str, ...] = ()
    for part in parts():
        outcome = connection.deliver(part, Recipient("-1001", "send-1", accepted=accepted))
        accepted += (str(outcome.message_id),)
    assert "reply_parameters" not in api.calls[0][1]
    assert "disable_notification" not in api.calls[0][1]
    assert api.calls[1][1]["disable_notification"] == "true"
    assert json.loads(api.calls[1][1]["reply_parameters"]) == {
        "message_id": 1,
        "allow_sending_without_reply": True,
    }


@pytest.mark.parametrize(
    ("answer", "verdict", "code", "fault", "suppress"),
    [
        (
            error(403, "Forbidden: bot was blocked by the user"),
            Verdict.FAILED,
            "tg-403-blocked",
            Fault.RECIPIENT,
            "blocked",
        ),
        (
            error(400, "Bad Request: chat not found"),
            Verdict.FAILED,
            "tg-400-chat-not-found",
            Fault.RECIPIENT,
            "chat-not-found",
        ),
        (
            error(400, "Bad Request: message thread not found"),
            Verdict.FAILED,
            "tg-400-thread-not-found",
            Fault.RECIPIENT,
            None,
        ),
        (
            error(400, "Bad Request: not enough rights to send text messages to the chat"),
            Verdict.FAILED,
            "tg-400-no-rights",
            Fault.RECIPIENT,
            None,
        ),
        (
            error(400, "Bad Request: message is too long"),
            Verdict.FAILED,
            "tg-400",
            Fault.CONTENT,
            None,
        ),
        (error(413, "Request Entity Too Large"), Verdict.FAILED, "tg-413", Fault.CONTENT, None),
        (error(401, "Unauthorized"), Verdict.RETRYING, "tg-401", Fault.ACCOUNT, None),
        (error(404, "Not Found"), Verdict.RETRYING, "tg-401", Fault.ACCOUNT, None),
        (error(429, "Too Many Requests"), Verdict.RETRYING, "tg-429", Fault.PROVIDER, None),
        (error(500, "Internal Server Error"), Verdict.UNKNOWN, "tg-5xx", Fault.PROVIDER, None),
        (reply(502, "<h1>Bad"), Verdict.UNKNOWN, "tg-5xx", Fault.PROVIDER, None),
        (hang_up, Verdict.UNKNOWN, "tg-connection-lost", Fault.PROVIDER, None),
        (
            reply(200, {"ok": True, "result": {"odd": 1}}),
            Verdict.UNKNOWN,
            "tg-unreadable-reply",
            Fault.PROVIDER,
            None,
        ),
        (
            reply(200, {"ok": True}),
            Verdict.UNKNOWN,
            "tg-unreadable-reply",
            Fault.PROVIDER,
            None,
        ),
    ],
)
def test_an_error_says_what_became_of_the_post(
    api: BotApi,
    connection: Connection,
    answer: Answer,
    verdict: Verdict,
    code: str,
    fault: Fault,
    suppress: str | None,
) -> None:
    api.answers.append(answer)
    outcome = connection.deliver(PART, RECIPIENT)
    assert (outcome.verdict, outcome.code, outcome.fault, outcome.suppress) == (
        verdict,
        code,
        fault,
        suppress,
    )
    assert outcome.reply
    assert len(outcome.reply) <= 500
    assert outcome.message_id is None


def test_an_unreadable_answer_leaves_the_fate_unknown(
    api: BotApi, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    api.answers.append(reply(200, "not json"))
    outcome = connection.deliver(PART, RECIPIENT)
    assert (outcome.verdict, outcome.code) == (Verdict.UNKNOWN, "tg-unreadable-reply")


def test_too_many_requests_wait_as_long_as_telegram_asks(
    api: BotApi, connection: Connection
) -> None:
    api.answers.append(error(429, "Too Many Requests: retry after 17", retry_after=17))
    outcome = connection.deliver(PART, RECIPIENT)
    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "tg-429")
    assert outcome.retry_after == 17


def test_a_group_that_became_a_supergroup_is_followed_at_once(
    api: BotApi, connection: Connection
) -> None:
    api.answers.append(error(400, "Bad Request: upgraded", migrate_to_chat_id=-100555))
    outcome = connection.deliver(PART, RECIPIENT)
    assert (outcome.verdict, outcome.moved_to) == (Verdict.RETRYING, "-100555")
    assert outcome.retry_after == 0


def test_silence_leaves_the_fate_unknown(api: BotApi) -> None:
    connection = CHANNEL.connect(bot(api.base_url, read_timeout_seconds=0.1))
    api.answers.append(api.silence)
    outcome = connection.deliver(PART, RECIPIENT)
    connection.close()
    assert (outcome.verdict, outcome.code) == (Verdict.UNKNOWN, "tg-timeout")


def test_a_closed_door_is_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        connection = CHANNEL.connect(bot(f"http://127.0.0.1:{unused.getsockname()[1]}/bot"))
        outcome = connection.deliver(PART, RECIPIENT)
        connection.close()
    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "tg-connect")
    assert outcome.fault is Fault.PROVIDER


def test_delivery_goes_on_after_the_connection_was_lost(
    api: BotApi, connection: Connection
) -> None:
    api.answers.append(hang_up)
    verdicts = [connection.deliver(PART, RECIPIENT).verdict for _ in range(2)]
    assert verdicts == [Verdict.UNKNOWN, Verdict.SENT]


def test_threads_with_connections_of_their_own_share_one_bot(
    api: BotApi, account: TelegramAccount
) -> None:
    def deliver(_: int) -> Outcome:
        connection = connections.pop()
        try:
            return [connection.deliver(PART, RECIPIENT) for _ in range(5)][-1]
        finally:
            connection.close()

    connections = [CHANNEL.connect(account) for _ in range(account.connections)]
    with ThreadPoolExecutor(account.connections) as pool:
        outcomes = list(pool.map(deliver, range(account.connections)))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert len(api.calls) == 5 * account.connections


def test_an_open_connection_is_used_again(api: BotApi, connection: Connection) -> None:
    for _ in range(3):
        connection.deliver(PART, RECIPIENT)
    assert len(api.peers) == 1


def test_closing_twice_is_harmless_and_delivery_opens_again(
    api: BotApi, connection: Connection
) -> None:
    connection.deliver(PART, RECIPIENT)
    connection.close()
    connection.close()
    assert connection.deliver(PART, RECIPIENT).verdict is Verdict.SENT


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_worker_delivers_over_a_loop_of_its_own(
    api: BotApi, connection: Connection
) -> None:
    connection.deliver(PART, RECIPIENT)
    context = multiprocessing.get_context("fork")
    replies = context.SimpleQueue()

    def work() -> None:
        replies.put(str(connection.deliver(PART, RECIPIENT).verdict))

    child = context.Process(target=work)
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert replies.get() == "sent"
    replies.close()
    child.close()


@pytest.mark.parametrize(
    "answer",
    [
        error(401, f"Unauthorized {TOKEN}"),
        error(400, f"Bad Request /bot{TOKEN}/x"),
        error(400, f"Invalid port: '{SECRET_HALF}'"),
        hang_up,
    ],
)
def test_the_token_is_in_no_reply_and_no_log(
    api: BotApi, connection: Connection, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    caplog.set_level(logging.INFO)
    api.answers.append(answer)
    assert SECRET_HALF not in repr(connection.deliver(PART, RECIPIENT))
    assert SECRET_HALF not in caplog.text


def test_the_check_names_the_bot(api: BotApi, account: TelegramAccount) -> None:
    assert CHANNEL.check(account) == "Telegram answered as @b (bot 7)"
    assert [path.rsplit("/", 1)[-1] for path, _ in api.calls] == ["getMe"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(401, "Unauthorized"), "refuses the token of account 'news'.*@BotFather"),
        (hang_up, "did not answer account 'news'.*check the network"),
        (reply(200, {"ok": True, "result": {}}), "did not answer account 'news'"),
    ],
)
def test_a_failed_check_says_what_to_do(
    api: BotApi, account: TelegramAccount, answer: Answer, words: str
) -> None:
    api.answers.append(answer)
    with pytest.raises(AccountUnreachable, match=words) as raised:
        CHANNEL.check(account)
    assert TOKEN not in str(raised.value)


def test_a_check_that_reaches_nobody_says_so_in_plain_words() -> None:
    with pytest.raises(AccountUnreachable, match=r"http://127\.0\.0\.1:1/bot: no connection;"):
        CHANNEL.check(bot("http://127.0.0.1:1/bot"))


def test_an_account_needs_a_token() -> None:
    with pytest.raises(ValidationError, match="BotFather"):
        bot("http://127.0.0.1/bot", token=" ")


@pytest.mark.parametrize("url", ["https://api.telegram.org", "ftp://x/bot", "https:///bot"])
def test_an_address_that_the_token_cannot_follow_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="ends in /bot"):
        bot(url)


def test_an_account_shows_no_token() -> None:
    assert TOKEN not in repr(bot("http://127.0.0.1/bot"))


@pytest.mark.parametrize(("bypassed", "used"), [("", True), ("127.0.0.1", False)])
def test_the_environment_may_name_a_proxy(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, bypassed: str, used: bool
) -> None:
    monkeypatch.setenv("http_proxy", api.base_url.removesuffix("/bot"))
    monkeypatch.setenv("no_proxy", bypassed)
    host = "http://127.0.0.1:9" if used else api.base_url.removesuffix("/bot")
    connection = CHANNEL.connect(bot(f"{host}/bot"))
    assert connection.deliver(PART, RECIPIENT).verdict is Verdict.SENT
    connection.close()
    assert api.calls[0][0].startswith("http://127.0.0.1:9/bot" if used else "/bot")
