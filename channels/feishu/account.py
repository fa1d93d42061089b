"""Settings of a Feishu account."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from channels.base import Account


class FeishuAccount(Account):
    """How Feishu is reached. Robots' tokens are addresses of subscribers, so none stands here."""

    channel: Literal["feishu"] = "feishu"
    #: Where the robot webhook lives; `https://open.larksuite.com` for Lark.
    base_url: str = Field(default="https://open.feishu.cn", pattern=r"^https?://[^/?#\s]+")
    #: Longest wait for a connection, and again for each piece of the answer, in seconds.
    timeout_seconds: float = Field(default=30, gt=0, le=300)

    @field_validator("base_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        return url.rstrip("/")
