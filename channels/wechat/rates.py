"""How fast WeCom may be posted to.

A robot: https://developer.work.weixin.qq.com/document/path/91770. A member of an app, beyond whose
limit messages are dropped without a word: https://developer.work.weixin.qq.com/document/path/90312.
"""

from __future__ import annotations

from hashlib import sha256

from channels.base import RateLimit, account_limit
from channels.wechat.account import WeChatAccount

#: A robot posts 20 a minute: 5 at once and 15 more over the minute.
_ROBOT_PER_SECOND = 0.25
_ROBOT_BURST = 5
#: A member gets 30 a minute and 1,000 an hour: 10 at once, then 16 more over the minute.
_MEMBER_PER_SECOND = 0.27
_MEMBER_BURST = 10


def rate_limits(account: WeChatAccount, address: str) -> tuple[RateLimit, ...]:
    """The account's bucket, where it has one, and the robot's or the member's."""
    if account.kind == "robot":
        # The key is a secret, so that the bucket is named after its digest.
        name = sha256(address.encode()).hexdigest()[:16]
        own = RateLimit(
            f"wecom:{name}",
            _ROBOT_PER_SECOND,
            _ROBOT_BURST,
            is_account_wide=False,
            obeys_retry_after=True,
        )
        return (*account_limit(account), own)
    limits = account_limit(account, obeys_retry_after=True)
    if account.kind == "app":
        member = RateLimit(
            f"wecom-app:{account.name}:{address}",
            _MEMBER_PER_SECOND,
            _MEMBER_BURST,
            is_account_wide=False,
        )
        return (*limits, member)
    return limits
