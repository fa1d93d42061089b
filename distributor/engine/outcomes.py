"""What a platform's answer makes of a delivery."""

from __future__ import annotations

from datetime import datetime

from channels.base import Account, Fault, Outcome, Verdict
from distributor.engine import backoff
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState


def change_after(
    outcome: Outcome, *, account: Account, attempts: int, is_last_part: bool, at: datetime
) -> Change:
    """The delivery's next state after try number `attempts` at a part.

    A part that was accepted leaves the delivery in `sending` until the last one is. What may
    have been accepted follows the account's policy; what was refused for now is tried again
    until the account's attempts are used up.
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
            # Nobody's attempts are spent on credentials that a person has to put right.
            return Change(DeliveryState.RETRYING, attempts - 1, next_attempt_at=at)
        case Verdict.RETRYING | Verdict.UNKNOWN:
            if attempts >= account.max_attempts:
                ended = outcome.verdict is Verdict.RETRYING
                state = DeliveryState.FAILED if ended else DeliveryState.UNKNOWN
                return Change(state, attempts)
            wait = backoff.delay(
                attempts,
                base_seconds=account.retry_base_seconds,
                cap_seconds=account.retry_cap_seconds,
                retry_after=outcome.retry_after,
            )
            return Change(
                DeliveryState.RETRYING,
                attempts,
                next_attempt_at=at + wait,
                address=outcome.moved_to,
            )
