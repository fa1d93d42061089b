"""The channel keeps the contract that the engine relies on."""

import json
import subprocess
import sys

import pytest
from pydantic import SecretStr, ValidationError

from channels import registry
from channels.base import Account, Channel, Connection
from channels.wechat import CHANNEL
from channels.wechat.account import WeChatAccount

from .editions import edition, paragraphs, stories

ACCOUNT = WeChatAccount(name="group")


def test_registry_finds_the_channel() -> None:
    channel: Channel = registry.get("wechat")
    assert channel is CHANNEL
    assert channel.account_type is WeChatAccount


def test_account_works_with_nothing_but_a_name() -> None:
    assert (ACCOUNT.kind, ACCOUNT.profile) == ("robot", "cards")
    assert ACCOUNT.base_url == "https://qyapi.weixin.qq.com"
    assert (ACCOUNT.timeout_seconds, ACCOUNT.retry_base_seconds) == (30, 60)


def test_account_for_another_server_needs_no_exact_slash() -> None:
    account = WeChatAccount(name="x", base_url="http://127.0.0.1:8081/")
    assert account.base_url == "http://127.0.0.1:8081"


def test_official_account_lives_elsewhere_and_may_be_asked_again() -> None:
    account = WeChatAccount(name="x", kind="official", app_id="wx1", secret=SecretStr("s"))
    assert account.base_url == "https://api.weixin.qq.com"
    assert (account.on_unknown, account.publish) == ("resend", "draft")
    assert account.address_prefix == "official:"


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("app", "corp_id, agent_id, secret"), ("official", "app_id, secret")],
)
def test_account_says_what_it_cannot_do_without(kind: str, missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        WeChatAccount.model_validate({"name": "x", "kind": kind})


def test_subscriber_chooses_a_profile_and_else_gets_the_accounts() -> None:
    shown = edition(*stories(3))
    text = WeChatAccount(name="x", profile="text")
    assert CHANNEL.render(shown, text).parts[0].payload["msgtype"] == "text"
    assert CHANNEL.render(shown, text, "brief").parts[0].payload["msgtype"] == "news"


def test_account_of_another_channel_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="WeChat account"):
        CHANNEL.connect(Account(name="x", channel="email"))


def test_connection_needs_no_platform_until_it_delivers() -> None:
    connection = CHANNEL.connect(WeChatAccount(name="x", base_url="http://127.0.0.1:9"))
    assert isinstance(connection, Connection)
    connection.close()


def test_preview_holds_messages_article_copy_page_and_pictures() -> None:
    shown = edition(*stories(12), commentary=paragraphs("都很快。"))
    files = CHANNEL.preview(shown, ACCOUNT)
    assert list(files) == [
        "wechat-robot.json",
        "wechat-article.html",
        "wechat-copy.html",
        "cover.png",
        "thumb.png",
        "card.png",
        "wide.png",
        "poster.png",
    ]
    bodies = json.loads(files["wechat-robot.json"])
    assert bodies == [part.payload for part in CHANNEL.render(shown, ACCOUNT).parts]
    assert "新模型发布" in files["wechat-robot.json"].decode()


def test_importing_the_channel_loads_no_heavy_library() -> None:
    heavy = "{'requests', 'urllib3', 'PIL', 'segno'}"
    program = f"import sys, channels.wechat; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
