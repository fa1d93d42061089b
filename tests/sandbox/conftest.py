"""A running sandbox, and the clients that reach it as they reach the real platforms."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests

from distributor.sandbox.server import SandboxConfig, SandboxHandle, running

KEY = "693a91f6-7b2c-4bc4-97a0-0ec2cafe5aaa"
#: A Feishu card with everything that could be taken for markup.
HOSTILE_CARD = {
    "header": {"title": {"tag": "plain_text", "content": "<script>alert(1)</script>"}},
    "elements": [
        {"tag": "markdown", "content": "<font color='grey'>昨天</font> <script>x</script>"},
        {"tag": "action", "actions": [{"url": "javascript:alert(1)", "text": {"content": "x"}}]},
        {"tag": "note", "elements": [{"content": "<img src=x>"}]},
    ],
}


@dataclass(frozen=True, slots=True)
class Client:
    """Talks to one sandbox."""

    sandbox: SandboxHandle
    folder: Path

    def get(self, path: str) -> requests.Response:
        return requests.get(self.sandbox.base_url + path, timeout=10)

    def delete(self, path: str) -> requests.Response:
        return requests.delete(self.sandbox.base_url + path, timeout=10)

    def fault(self, **settings: object) -> requests.Response:
        return requests.post(f"{self.sandbox.base_url}/control/faults", json=settings, timeout=10)

    def messages(self, **query: str) -> list[dict[str, Any]]:
        url = f"{self.sandbox.base_url}/control/messages"
        found: list[dict[str, Any]] = requests.get(url, params=query, timeout=10).json()
        return found

    def refused(self, platform: str) -> dict[str, int]:
        counts: dict[str, int] = self.get("/control/attempts").json()[platform]["refused"]
        return counts

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP(self.sandbox.host, self.sandbox.smtp_port, timeout=10)

    def mail(self, message: EmailMessage) -> None:
        with self.smtp() as connection:
            connection.send_message(message)

    def bot(self, method: str, **parameters: object) -> requests.Response:
        url = f"{self.sandbox.base_url}/bot123:secret/{method}"
        return requests.post(url, json=parameters, timeout=10)

    def say(self, text: str, chat_id: object = 42, **parameters: object) -> requests.Response:
        return self.bot("sendMessage", chat_id=chat_id, text=text, **parameters)

    def robot(self, *, key: str = KEY, **body: Any) -> dict[str, Any]:
        url = f"{self.sandbox.base_url}/cgi-bin/webhook/send"
        reply = requests.post(url, params={"key": key}, json=body, timeout=10)
        assert reply.status_code == 200
        answer: dict[str, Any] = reply.json()
        return answer


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with running(SandboxConfig(tmp_path / "box", smtp_port=0, http_port=0)) as sandbox:
        yield Client(sandbox, tmp_path / "box")


def letter(
    to: str = "reader@example.com",
    subject: str = "今日要闻",
    html: str = "<html><head></head><body><p>正文</p></body></html>",
    message_id: str = "<edition-1@example.org>",
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Daily Digest <digest@example.org>"
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = "Mon, 06 Oct 2025 09:00:00 +0800"
    message["Message-ID"] = message_id
    message.set_content("正文的纯文本")
    message.add_alternative(html, subtype="html")
    return message
