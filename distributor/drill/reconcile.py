"""Reconciliation: the ledger against what the platforms received, recipient by recipient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from distributor.drill.platforms import Copies
from distributor.ledger.states import OPEN_STATES, DeliveryState


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery as the ledger has it in the end."""

    channel: str
    address: str
    state: DeliveryState
    code: str


@dataclass(slots=True)
class Doubts:
    """Messages whose fate nobody could know: what allows a second copy, or `unknown`."""

    #: In flight when a worker was killed or the platforms went away: one an open connection.
    in_flight: Counter[str] = field(default_factory=Counter)
    #: Answers that a platform swallowed, by (channel, address).
    unanswered: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed on before the send."""

    #: Addresses by channel.
    audience: Mapping[str, Collection[str]]
    #: Messages of one delivery, by channel.
    parts: Mapping[str, int]
    #: (channel, address) that the platforms refuse for good.
    refused: Collection[tuple[str, str]]
    #: Channels whose account sends again what is in doubt; the others hold it as `unknown`.
    resending: Collection[str]


@dataclass(slots=True)
class Result:
    """One channel, reconciled."""

    intended: int
    #: Open connections at the moments of the blows: as many messages may be in doubt.
    in_flight: int
    states: Counter[DeliveryState] = field(default_factory=Counter)
    #: Messages that came once more.
    second_copies: int = 0
    #: Second copies, and unknown deliveries, that no swallowed answer explains.
    unexplained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def within_allowance(self) -> bool:
        """Whether no more is in doubt than was in flight when the blows fell."""
        return len(self.unexplained) <= self.in_flight

    @property
    def holds(self) -> bool:
        """Whether nobody is lost, nothing wrong and not too much in doubt."""
        return not self.lost and not self.wrong and self.within_allowance


def reconcile(
    deliveries: Sequence[Delivered], copies: Copies, doubts: Doubts, terms: Terms
) -> Mapping[str, Result]:
    """What became of everyone, by channel."""
    results = {
        channel: Result(len(addresses), doubts.in_flight[channel])
        for channel, addresses in terms.audience.items()
    }
    _find_the_missing(deliveries, copies, terms, results)
    for one in deliveries:
        _judge(one, copies.of(one.channel, one.address), doubts, terms, results[one.channel])
    return results


def _find_the_missing(
    deliveries: Sequence[Delivered],
    copies: Copies,
    terms: Terms,
    results: Mapping[str, Result],
) -> None:
    known = {(one.channel, one.address) for one in deliveries}
    for channel, addresses in terms.audience.items():
        missing = [address for address in addresses if (channel, address) not in known]
        results[channel].lost += [f"{address}: not in the ledger" for address in missing]
    for channel, address in copies.by_address:
        if (channel, address) not in known:
            results[channel].wrong.append(f"{address}: received without a delivery")


def _judge(
    one: Delivered, received: Counter[str], doubts: Doubts, terms: Terms, result: Result
) -> None:
    result.states[one.state] += 1
    parts, key = terms.parts[one.channel], (one.channel, one.address)
    if one.state in OPEN_STATES:
        result.lost.append(f"{one.address}: still {one.state.value}")
    elif one.state is DeliveryState.SENT and len(received) < parts:
        result.lost.append(f"{one.address}: sent, but received {len(received)} of {parts}")
    elif one.state is DeliveryState.FAILED and key not in terms.refused:
        result.wrong.append(f"{one.address}: failed ({one.code}), though nobody refused it")
    elif one.state is DeliveryState.FAILED and received:
        result.wrong.append(f"{one.address}: failed ({one.code}), but received")
    elif one.state not in (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN):
        result.wrong.append(f"{one.address}: {one.state.value}, which nobody asked for")
    if len(received) > parts:
        result.wrong.append(f"{one.address}: copies of one message differ")
    _count_doubt(one, received, doubts.unanswered[key], terms, result)


def _count_doubt(
    one: Delivered, received: Counter[str], unanswered: int, terms: Terms, result: Result
) -> None:
    again = received.total() - len(received)
    result.second_copies += again
    if one.channel in terms.resending:
        if one.state is DeliveryState.UNKNOWN:
            said = f"{one.address}: unknown ({one.code})"
            # A refusal of the second copy says nothing about the first one.
            was_refused = (one.channel, one.address) in terms.refused
            if was_refused:
                result.unexplained.append(said)
            else:
                result.wrong.append(f"{said}, though it is to be resent")
        result.unexplained += [f"{one.address}: received again"] * max(0, again - unanswered)
        return
    if again:
        result.wrong.append(f"{one.address}: received twice, though what is in doubt is held")
    if one.state is DeliveryState.UNKNOWN and not unanswered:
        result.unexplained.append(f"{one.address}: unknown ({one.code})")
