"""What WeCom answers and what a sender does about it."""

import json

import pytest

from channels.base import Fault, Verdict
from channels.wechat.replies import read_reply


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
