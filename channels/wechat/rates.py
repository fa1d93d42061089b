"""How fast a group robot may post: https://developer.work.weixin.qq.com/document/path/91770."""

from __future__ import annotations

from hashlib import sha256

from channels.base import RateLimit, account_limit
from channels.wechat.account import WeChatAccount

#: A robot posts 20 a minute: 5 at once and 15 more over the minute.
_ROBOT_PER_SECOND = 0.25
_ROBOT_BURST = 5


def rate_limits(account: WeChatAccount, key: str) -> tuple[RateLimit, ...]:
    """The account's bucket, where it has one, and the robot's."""
    # The key is a secret, so that the bucket is named after its digest.
    name = sha256(key.encode()).hexdigest()[:16]
    robot = RateLimit(
        f"wecom:{name}",
        _ROBOT_PER_SECOND,
        _ROBOT_BURST,
        is_account_wide=False,
        obeys_retry_after=True,
    )
    return (*account_limit(account), robot)
