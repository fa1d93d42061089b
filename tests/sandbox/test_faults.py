"""Misbehaviour on demand, set over the control API and felt by real clients."""

from __future__ import annotations

import smtplib
import time
from pathlib import Path

import pytest
import requests

from distributor.sandbox.server import SandboxConfig, running
from tests.sandbox.conftest import KEY, Client, letter


def test_a_recipient_can_be_made_dead(client: Client) -> None:
    client.fault(platform="smtp", match="gone@", kind="reject", code=550, text="5.1.1 No such user")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.mail(letter(to="gone@example.com"))
    assert refused.value.recipients["gone@example.com"] == (550, b"5.1.1 No such user")
    client.mail(letter(to="here@example.com"))
    assert client.refused("smtp") == {"550 5.1.1": 1}


def test_an_address_fails_twice_for_each_edition_and_then_accepts(client: Client) -> None:
    client.fault(platform="smtp", kind="reject", code=450, text="4.2.1 Busy", times=2)
    tries = []
    for edition in ("<one@example.org>", "<two@example.org>"):
        for _ in range(3):
            try:
                client.mail(letter(message_id=edition))
                tries.append("accepted")
            except smtplib.SMTPDataError as error:
                tries.append(str(error.smtp_code))
    assert tries == ["450", "450", "accepted"] * 2


def test_a_dropped_connection_loses_the_mail(client: Client) -> None:
    client.fault(platform="smtp", kind="drop_before", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.mail(letter())
    assert client.messages() == []
    client.mail(letter())
    assert len(client.messages()) == 1


def test_a_connection_dropped_after_the_final_dot_keeps_the_mail(client: Client) -> None:
    client.fault(platform="smtp", kind="drop_after", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.mail(letter())
    assert [m["message_id"] for m in client.messages()] == ["<edition-1@example.org>"]


def test_an_uncounted_drop_strikes_before_the_data(client: Client) -> None:
    client.fault(platform="smtp", kind="drop_before")
    with client.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("a@b.org")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.rcpt("reader@example.com")


def test_slowness_adds_to_another_fault(client: Client) -> None:
    client.fault(platform="telegram", kind="slow", seconds=0.2)
    client.fault(platform="telegram", kind="reject", code=403, text="Forbidden: bot was kicked")
    begin = time.monotonic()
    reply = client.say("hello")
    assert time.monotonic() - begin >= 0.2
    assert reply.json() == {
        "ok": False,
        "error_code": 403,
        "description": "Forbidden: bot was kicked",
    }


def test_telegram_can_ask_to_wait(client: Client) -> None:
    client.fault(platform="telegram", kind="rate_limit", retry_after=7, times=1)
    reply = client.say("hello")
    assert reply.status_code == 429
    assert reply.json()["parameters"] == {"retry_after": 7}
    assert client.say("hello").ok


def test_telegram_can_ask_to_wait_in_its_own_words(client: Client) -> None:
    client.fault(platform="telegram", kind="reject", code=429, text="Flood", retry_after=9)
    assert client.say("hello").json() == {
        "ok": False,
        "error_code": 429,
        "description": "Flood",
        "parameters": {"retry_after": 9},
    }


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (429, "Too Many Requests: retry after 5"),
        (502, "Bad Gateway"),
        (403, "Forbidden"),
        (600, "Bad Request"),
    ],
)
def test_telegram_refuses_in_the_words_of_the_code(client: Client, code: int, words: str) -> None:
    client.fault(platform="telegram", kind="reject", code=code)
    assert client.say("hello").json()["description"] == words


@pytest.mark.parametrize(
    "fault",
    [
        {"platform": "telegram", "kind": "reject", "code": 403},
        {"platform": "smtp", "kind": "reject", "code": 450},
        {"platform": "wecom", "kind": "slow"},
    ],
)
def test_a_wait_that_nobody_would_name_is_refused(client: Client, fault: dict[str, object]) -> None:
    url = f"{client.sandbox.base_url}/control/faults"
    reply = requests.post(url, json={**fault, "retry_after": 7}, timeout=10)
    assert reply.status_code == 400
    assert "retry_after goes with" in reply.json()["error"]


