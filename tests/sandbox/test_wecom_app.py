"""WeCom's application messages, judged by errcode."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Client

TEXT = {"msgtype": "text", "agentid": 1, "text": {"content": "早安"}}


def token(client: Client, corp_id: str = "ww1", secret: str = "s") -> dict[str, Any]:  # noqa: S107
    url = f"{client.sandbox.base_url}/cgi-bin/gettoken"
    query = {"corpid": corp_id, "corpsecret": secret}
    answer: dict[str, Any] = requests.get(url, params=query, timeout=10).json()
    return answer


def send(client: Client, access_token: str | None = None, **body: Any) -> dict[str, Any]:
    url = f"{client.sandbox.base_url}/cgi-bin/message/send"
    given = access_token if access_token is not None else token(client)["access_token"]
    answer: dict[str, Any] = requests.post(
        url, params={"access_token": given}, json={**TEXT, **body}, timeout=10
    ).json()
    return answer


def test_the_same_client_gets_the_same_token(client: Client) -> None:
    first, second = token(client), token(client)
    assert first["access_token"] == second["access_token"]
    assert 0 < first["expires_in"] <= 7200


@pytest.mark.parametrize(
    ("options", "errcode"), [({"corp_id": "x"}, 40013), ({"secret": "wrong"}, 40001)]
)
def test_wrong_credentials_get_none(client: Client, options: dict[str, str], errcode: int) -> None:
    assert token(client, **options)["errcode"] == errcode


def test_a_message_reaches_everybody_named(client: Client) -> None:
    assert send(client, touser="ada|grace", toparty="2", totag="3")["errcode"] == 0
    addresses = [message["address"] for message in client.messages(platform="wecom")]
    assert addresses == ["app:ada", "app:grace", "app:party:2", "app:tag:3"]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 82001),
        ({"touser": "|".join(f"m{n}" for n in range(1001))}, 40058),
        ({"touser": "ada", "agentid": "1"}, 40056),
        ({"touser": "ada", "msgtype": "image", "image": {"base64": "x"}}, 40008),
        ({"touser": "ada", "msgtype": "markdown", "markdown": {"content": "字" * 683}}, 40058),
        ({"touser": "ada", "text": {"content": ""}}, 44004),
    ],
)
def test_what_the_platform_refuses(client: Client, body: dict[str, Any], errcode: int) -> None:
    assert send(client, **body)["errcode"] == errcode
    assert client.messages() == []


def test_a_token_that_was_not_issued_is_refused(client: Client) -> None:
    assert send(client, access_token="made-up", touser="ada")["errcode"] == 40014


def test_whoever_does_not_exist_is_named_in_lower_case(client: Client) -> None:
    client.fault(platform="wecom", match="app:Gone", kind="reject", code=81013)
    answer = send(client, touser="ada|Gone")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "gone")
    assert send(client, touser="Gone")["errcode"] == 81013


def test_a_repeated_call_is_answered_and_dropped(client: Client) -> None:
    checked = {"touser": "ada", "enable_duplicate_check": 1}
    assert [send(client, **checked)["errcode"] for _ in range(2)] == [0, 0]
    assert len(client.messages()) == 1
    send(client, touser="ada", text={"content": "另一条"}, enable_duplicate_check=1)
    assert len(client.messages()) == 2


def test_what_a_member_gets_beyond_thirty_a_minute_is_dropped_without_a_word(
    client: Client,
) -> None:
    given = token(client)["access_token"]
    answers = [send(client, given, touser="ada", text={"content": str(n)}) for n in range(32)]
    assert {answer["errcode"] for answer in answers} == {0}
    assert len(client.messages()) == 30
    assert client.refused("wecom") == {"dropped": 2}


def test_the_page_shows_whom_the_app_wrote_to(client: Client) -> None:
    send(client, touser="ada")
    text = client.get("/wecom").text
    assert "App → ada" in text
    assert "WeCom app" in text
