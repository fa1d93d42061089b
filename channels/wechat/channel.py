"""The WeChat channel as the engine sees it.

What needs `requests` or Pillow is imported when it is called, so that importing this is cheap.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from channels.base import Account, Connection, Edition, RateLimit, Rendering
from channels.wechat import rates
from channels.wechat.account import WeChatAccount
from channels.wechat.address import parse_address, show_address
from channels.wechat.render import render


class WeChatChannel:
    """Delivers to WeCom group robots; implements `channels.base.Channel`."""

    name: ClassVar[str] = "wechat"
    account_type: ClassVar[type[Account]] = WeChatAccount
    variants: ClassVar[tuple[str, ...]] = ()

    def parse_address(self, text: str) -> str:
        """The robot's key, from the key or its webhook address. Raises `AddressError`."""
        return parse_address(text)

    def show_address(self, address: str) -> str:
        """`robot …7b2c`: the key is a secret."""
        return show_address(address)

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:  # noqa: ARG002
        """The edition as webhook bodies. Raises `RenderError`."""
        return render(edition)

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:
        """The robot's bucket."""
        return rates.rate_limits(_own(account), address)

    def connect(self, account: Account) -> Connection:
        """A connection that is opened by its first delivery."""
        from channels.wechat.connection import RobotConnection

        return RobotConnection(_own(account))

    def check(self, account: Account) -> str:
        """Reach WeCom without sending anything. Raises `AccountUnreachable`."""
        from channels.wechat.connection import check

        return check(_own(account))

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:
        """Webhook bodies, the article in a page, and its cover picture."""
        from channels.wechat.article import article_page
        from channels.wechat.cover import draw_cover

        bodies = [dict(part.payload) for part in self.render(edition, account).parts]
        return {
            "wechat-robot.json": json.dumps(bodies, ensure_ascii=False, indent=2).encode(),
            "wechat-article.html": article_page(edition).encode(),
            "cover.png": draw_cover(edition),
        }


def _own(account: Account) -> WeChatAccount:
    if not isinstance(account, WeChatAccount):
        raise TypeError(f"a WeChat account is needed, not {type(account).__name__}")
    return account
