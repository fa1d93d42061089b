"""The DingTalk channel as the engine sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import ClassVar, get_args

from channels import signing
from channels.base import Account, Connection, Edition, RateLimit, Rendering, account_limit
from channels.dingtalk.account import DingTalkAccount, Profile

_TOKEN = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"https?://[^/\s]+/robot/send\?access_token=(?P<token>[\w-]+)")
_ADVICE = (
    "This is no DingTalk robot: give its webhook address or token, followed by a colon and the "
    "secret "
    "if it signs (TOKEN:SECRET). Both stand on the robot's page in the group's settings."
)
#: A robot posts 20 a minute, and is blocked for ten minutes when it posts more: 5 at once and 14
#: more over the minute. https://open.dingtalk.com/document/robots/custom-robot-access
_PER_SECOND, _BURST = 0.23, 5


class DingTalkChannel:
    """Delivers to DingTalk group robots; implements `channels.base.Channel`."""

    name: ClassVar[str] = "dingtalk"
    account_type: ClassVar[type[Account]] = DingTalkAccount
    variants: ClassVar[tuple[str, ...]] = get_args(Profile)

    def parse_address(self, text: str) -> str:
        """`TOKEN` or `TOKEN:SECRET`, also with the webhook address. Raises `AddressError`."""
        return signing.parse(text, url=_URL, token=_TOKEN, advice=_ADVICE)

    def show_address(self, address: str) -> str:
        """`robot …7b2c`: token and secret are secrets."""
        return signing.show(address)

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:
        """The edition as Markdown, or as cards. Raises `RenderError`."""
        from channels.dingtalk.render import render

        return render(edition, variant or _own(account).profile)

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:
        """The account's bucket and the robot's, which is named after its token's digest."""
        name = sha256(signing.split(address)[0].encode()).hexdigest()[:16]
        robot = RateLimit(
            f"dingtalk:{name}", _PER_SECOND, _BURST, is_account_wide=False, obeys_retry_after=True
        )
        return (*account_limit(account), robot)

    def connect(self, account: Account) -> Connection:
        """A connection that is opened by its first delivery."""
        from channels.dingtalk.connection import DingTalkConnection

        return DingTalkConnection(_own(account))

    def check(self, account: Account) -> str:
        """Reach DingTalk without sending anything. Raises `AccountUnreachable`."""
        from channels.webhook import reach

        return reach(_own(account).base_url, _own(account).timeout_seconds, account.name)

    def explain(self, code: str, language: str) -> str | None:
        """What an outcome's code means and what to do, in Chinese or English; None if unknown."""
        from channels.dingtalk.errcodes import DINGTALK

        return DINGTALK.explain(code, language)

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:
        """`dingtalk.json`: the messages in order."""
        bodies = [dict(part.payload) for part in self.render(edition, account).parts]
        return {"dingtalk.json": json.dumps(bodies, ensure_ascii=False, indent=2).encode()}


def _own(account: Account) -> DingTalkAccount:
    if not isinstance(account, DingTalkAccount):
        raise TypeError(f"a DingTalk account is needed, not {type(account).__name__}")
    return account
