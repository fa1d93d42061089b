"""Settings of a WeChat account."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from channels.base import Account
from channels.wechat.address import WEBHOOK_PATH


class WeChatAccount(Account):
    """How WeCom is reached. Robot keys are addresses of subscribers, so none stands here."""

    channel: Literal["wechat"] = "wechat"
    #: Where the robot webhook lives, without its path; another one for a private WeCom.
    base_url: str = Field(default="https://qyapi.weixin.qq.com", pattern=r"^https?://[^/?#\s]+")
    #: Longest wait for a connection, and again for each piece of the answer, in seconds.
    timeout_seconds: float = Field(default=30, gt=0, le=300)

    @field_validator("base_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @property
    def webhook_url(self) -> str:
        """The robot webhook, without a key."""
        return self.base_url + WEBHOOK_PATH