def test_one_bot_can_lose_its_token(client: Client) -> None:
    client.fault(platform="telegram", match="bot123", kind="reject", code=401, text="Unauthorized")
    assert client.bot("getMe").status_code == 401
    other = requests.get(f"{client.sandbox.base_url}/bot456:x/getMe", timeout=10)
    assert other.status_code == 200


def test_an_http_error_is_a_page_and_no_json(client: Client) -> None:
    client.fault(platform="wecom", kind="http_error", status=502, body="<h1>Bad Gateway</h1>")
    url = f"{client.sandbox.base_url}/cgi-bin/webhook/send?key={KEY}"
    reply = requests.post(url, json={}, timeout=10)
    assert (reply.status_code, reply.text) == (502, "<h1>Bad Gateway</h1>")


@pytest.mark.parametrize(("kind", "kept"), [("drop_before", 0), ("drop_after", 1)])
def test_an_http_connection_breaks_without_an_answer(client: Client, kind: str, kept: int) -> None:
    client.fault(platform="telegram", match="42 ", kind=kind, times=1)
    with pytest.raises(requests.ConnectionError):
        client.say("hello", chat_id=42)
    assert len(client.messages(platform="telegram")) == kept


def test_a_robot_can_be_removed(client: Client) -> None:
    client.fault(platform="wecom", match=KEY, kind="reject", code=93000, text="invalid webhook url")
    answer = client.robot(msgtype="text", text={"content": "hello"})
    assert answer == {"errcode": 93000, "errmsg": "invalid webhook url"}


def test_times_are_counted_for_each_body(client: Client) -> None:
    client.fault(platform="wecom", kind="rate_limit", times=1)
    codes = [
        client.robot(msgtype="text", text={"content": content})["errcode"]
        for content in ("first", "first", "second", "second")
    ]
    assert codes == [45009, 0, 45009, 0]


def test_faults_can_be_listed_and_removed(client: Client) -> None:
    client.fault(platform="wecom", kind="rate_limit")
    assert [f["kind"] for f in client.get("/control/faults").json()] == ["rate_limit"]
    assert client.delete("/control/faults").json() == {"removed": 1}
    assert client.robot(msgtype="text", text={"content": "hello"})["errcode"] == 0


def test_faults_and_their_counts_outlive_a_restart(tmp_path: Path) -> None:
    config = SandboxConfig(tmp_path, smtp_port=0, http_port=0)
    with running(config) as sandbox:
        client = Client(sandbox, tmp_path)
        client.fault(platform="wecom", kind="rate_limit", times=2)
        before = client.robot(msgtype="text", text={"content": "hello"})
    with running(config) as sandbox:
        client = Client(sandbox, tmp_path)
        after = [client.robot(msgtype="text", text={"content": "hello"}) for _ in range(2)]
    assert [a["errcode"] for a in (before, *after)] == [45009, 45009, 0]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"platform": "fax", "kind": "reject"}, "platform"),
        ({"platform": "smtp", "kind": "reject"}, "needs a code"),
        ({"platform": "smtp", "kind": "http_error"}, "not possible"),
        ({"platform": "smtp", "kind": "reject", "code": 250}, "400 to 599"),
        ({"platform": "smtp", "kind": "reject", "code": 550, "text": "a\r\nb"}, "one line"),
        ({"platform": "smtp", "kind": "slow", "wait": 3}, "wait"),
    ],
)
def test_an_impossible_fault_is_refused_with_the_reason(
    client: Client, settings: dict[str, object], problem: str
) -> None:
    reply = client.fault(**settings)
    assert reply.status_code == 400
    assert problem in reply.json()["error"]


def test_forgetting_messages_forgets_their_files(client: Client) -> None:
    client.mail(letter())
    assert client.delete("/control/messages").json() == {"removed": 1}
    assert client.messages() == []
    assert not list(client.folder.rglob("*.eml"))
