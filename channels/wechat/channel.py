"""The WeChat channel as the engine sees it.

What needs `requests` or Pillow is imported when it is called, so that importing this is cheap.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from channels.base import AWAITS_PERSON, Account, Connection, Edition, RateLimit, Rendering
from channels.wechat import rates
from channels.wechat.account import WeChatAccount
from channels.wechat.address import parse_address, show_address
from channels.wechat.messages import limits
from channels.wechat.messages.profiles import PROFILES
from channels.wechat.messages.render import render


class WeChatChannel:
    """Delivers to WeCom robots and apps and Official Accounts; a `channels.base.Channel`."""

    name: ClassVar[str] = "wechat"
    account_type: ClassVar[type[Account]] = WeChatAccount
    variants: ClassVar[tuple[str, ...]] = PROFILES

    def parse_address(self, text: str) -> str:
        """A robot's key or webhook address, `app:…` or `official:…`. Raises `AddressError`."""
        return parse_address(text)

    def show_address(self, address: str) -> str:
        """`robot …7b2c`: a robot's key is a secret."""
        return show_address(address)

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:
        """The edition as messages, or as the steps to an article. Raises `RenderError`."""
        own = _own(account)
        if own.kind == "official":
            from channels.wechat.official.render import render_article

            return render_article(edition, own)
        target = limits.APP if own.kind == "app" else limits.ROBOT
        return render(edition, variant or own.profile, target)

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:
        """The account's bucket, and the robot's or member's."""
        return rates.rate_limits(_own(account), address)

    def connect(self, account: Account) -> Connection:
        """A connection that is opened by its first delivery."""
        own = _own(account)
        if own.kind == "app":
            from channels.wechat.app import AppConnection

            return AppConnection(own)
        if own.kind == "official":
            from channels.wechat.official.connection import OfficialConnection

            return OfficialConnection(own)
        from channels.wechat.robot import RobotConnection

        return RobotConnection(own)

    def check(self, account: Account) -> str:
        """Reach the platform without sending anything. Raises `AccountUnreachable`."""
        own = _own(account)
        if own.kind == "robot":
            from channels.webhook import reach

            return reach(own.base_url, own.timeout_seconds, own.name)
        from channels.wechat.tokens import check as check_token

        return check_token(own)

    def explain(self, code: str, language: str) -> str | None:
        """What an outcome's code means and what to do, in Chinese or English; None if unknown."""
        from channels.wechat.errcodes import DRAFT_READY, OFFICIAL, WECOM

        if code == AWAITS_PERSON:
            return DRAFT_READY.zh if language.lower().startswith("zh") else DRAFT_READY.en
        return WECOM.explain(code, language) or OFFICIAL.explain(code, language)

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:
        """The account's messages, the article, a page to copy it from, and the pictures."""
        from channels.drawing import subject_of
        from channels.wechat.article.pages import article_page, copy_page
        from distributor.pictures import FIXED, draw

        own = _own(account)
        bodies = [dict(part.payload) for part in self.render(edition, own).parts]
        subject = subject_of(edition)
        return {
            f"wechat-{own.kind}.json": _json(bodies),
            "wechat-article.html": article_page(edition, own.theme).encode(),
            "wechat-copy.html": copy_page(edition, own.theme).encode(),
            **{name: draw(name, subject) for name in FIXED},
        }


def _json(bodies: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(bodies, ensure_ascii=False, indent=2).encode()


def _own(account: Account) -> WeChatAccount:
    if not isinstance(account, WeChatAccount):
        raise TypeError(f"a WeChat account is needed, not {type(account).__name__}")
    return account
