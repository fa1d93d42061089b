"""Bounces and complaints: found to belong to a delivery, and what follows for the address."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from channels.base import Fault, Outcome
from channels.email import replies, reports
from channels.email.address import domain_of
from channels.email.findings import ReportKind
from channels.email.reports import Report
from distributor.audience.delivery_key import DeliveryKey, of_message_id
from distributor.audience.errors import InvalidToken
from distributor.bounces.source import Disposal
from distributor.engine.context import Context
from distributor.ledger import reachability, returns, stops, strikes
from distributor.ledger.returns import Returned, StoredReport
from distributor.ledger.states import DeliveryState
from distributor.suppression import SuppressionReason

_CHANNEL = "email"
_COMPLAINT = SuppressionReason.COMPLAINT
#: `send-revision-subscriber` before the @ of our Message-IDs.
_UNSUBSCRIBE_PATH = re.compile(r"/unsubscribe/([A-Za-z0-9_-]{1,100})(?:$|[/?#])")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a message from the bounce mailbox was, and what was done about it."""

    report: Report
    #: The delivery that it is about; None when no such delivery is known.
    delivery: Returned | None
    #: On one line, for people.
    effect: str
    #: The same report was taken in before, so that nothing was done.
    is_known: bool = False
    #: Its delivery is still `sending`, so that nothing was done or written down: try again later.
    is_early: bool = False

    @property
    def is_letter(self) -> bool:
        """Somebody may want to read it, and nothing else is done about it."""
        return self.report.kind is ReportKind.OTHER

    @property
    def disposal(self) -> Disposal:
        """What becomes of the message where it came from."""
        if self.is_early:
            return Disposal.LATER
        return Disposal.LEAVE if self.is_letter else Disposal.PUT_AWAY

    def as_json(self) -> dict[str, object]:
        """The object of one line of `bounces --json`."""
        delivery = self.delivery
        return {
            "kind": self.report.kind.value,
            "status": self.report.status,
            "words": self.report.words,
            "send": delivery.send_id if delivery else None,
            "delivery": delivery.id if delivery else None,
            "address": delivery.address if delivery else None,
            "effect": self.effect,
            "known": self.is_known,
            "early": self.is_early,
        }


def take_in(context: Context, octets: bytes, envelope_to: str = "") -> Taken:
    """Read a message from the bounce mailbox, act on it, and write it down; all or nothing.

    Taking in the same message again does nothing. A report that is faster than our own word to the
    ledger, that its message was accepted, is early: it has to come again. `envelope_to`: whom it
    was delivered to, where the mail server tells.
    """
    report = reports.read(octets, envelope_to)
    digest = _digest(octets, envelope_to)
    at = context.now()
    with context.ledger.write() as connection:
        found, matched_by = _match(context, connection, report)
        if found is None and report.letter:
            # It looks like a report by its words alone, and about nothing of ours: a person's.
            report = replace(report, kind=ReportKind.OTHER, status="")
        if returns.is_known(connection, digest):
            return Taken(report, found, "was taken in before", is_known=True)
        if _is_early(report, found):
            return Taken(report, found, "the delivery is under way: try later", is_early=True)
        done = _act(connection, report, found, at)
        returns.keep(
            connection,
            StoredReport(
                digest=digest,
                kind=report.kind.value,
                delivery_id=found.id if found else None,
                matched_by=matched_by,
                address=", ".join(report.addresses)[:500],
                code=_code(report),
                words=report.words,
                effect=done.effect,
                ending=done.ending,
                letter=report.letter if report.kind is ReportKind.OTHER else None,
                at=at,
            ),
        )
    return Taken(report, found, done.effect)


