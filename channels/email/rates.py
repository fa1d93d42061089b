"""How fast mail may leave: for the relay as a whole, and for domains that count it."""

from __future__ import annotations

from channels.base import RateLimit, account_limit
from channels.email.account import EmailAccount
from channels.email.address import domain_of

#: A quiet domain may be sent half a second's worth at once.
_BURST_SECONDS = 0.5


def rate_limits(account: EmailAccount, address: str) -> tuple[RateLimit, ...]:
    """The account's bucket, and the domain's when `domain_max_per_second` names it."""
    domain = domain_of(address)
    per_second = account.domain_max_per_second.get(domain)
    if per_second is None:
        return account_limit(account)
    limit = RateLimit(
        f"email:{account.name}:{domain}",
        per_second,
        burst=max(1, round(per_second * _BURST_SECONDS)),
        is_account_wide=False,
    )
    return (*account_limit(account), limit)
