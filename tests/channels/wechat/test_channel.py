"""The channel keeps the contract that the engine relies on."""

import json
import subprocess
import sys

import pytest

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
    assert ACCOUNT.webhook_url == "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
    assert (ACCOUNT.timeout_seconds, ACCOUNT.retry_base_seconds) == (30, 60)


def test_account_for_another_server_needs_no_exact_slash() -> None:
    assert WeChatAccount(name="x", base_url="http://127.0.0.1:8081/").webhook_url == (
        "http://127.0.0.1:8081/cgi-bin/webhook/send"
    )


def test_account_of_another_channel_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="WeChat account"):
        CHANNEL.connect(Account(name="x", channel="email"))


def test_connection_needs_no_platform_until_it_delivers() -> None:
    connection = CHANNEL.connect(WeChatAccount(name="x", base_url="http://127.0.0.1:9"))
    assert isinstance(connection, Connection)
    connection.close()


def test_preview_holds_bodies_in_order_article_and_cover() -> None:
    shown = edition(*stories(12), commentary=paragraphs("都很快。"))
    files = CHANNEL.preview(shown, ACCOUNT)
    assert list(files) == ["wechat-robot.json", "wechat-article.html", "cover.png"]
    bodies = json.loads(files["wechat-robot.json"])
    assert bodies == [part.payload for part in CHANNEL.render(shown, ACCOUNT).parts]
    assert "新模型发布" in files["wechat-robot.json"].decode()


def test_importing_the_channel_loads_no_heavy_library() -> None:
    heavy = "{'requests', 'urllib3', 'PIL'}"
    program = f"import sys, channels.wechat; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
