"""What is posted, and what is proof that nothing was."""

from __future__ import annotations

import logging
import socket

import pytest

from channels.webhook import Answer, NotSent, Poster


def test_answer_that_is_no_json_object_has_none() -> None:
    for body in (b"", b"<html>", b"[]", b"1", b'"x"', b"[" * 100_000):
        assert Answer(200, body).json is None
    assert Answer(200, '{"errmsg":"好"}'.encode()).json == {"errmsg": "好"}


def test_refused_connection_is_proof_that_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        poster = Poster(f"http://127.0.0.1:{unused.getsockname()[1]}", 5)
        with pytest.raises(NotSent, match="no connection"):
            poster.post_json("/x", {"key": "secret-key"}, {})
        poster.close()


@pytest.mark.parametrize(
    "path",
    [
        "/cgi-bin/webhook/send?key=top-secret",
        "/cgi-bin/gettoken?corpid=ww1&corpsecret=top-secret",
        "/robot/send?access_token=top-secret&timestamp=1&sign=top-secret",
        "/open-apis/bot/v2/hook/top-secret",
    ],
)
def test_secrets_in_addresses_are_not_logged(path: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "urllib3.connectionpool"):
        logger = logging.getLogger("urllib3.connectionpool")
        logger.debug('%s "%s %s" %s', "http://h:80", "POST", path, 200)
    assert "top-secret" not in caplog.text
    assert "…" in caplog.text
