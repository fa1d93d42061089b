"""What WeCom answers and what a sender does about it."""

import json
import re

import pytest

from channels.base import Fault, Outcome, Verdict
from channels.errcodes import Errcodes
from channels.webhook import Answer
from channels.wechat import replies
from channels.wechat.channel import WeChatChannel
from channels.wechat.errcodes import OFFICIAL, WECOM


def read_reply(status: int, body: bytes) -> Outcome:
    return replies.read_reply(Answer(status, body))


def answer(errcode: int, errmsg: str = "说明") -> bytes:
    return json.dumps({"errcode": errcode, "errmsg": errmsg}, ensure_ascii=False).encode()


def test_zero_is_sent_and_carries_no_message_id() -> None:
    outcome = read_reply(200, answer(0, "ok"))
    assert (outcome.verdict, outcome.code, outcome.fault) == (Verdict.SENT, "ok", None)
    assert outcome.message_id is None


def test_removed_robot_fails_and_is_never_asked_again() -> None:
    outcome = read_reply(200, answer(93000))
    assert (outcome.verdict, outcome.code) == (Verdict.FAILED, "wecom-93000")
    assert (outcome.fault, outcome.suppress) == (Fault.RECIPIENT, "robot-removed")


@pytest.mark.parametrize("errcode", [40008, 44001, 44004, 45002, 45008, 40058])
def test_refused_content_is_our_fault_and_final(errcode: int) -> None:
    outcome = read_reply(200, answer(errcode))
    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.CONTENT)
    assert outcome.code == f"wecom-{errcode}"


def test_over_the_rate_waits_a_minute() -> None:
    outcome = read_reply(200, answer(45009))
    assert (outcome.verdict, outcome.retry_after) == (Verdict.RETRYING, 60)


@pytest.mark.parametrize("errcode", [-1, 45033])
def test_busy_platform_is_tried_again(errcode: int) -> None:
    assert read_reply(200, answer(errcode)).verdict is Verdict.RETRYING


def test_unknown_code_fails_with_the_raw_reply() -> None:
    outcome = read_reply(200, answer(99999, "新的错误"))
    assert (outcome.verdict, outcome.code) == (Verdict.FAILED, "wecom-99999")
    assert "新的错误" in outcome.reply


def test_errcode_counts_whatever_the_http_status_says() -> None:
    assert read_reply(500, answer(0)).verdict is Verdict.SENT
    assert read_reply(200, answer(93000)).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (502, b"<html>Bad Gateway</html>"),
        (503, b'{"error": "maintenance"}'),
        (200, b"<html>blocked by the firewall</html>"),
        (403, b"\xff\xfe"),
        (200, b"[]"),
        (200, b'{"errcode": "0"}'),
        (200, b'{"errcode": true}'),
        (302, b""),
    ],
)
def test_answer_that_is_not_wecoms_is_tried_again(status: int, body: bytes) -> None:
    outcome = read_reply(status, body)
    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.PROVIDER)
    assert outcome.code == f"wecom-http-{status}"


def test_gateway_that_waited_in_vain_leaves_the_fate_unknown() -> None:
    assert read_reply(504, b"<html>Gateway Timeout</html>").verdict is Verdict.UNKNOWN


def test_reply_is_kept_to_500_characters() -> None:
    assert len(read_reply(502, b"x" * 5000).reply) == 500


@pytest.mark.parametrize("table", [WECOM, OFFICIAL], ids=["wecom", "wechat"])
def test_every_code_is_explained_in_both_languages(table: Errcodes) -> None:
    for errcode in table.codes:
        code = f"{table.prefix}-{errcode}"
        english, chinese = table.explain(code, "en"), table.explain(code, "zh-CN")
        assert english is not None
        assert chinese is not None
        assert english.isascii() or any(
            word in english for word in ("企业", "应用", "开发", "我的")
        )
        assert re.search(r"[\u4e00-\u9fff]", chinese)


#: The codes that the platforms' own pages single out for senders.
@pytest.mark.parametrize(
    ("code", "verdict", "fault"),
    [
        ("wecom-93000", Verdict.FAILED, Fault.RECIPIENT),
        ("wecom-81013", Verdict.FAILED, Fault.RECIPIENT),
        ("wecom-45009", Verdict.RETRYING, Fault.PROVIDER),
        ("wecom-60020", Verdict.RETRYING, Fault.ACCOUNT),
        ("wechat-40164", Verdict.RETRYING, Fault.ACCOUNT),
        ("wechat-48001", Verdict.FAILED, Fault.ACCOUNT),
        ("wechat-45028", Verdict.FAILED, Fault.ACCOUNT),
        ("wechat-45003", Verdict.FAILED, Fault.CONTENT),
    ],
)
def test_each_code_has_its_class(code: str, verdict: Verdict, fault: Fault) -> None:
    table = WECOM if code.startswith("wecom") else OFFICIAL
    outcome = table.outcome(int(code.rpartition("-")[2]), "{}")
    assert (outcome.verdict, outcome.fault) == (verdict, fault)


def test_mass_send_that_was_accepted_before_is_a_success() -> None:
    assert OFFICIAL.outcome(45065, "{}").verdict is Verdict.SENT


def test_channel_explains_its_codes_and_no_others() -> None:
    channel = WeChatChannel()
    assert "白名单" in (channel.explain("wechat-40164", "zh") or "")
    assert "suppressed" in (channel.explain("wecom-93000", "en") or "")
    for unknown in ("wecom-99999", "wecom-http-502", "ok", "smtp-550-5.1.1"):
        assert channel.explain(unknown, "en") is None
