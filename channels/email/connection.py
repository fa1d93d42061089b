"""The contract's connection: one delivery after another over sessions that come and go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from channels.base import AddressError, Fault, Outcome, Part, Recipient, Verdict
from channels.email import replies
from channels.email.account import EmailAccount
from channels.email.address import domain_of
from channels.email.assemble import Assembler, Message
from channels.email.commands import Stopped
from channels.email.dkim_keys import KeyProblem
from channels.email.headers import HeaderError
from channels.email.replies import Phase
from channels.email.session import PipeliningBroken, Session

_CLOSING = "smtp-421"


class EmailConnection:
    """A way to the relay that opens when it is first needed and again when it was lost."""

    def __init__(self, account: EmailAccount) -> None:
        self._account = account
        self._assembler: Assembler | None = None
        self._session: Session | None = None
        #: Off once the relay has shown that it cannot do what it offers.
        self._pipelining = True

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Assemble the message, hand it over, and say what came of it."""
        try:
            if self._assembler is None:
                self._assembler = Assembler(self._account)
            message = self._assembler.assemble(part.payload, recipient, datetime.now(UTC))
        except KeyProblem as problem:
            return replies.misconfigured("email-dkim-key", str(problem))
        except AddressError as error:
            return replies.undeliverable("email-bad-address", str(error))
        except HeaderError as error:
            return Outcome(Verdict.FAILED, "email-bad-header", str(error), fault=Fault.CONTENT)
        return _with_domain(self._hand_over(message), message)

    def close(self) -> None:
        """End the session, if there is one; a later `deliver` opens another."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _hand_over(self, message: Message) -> Outcome:
        """Transmit, on another connection where one provably was of no use any more.

        That ends: a new connection was not closed before, and pipelining breaks once.
        """
        is_used = self._session is not None
        try:
            return self._transmit(message)
        except PipeliningBroken:
            self._pipelining = False
        except Stopped as stop:
            if not (is_used and _was_closed_before(stop)):
                return stop.outcome
        return self._hand_over(message)

    def _transmit(self, message: Message) -> Outcome:
        """Transmit on the session there is; keeps it only where it can take another message."""
        try:
            return self._ready_session().transmit(message)
        except Stopped as stop:
            if stop.session_over:
                self._abandon()
            raise
        except BaseException:
            self._abandon()
            raise

    def _ready_session(self) -> Session:
        """The open session if it can take another message, else a new one."""
        session = self._session
        if session is not None:
            if session.accepted < self._account.messages_per_connection:
                return session
            self.close()
        self._session = Session(self._account, pipelining=self._pipelining)
        return self._session

    def _abandon(self) -> None:
        if self._session is not None:
            self._session.abandon()
            self._session = None


def _was_closed_before(stop: Stopped) -> bool:
    """Whether the relay had enough of an open connection, before it heard of this message."""
    is_closing = not stop.is_answered or stop.outcome.code.startswith(_CLOSING)
    return stop.phase is Phase.SENDER and is_closing


def _with_domain(outcome: Outcome, message: Message) -> Outcome:
    """A refusal for our own fault, or on the way there, holds for everybody at that domain."""
    ending = f"@{domain_of(message.envelope_to)}"
    if outcome.fault is Fault.DESTINATION:
        return replace(outcome, destination=ending)
    if outcome.fault is Fault.ACCOUNT and outcome.verdict is Verdict.FAILED:
        return replace(outcome, stops=ending)
    return outcome
