"""Correcting a send: the posts that were delivered get the words of a new revision, in place.

A correction may be repeated: what was changed already is found unchanged, and what was added is
not added twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from channels import registry
from channels.base import Account, RenderError
from channels.optional import AmendingConnection
from distributor.engine.context import Context
from distributor.engine.planner import edition_of
from distributor.ledger import amendments, books, digests
from distributor.ledger.amendments import Delivered, SentRendering
from distributor.ledger.freeze import FrozenRendering
from distributor.ledger.sends import Send
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations.correction import Correction, Result
from distributor.operations.editions import LoadedEdition, load
from distributor.operations.errors import OperationError
from distributor.operations.lookup import find_send

#: Nothing of these leaves by itself.
_AMENDABLE = (SendState.FINISHED, SendState.PAUSED, SendState.CANCELED)


@dataclass(frozen=True, slots=True)
class Amended:
    """What a correction came to."""

    send_id: int
    #: Of the edition that the posts show now.
    revision: str
    #: Messages by what became of them.
    messages: Counter[Result] = field(default_factory=Counter)
    #: Deliveries on channels whose messages cannot be changed, by channel.
    left_as_is: Counter[str] = field(default_factory=Counter)

    @property
    def is_whole(self) -> bool:
        """Whether every message that can be changed shows the new revision."""
        return not self.messages[Result.FAILED]

    def as_json(self) -> dict[str, object]:
        """The object that scripts get."""
        return {
            "send": self.send_id,
            "revision": self.revision,
            **{result.value: self.messages[result] for result in Result},
            "left_as_is": dict(self.left_as_is),
        }


@dataclass(frozen=True, slots=True)
class _Plan:
    """A rendering as it was sent and as it is to be."""

    account: Account
    sent: SentRendering
    wanted: FrozenRendering


def amend(
    context: Context, send_id: int, path: Path, *, operator: str, is_sure: bool = False
) -> Amended:
    """Make the posts of a send show the edition in `path`.

    `operator` is named in the delivery log; `is_sure`: also an edition of another day. Raises
    `OperationError` when the send is under way, the edition must not go out, or a channel cannot
    carry it: then nothing was changed. Raises also `UnreadableDigest`.
    """
    edition = load(path, context.settings)
    send = _checked(context, send_id, edition, is_sure=is_sure)
    with context.ledger.write() as connection:
        digest_id = digests.store(
            connection, edition.digest, source=edition.source, name=edition.name, at=context.now()
        )
        stored = digests.get(connection, digest_id)
        sent = amendments.renderings_of(connection, send.id)
    plans, amended = _plans(context, sent, stored), Amended(send_id, edition.digest.revision)
    for plan in plans:
        amended.messages.update(
            _carry_out(context, send_id, plan, edition.digest.revision, operator)
        )
    others = {rendering.id for rendering in sent} - {plan.sent.id for plan in plans}
    with context.ledger.read() as connection:
        amended.left_as_is.update(amendments.count_sent(connection, others))
    return amended


def _checked(context: Context, send_id: int, edition: LoadedEdition, *, is_sure: bool) -> Send:
    with context.ledger.read() as connection:
        send = find_send(connection, send_id)
        before = digests.get(connection, send.digest_id)
        in_flight = books.of_send(connection, send_id, exact=True).total[DeliveryState.SENDING]
    if send.state not in _AMENDABLE or in_flight:
        raise OperationError(
            f"send {send_id} is {send.state.value}: what leaves now would miss the correction; "
            f"stop it first with: distributor pause {send_id}"
        )
    # A reason that was overridden for the send does not hold its correction either.
    forced = {words.partition(":")[0] for words in (send.forced or "").split("; ")}
    if held := [reason for reason in edition.reasons if reason.code not in forced]:
        reasons = "; ".join(f"{reason.code}: {reason.message}" for reason in held)
        raise OperationError(f"{edition.name} must not go out ({reasons}). Nothing was changed.")
    _check_day(context, edition, before, is_sure=is_sure)
    return send


def _check_day(
    context: Context, edition: LoadedEdition, before: digests.StoredDigest, *, is_sure: bool
) -> None:
    old, new = edition_of(context, before).digest.date, edition.digest.date
    if is_sure or old is None or new is None or old.date() == new.date():
        return
    raise OperationError(
        f"{edition.name} is of {new:%Y-%m-%d} and the send's edition of {old:%Y-%m-%d}: every post "
        "of that day would be replaced. If that is what you want: --another-day"
    )


def _plans(
    context: Context, sent: Sequence[SentRendering], stored: digests.StoredDigest
) -> list[_Plan]:
    """Everything is rendered before anything is changed."""
    plans = []
    for rendering in sent:
        account = context.settings.accounts.get(rendering.account)
        if account is None or account.channel != rendering.channel:
            raise OperationError(
                f"no account {rendering.account!r} is configured for {rendering.channel} any more, "
                "which delivered this send; configure it again"
            )
        channel = registry.get(rendering.channel)
        with context.connections.lend(account) as connection:
            can_amend = isinstance(connection, AmendingConnection)
        if not can_amend:
            continue
        try:
            made = channel.render(edition_of(context, stored), account, rendering.variant)
        except RenderError as error:
            raise OperationError(f"{channel.name} cannot carry this edition: {error}") from error
        wanted = FrozenRendering([dict(part.payload) for part in made.parts], made.warnings)
        plans.append(_Plan(account, rendering, wanted))
    return plans


def _carry_out(
    context: Context, send_id: int, plan: _Plan, revision: str, operator: str
) -> Counter[Result]:
    """Correct every delivery of a rendering, as many at a time as the account has connections."""
    correction = Correction(
        context, plan.account, plan.sent, plan.wanted, words=f"{operator}: {revision[:16]}"
    )
    total: Counter[Result] = Counter()
    with ThreadPoolExecutor(plan.account.connections, "amend") as pool:
        for chunk in _delivered(context, send_id, plan.sent):
            for results in pool.map(correction.carry_out, chunk):
                total.update(results)
    with context.ledger.write() as connection:
        amendments.replace(connection, plan.sent.id, plan.wanted)
    return total


def _delivered(
    context: Context, send_id: int, rendering: SentRendering
) -> Iterator[tuple[Delivered, ...]]:
    """The deliveries of a rendering, some hundreds at a time."""
    last = 0
    while True:
        with context.ledger.read() as connection:
            chunk = amendments.delivered(connection, send_id, rendering, last)
        if not chunk:
            return
        yield chunk
        last = chunk[-1].id
