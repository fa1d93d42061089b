"""The Feishu channel as the engine sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import ClassVar

from channels import signing
from channels.base import Account, Connection, Edition, RateLimit, Rendering, account_limit
from channels.feishu.account import FeishuAccount

_TOKEN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_URL = re.compile(r"https?://[^/\s]+/open-apis/bot/v2/hook/(?P<token>[\w-]+)")
_ADVICE = (
    "This is no Feishu robot: give its webhook address or token, followed by a colon and the "
    "secret "
    "if it signs (TOKEN:SECRET). Both stand on the robot's page in the group's settings."
)
#: A robot may post 100 a minute and 5 a second.
#: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
_PER_SECOND, _BURST = 1.6, 3


class FeishuChannel:
    """Delivers to Feishu and Lark group robots; implements `channels.base.Channel`."""

    name: ClassVar[str] = "feishu"
    account_type: ClassVar[type[Account]] = FeishuAccount
    variants: ClassVar[tuple[str, ...]] = ()

    def parse_address(self, text: str) -> str:
        """`TOKEN` or `TOKEN:SECRET`, also with the webhook address. Raises `AddressError`."""
        return signing.parse(text, url=_URL, token=_TOKEN, advice=_ADVICE)

    def show_address(self, address: str) -> str:
        """`robot …7b2c`: token and secret are secrets."""
        return signing.show(address)

    def render(self, edition: Edition, account: Account, variant: str = "") -> Rendering:  # noqa: ARG002
        """The edition as cards. Raises `RenderError`."""
        from channels.feishu.render import render

        return render(edition)

    def rate_limits(self, account: Account, address: str) -> Sequence[RateLimit]:
        """The account's bucket and the robot's, which is named after its token's digest."""
        name = sha256(signing.split(address)[0].encode()).hexdigest()[:16]
        robot = RateLimit(
            f"feishu:{name}", _PER_SECOND, _BURST, is_account_wide=False, obeys_retry_after=True
        )
        return (*account_limit(account), robot)

    def connect(self, account: Account) -> Connection:
        """A connection that is opened by its first delivery."""
        from channels.feishu.connection import FeishuConnection

        return FeishuConnection(_own(account))

    def check(self, account: Account) -> str:
        """Reach Feishu without sending anything. Raises `AccountUnreachable`."""
        from channels.webhook import reach

        return reach(_own(account).base_url, _own(account).timeout_seconds, account.name)

    def explain(self, code: str, language: str) -> str | None:
        """What an outcome's code means and what to do, in Chinese or English; None if unknown."""
        from channels.feishu.errcodes import FEISHU

        return FEISHU.explain(code, language)

    def preview(self, edition: Edition, account: Account) -> Mapping[str, bytes]:
        """`feishu.json`: the cards in order."""
        bodies = [dict(part.payload) for part in self.render(edition, account).parts]
        return {"feishu.json": json.dumps(bodies, ensure_ascii=False, indent=2).encode()}


def _own(account: Account) -> FeishuAccount:
    if not isinstance(account, FeishuAccount):
        raise TypeError(f"a Feishu account is needed, not {type(account).__name__}")
    return account