def _digest(octets: bytes, envelope_to: str) -> str:
    """What makes a message the same: its bytes, and which of our addresses it was for.

    A mail system may write one text to the senders of several messages.
    """
    digest = hashlib.sha256(octets)
    if envelope_to:
        digest.update(b"\0" + envelope_to.lower().encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _is_early(report: Report, found: Returned | None) -> bool:
    acts = report.kind in (ReportKind.BOUNCE, ReportKind.COMPLAINT)
    return acts and found is not None and found.state is DeliveryState.SENDING


def latest(
    context: Context, limit: int, kind: ReportKind | None = None
) -> tuple[StoredReport, ...]:
    """The newest reports first, of one kind or of all."""
    with context.ledger.read() as connection:
        return tuple(returns.latest(connection, limit, kind.value if kind else None))


def _match(
    context: Context, connection: Connection, report: Report
) -> tuple[Returned | None, str | None]:
    """The delivery that `report` is about, and how that is known."""
    for address in report.sent_to:
        for claim in context.bounce_tokens.find(address):
            if found := _find(connection, claim):
                return found, "verp"
    if token := _UNSUBSCRIBE_PATH.search(report.unsubscribe_url):
        try:
            claim = context.tokens.read(token[1])
        except InvalidToken:
            pass
        else:
            if found := _find(connection, claim):
                return found, "unsubscribe"
    return _match_message_id(connection, report)


def _match_message_id(connection: Connection, report: Report) -> tuple[Returned | None, str | None]:
    """By Message-ID, which is no secret: the report must also name the right address.

    Every reader knows what the others' Message-IDs look like, but not which address has which:
    without that, one reader could have another suppressed. The ledger learns of a Message-ID with
    the acceptance; before, nothing is known but that the report is early.
    """
    key = of_message_id(report.message_id)
    if key is None:
        return None, None
    found = _find(connection, key)
    if found is None:
        return None, None
    is_unwritten = found.state is DeliveryState.SENDING and found.message_id is None
    if found.message_id != report.message_id and not is_unwritten:
        return None, None
    if found.address not in report.addresses:
        return None, None
    return found, "message-id"


def _find(connection: Connection, claim: DeliveryKey) -> Returned | None:
    found = returns.find(connection, send_id=claim.send_id, subscriber_id=claim.subscriber_id)
    return found if found is not None and found.channel == _CHANNEL else None


@dataclass(frozen=True, slots=True)
class _Done:
    #: In words, for people.
    effect: str
    #: What the address ends with, if this speaks against the whole group.
    ending: str | None = None


def _act(connection: Connection, report: Report, found: Returned | None, at: datetime) -> _Done:
    """Do what the report demands."""
    match report.kind:
        case ReportKind.OTHER:
            return _Done("no report: kept for a person to read (bounces show --kind other)")
        case ReportKind.AUTO_REPLY:
            return _Done("a machine answered for the reader: nothing to do")
        case ReportKind.DELAY:
            return _Done("not yet delivered, the other side goes on trying: nothing to do")
        case _ if found is None:
            return _Done("about no delivery that is known here: nothing done")
        case ReportKind.COMPLAINT:
            return _Done(_complained(connection, report, found, at))
    return _bounced(connection, report, found, at)


def _complained(connection: Connection, report: Report, found: Returned, at: datetime) -> str:
    moved = returns.mark(
        connection,
        found.id,
        DeliveryState.COMPLAINED,
        code=_COMPLAINT,
        words=report.words,
        at=at,
    )
    _suppress(connection, found, _COMPLAINT, report, at)
    return (
        f"{_moved(moved, DeliveryState.COMPLAINED)}; {found.address} is suppressed ({_COMPLAINT})"
    )


def _bounced(connection: Connection, report: Report, found: Returned, at: datetime) -> _Done:
    """By the rules of a refusal at once (see `channels.email.replies`)."""
    meaning = replies.returned(report.status, report.words)
    moved = returns.mark(
        connection, found.id, DeliveryState.BOUNCED, code=meaning.code, words=report.words, at=at
    )
    told = _moved(moved, DeliveryState.BOUNCED)
    if meaning.suppress is not None:
        return _Done(f"{told}; {_strike(connection, report, found, meaning.suppress, at)}")
    if meaning.fault is not Fault.ACCOUNT:
        return _Done(told)
    told += "; our own fault, so nobody is suppressed"
    # One delivery speaks once, however many bounces its reader sends.
    return _speak_against(connection, found, meaning, told, at) if moved else _Done(told)


def _strike(
    connection: Connection, report: Report, found: Returned, reason: SuppressionReason, at: datetime
) -> str:
    is_enough = strikes.add(
        connection, _CHANNEL, found.address, reason, send_id=found.send_id, at=at
    )
    if is_enough:
        _suppress(connection, found, reason, report, at)
    words = "is suppressed" if is_enough else "has a strike against it"
    return f"{found.address} {words} ({reason})"


def _speak_against(
    connection: Connection, found: Returned, meaning: Outcome, told: str, at: datetime
) -> _Done:
    """Let the address's domain wait, once enough of its readers' mail came back."""
    ending = f"@{domain_of(found.address)}"
    if not returns.refuses_the_group(connection, found, ending, meaning.code, at):
        return _Done(f"{told}; {ending} waits if more of its mail comes back so", ending)
    stops.open_(connection, found.account, ending, code=meaning.code, reply=meaning.reply, at=at)
    return _Done(f"{told} and {ending} waits", ending)


def _suppress(
    connection: Connection, found: Returned, reason: SuppressionReason, report: Report, at: datetime
) -> None:
    detail = f"send {found.send_id}: {_code(report)} {report.words}"
    reachability.suppress(
        connection, _CHANNEL, found.address, reason=reason, detail=detail, at=at, source="bounce"
    )


def _moved(moved: bool, state: DeliveryState) -> str:
    return f"the delivery is {state.value}" if moved else "the delivery was not `sent` and stays"


def _code(report: Report) -> str:
    if report.kind in (ReportKind.BOUNCE, ReportKind.DELAY):
        return f"dsn-{report.status}" if report.status else "dsn"
    return report.kind.value
