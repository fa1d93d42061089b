"""How fast a bot may post: https://core.telegram.org/bots/faq#broadcasting-to-users."""

from __future__ import annotations

import math

from channels.base import RateLimit, account_limit
from channels.telegram.account import TelegramAccount

#: A bot takes 30 messages in any second.
_BOT_PER_SECOND = 30
#: A chat takes one message a second, and a short burst.
_CHAT_PER_SECOND = 1.0
_CHAT_BURST = 3
#: A group or channel takes 20 a minute: 5 at once and 15 more over the minute.
_GROUP_PER_SECOND = 0.25
_GROUP_BURST = 5


def rate_limits(account: TelegramAccount, address: str) -> tuple[RateLimit, ...]:
    """The bot's bucket and the chat's."""
    is_private = address.isdecimal()
    chat = RateLimit(
        f"telegram:{account.name}:{address}",
        _CHAT_PER_SECOND if is_private else _GROUP_PER_SECOND,
        _CHAT_BURST if is_private else _GROUP_BURST,
        is_account_wide=False,
    )
    return (*account_limit(account, burst=_burst(account), obeys_retry_after=True), chat)


def _burst(account: TelegramAccount) -> int | None:
    """So many at once that a burst and a second at full speed stay within the bot's limit."""
    rate = account.max_per_second
    if rate is None or rate >= _BOT_PER_SECOND:
        return 1 if rate == _BOT_PER_SECOND else None
    return min(3, _BOT_PER_SECOND - math.ceil(rate))
