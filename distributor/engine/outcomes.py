"""What a platform's answer makes of a delivery."""

from __future__ import annotations

from datetime import datetime, timedelta

from channels.base import Account, Fault, Outcome, Verdict
from distributor.engine import backoff
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState

#: What may have arrived is not sent again after so many attempts: each one may be another copy.
_MOST_UNCLEAR_ATTEMPTS = 12


def change_after(
    outcome: Outcome, *, account: Account, attempts: int, is_last_part: bool, at: datetime
) -> Change:
    """The delivery's next state after try number `attempts` at a part.

    A part that was accepted leaves the delivery in `sending` until the last one is. What may
    have been accepted follows the account's policy; what was refused for now is tried again
    until the account's attempts are used up. What is unclear has fewer.
    """
    match outcome.verdict:
        case Verdict.SENT if is_last_part:
            return Change(DeliveryState.SENT, attempts)
        case Verdict.SENT:
            return Change(DeliveryState.SENDING, attempts=1)
        case Verdict.FAILED:
            return Change(DeliveryState.FAILED, attempts)
        case Verdict.UNKNOWN if account.on_unknown == "hold":
            return Change(DeliveryState.UNKNOWN, attempts)
        case Verdict.RETRYING if outcome.fault is Fault.ACCOUNT:
            # Nobody's attempts are spent on credentials that a person has to put right. Others
            # come first: if it is about this one after all, they must not wait for it.
            return Change(
                DeliveryState.RETRYING, attempts - 1, next_attempt_at=at + _wait(account, 1)
            )
        case Verdict.UNKNOWN if attempts >= min(account.max_attempts, _MOST_UNCLEAR_ATTEMPTS):
            return Change(DeliveryState.UNKNOWN, attempts)
        case Verdict.RETRYING if attempts >= account.max_attempts:
            return Change(DeliveryState.FAILED, attempts)
        case Verdict.RETRYING | Verdict.UNKNOWN:
            return Change(
                DeliveryState.RETRYING,
                attempts,
                next_attempt_at=at + _wait(account, attempts, outcome.retry_after),
                address=outcome.moved_to,
            )


def _wait(account: Account, attempts: int, retry_after: float | None = None) -> timedelta:
    return backoff.delay(
        attempts,
        base_seconds=account.retry_base_seconds,
        cap_seconds=account.retry_cap_seconds,
        retry_after=retry_after,
    )
