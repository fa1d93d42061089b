"""What a delivery becomes after each answer of a platform, under each policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from channels.base import Account, Fault, Outcome, Verdict
from distributor.engine.outcomes import change_after
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LAST_ATTEMPT = 3


def after(
    verdict: Verdict,
    *,
    attempts: int = 1,
    is_last_part: bool = True,
    on_unknown: Literal["hold", "resend"] = "hold",
    fault: Fault = Fault.PROVIDER,
    retry_after: float | None = None,
    moved_to: str | None = None,
) -> Change:
    account = Account(
        name="relay",
        channel="email",
        on_unknown=on_unknown,
        retry_base_seconds=10,
        retry_cap_seconds=100,
        max_attempts=LAST_ATTEMPT,
    )
    outcome = Outcome(
        verdict,
        "code",
        "reply",
        fault=None if verdict is Verdict.SENT else fault,
        retry_after=retry_after,
        moved_to=moved_to,
    )
    return change_after(
        outcome, account=account, attempts=attempts, is_last_part=is_last_part, at=AT
    )


def test_the_last_part_accepted_ends_a_delivery_as_sent() -> None:
    assert after(Verdict.SENT, attempts=2) == Change(DeliveryState.SENT, 2)


def test_a_part_before_the_last_leaves_it_in_sending_and_the_next_part_counts_anew() -> None:
    change = after(Verdict.SENT, attempts=2, is_last_part=False)
    assert change == Change(DeliveryState.SENDING, 1)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("on_unknown", ["hold", "resend"])
def test_a_refusal_for_good_ends_it_as_failed(
    fault: Fault, on_unknown: Literal["hold", "resend"]
) -> None:
    change = after(Verdict.FAILED, fault=fault, on_unknown=on_unknown)
    assert change == Change(DeliveryState.FAILED, 1)


@pytest.mark.parametrize("attempts", [1, LAST_ATTEMPT])
def test_what_may_have_arrived_waits_for_a_person_when_the_policy_is_hold(attempts: int) -> None:
    change = after(Verdict.UNKNOWN, attempts=attempts, on_unknown="hold")
    assert change == Change(DeliveryState.UNKNOWN, attempts)


def test_what_may_have_arrived_is_sent_again_when_the_policy_is_resend() -> None:
    change = after(Verdict.UNKNOWN, on_unknown="resend")
    assert change.state is DeliveryState.RETRYING
    assert change.next_attempt_at is not None


def test_what_may_have_arrived_stays_unknown_when_its_attempts_are_used_up() -> None:
    change = after(Verdict.UNKNOWN, attempts=LAST_ATTEMPT, on_unknown="resend")
    assert change == Change(DeliveryState.UNKNOWN, LAST_ATTEMPT)


@pytest.mark.parametrize("fault", [Fault.RECIPIENT, Fault.CONTENT, Fault.PROVIDER])
def test_a_refusal_for_now_is_tried_again_within_the_wait_of_its_attempt(fault: Fault) -> None:
    change = after(Verdict.RETRYING, attempts=2, fault=fault)
    assert change.state is DeliveryState.RETRYING
    assert change.attempts == 2
    assert change.next_attempt_at is not None
    assert AT <= change.next_attempt_at <= AT + timedelta(seconds=20)


def test_a_refusal_for_now_ends_as_failed_when_its_attempts_are_used_up() -> None:
    change = after(Verdict.RETRYING, attempts=LAST_ATTEMPT)
    assert change == Change(DeliveryState.FAILED, LAST_ATTEMPT)


def test_the_platforms_own_waiting_time_is_kept() -> None:
    change = after(Verdict.RETRYING, retry_after=500)
    assert change.next_attempt_at is not None
    assert change.next_attempt_at >= AT + timedelta(seconds=500)


def test_a_recipient_that_moved_is_tried_at_the_new_address() -> None:
    change = after(Verdict.RETRYING, fault=Fault.RECIPIENT, moved_to="-100123")
    assert change.address == "-100123"


@pytest.mark.parametrize("attempts", [1, LAST_ATTEMPT])
def test_an_account_that_cannot_send_costs_nobody_an_attempt(attempts: int) -> None:
    change = after(Verdict.RETRYING, attempts=attempts, fault=Fault.ACCOUNT)
    assert change == Change(DeliveryState.RETRYING, attempts - 1, next_attempt_at=AT)
