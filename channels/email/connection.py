"""The contract's connection: one delivery after another over sessions that come and go."""

from __future__ import annotations

from datetime import UTC, datetime

from channels.base import AddressError, Fault, Outcome, Part, Recipient, Verdict
from channels.email import replies
from channels.email.account import EmailAccount
from channels.email.assemble import Assembler
from channels.email.commands import Stopped
from channels.email.headers import HeaderError
from channels.email.session import Session


class EmailConnection:
    """A way to the relay that opens when it is first needed and again when it was lost."""

    def __init__(self, account: EmailAccount) -> None:
        self._account = account
        self._assembler = Assembler(account)
        self._session: Session | None = None

    def deliver(self, part: Part, recipient: Recipient) -> Outcome:
        """Assemble the message, hand it over, and say what came of it."""
        try:
            message = self._assembler.assemble(part.payload, recipient, datetime.now(UTC))
        except AddressError as error:
            return replies.undeliverable("email-bad-address", str(error))
        except HeaderError as error:
            return Outcome(Verdict.FAILED, "email-bad-header", str(error), fault=Fault.CONTENT)
        try:
            return self._ready_session().transmit(message)
        except Stopped as stop:
            if stop.session_over and self._session is not None:
                self._session.abandon()
                self._session = None
            return stop.outcome

    def close(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _ready_session(self) -> Session:
        """The open session if it can take another message, else a new one."""
        session = self._session
        if session is not None:
            if session.accepted < self._account.messages_per_connection and session.reset():
                return session
            self.close()
        self._session = Session(self._account)
        return self._session
