"""What a delivery becomes after each answer of a platform, under each policy."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from channels import registry
from channels.base import Account, Fault, Outcome, Verdict
from distributor.engine import backoff
from distributor.engine.outcomes import change_after
from distributor.ledger.deliveries import Change
from distributor.ledger.states import DeliveryState
from distributor.settings.sections import SendingSettings

#: How often something is sent again at most that may have arrived.
MOST_UNCLEAR = 12
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
    max_attempts: int = LAST_ATTEMPT,
) -> Change:
    account = Account(
        name="relay",
        channel="email",
        on_unknown=on_unknown,
        retry_base_seconds=10,
        retry_cap_seconds=100,
        max_attempts=max_attempts,
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


def test_what_may_have_arrived_is_not_sent_as_often_as_what_was_refused() -> None:
    """Each time might be another copy."""
    unclear, refused = (
        after(verdict, attempts=MOST_UNCLEAR, on_unknown="resend", max_attempts=50)
        for verdict in (Verdict.UNKNOWN, Verdict.RETRYING)
    )
    assert (unclear.state, refused.state) == (DeliveryState.UNKNOWN, DeliveryState.RETRYING)


@pytest.mark.parametrize(
    "fault", [Fault.RECIPIENT, Fault.CONTENT, Fault.PROVIDER, Fault.DESTINATION]
)
def test_a_refusal_for_now_is_tried_again_within_the_wait_of_its_attempt(fault: Fault) -> None:
    change = after(Verdict.RETRYING, attempts=2, fault=fault)
    assert change.state is DeliveryState.RETRYING
    assert change.attempts == 2
    assert change.next_attempt_at is not None
    assert AT <= change.next_attempt_at <= AT + timedelta(seconds=20)


@pytest.mark.parametrize("channel", registry.names())
def test_by_default_the_deadline_of_a_send_ends_its_retries_and_not_their_number(
    channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, _most: least)
    fields = registry.get(channel).account_type.model_fields
    defaults = {name: field.default for name, field in fields.items()}
    waits = (
        backoff.delay(
            attempt,
            base_seconds=defaults["retry_base_seconds"],
            cap_seconds=defaults["retry_cap_seconds"],
            retry_after=None,
        )
        for attempt in range(1, defaults["max_attempts"])
    )

    assert sum(waits, timedelta()) >= timedelta(hours=SendingSettings().deadline_hours)


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
    assert (change.state, change.attempts) == (DeliveryState.RETRYING, attempts - 1)


def test_whoever_met_that_an_account_cannot_send_lets_others_go_first() -> None:
    change = after(Verdict.RETRYING, fault=Fault.ACCOUNT)
    assert change.next_attempt_at is not None
    assert AT < change.next_attempt_at <= AT + timedelta(seconds=10)
