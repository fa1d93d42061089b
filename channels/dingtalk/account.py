"""Settings of a DingTalk account."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from channels.base import Account

Profile = Literal["markdown", "cards"]


class DingTalkAccount(Account):
    """How DingTalk is reached. Robots' tokens are addresses of subscribers: none stands here."""

    channel: Literal["dingtalk"] = "dingtalk"
    #: Where the robot webhook lives.
    base_url: str = Field(default="https://oapi.dingtalk.com", pattern=r"^https?://[^/?#\s]+")
    #: Longest wait for a connection, and again for each piece of the answer, in seconds.
    timeout_seconds: float = Field(default=30, gt=0, le=300)
    #: The form of messages for those who chose none: the whole text, or cards that open it.
    profile: Profile = "markdown"

    @field_validator("base_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        return url.rstrip("/")
