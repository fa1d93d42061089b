"""Hands messages over on an open connection.

The moment of a failure decides what becomes of the delivery: before the final dot the message
was provably not accepted; after it, silence means that nobody can tell.
"""

from __future__ import annotations

import re
import ssl

from channels.base import Outcome
from channels.email import replies
from channels.email.account import EmailAccount
from channels.email.assemble import Message
from channels.email.commands import RawReply, Stopped, as_reply, command
from channels.email.opening import open_smtp
from channels.email.replies import Phase, Reply

_GO_AHEAD, _CLOSING = 354, 421

#: RFC 5321, section 4.5.2: a line that begins with a dot gets a second one.
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class Session:
    """One connection to the relay, used by one thread for one message after another."""

    def __init__(self, account: EmailAccount) -> None:
        """Connects and signs in. Raises `Stopped` when that fails."""
        self._account = account
        self._smtp = open_smtp(account)
        #: Messages that the relay has accepted on this connection.
        self.accepted = 0

    def transmit(self, message: Message) -> Outcome:
        """Hand `message` over and return the relay's acceptance. Raises `Stopped` otherwise."""
        smtp, account = self._smtp, self._account
        command(account, Phase.SENDER, lambda: self._mail(message))
        command(account, Phase.RECIPIENT, lambda: smtp.rcpt(message.envelope_to))
        command(account, Phase.CONTENT, lambda: smtp.docmd("DATA"), expected=_GO_AHEAD)
        self._send_content(message)
        reply = self._final_reply(message)
        if not reply.is_positive:
            over = reply.code == _CLOSING
            raise Stopped(replies.refused(Phase.CONTENT, reply), session_over=over)
        self.accepted += 1
        return replies.accepted(reply, message.message_id)

    def reset(self) -> bool:
        """Make ready for the next message; False when the connection has gone meanwhile."""
        try:
            code, _ = self._smtp.rset()
        except OSError:
            return False
        return Reply(code, "").is_positive

    def close(self) -> None:
        """Say goodbye, if anybody still listens."""
        try:
            self._smtp.quit()
        except OSError:
            self.abandon()

    def abandon(self) -> None:
        """Close the connection without a word."""
        self._smtp.close()

    def describe(self) -> str:
        """What answered and what it offers, in a sentence."""
        sock = self._smtp.sock
        encryption = sock.version() if isinstance(sock, ssl.SSLSocket) else "no encryption"
        user = self._account.username
        offers = ", ".join(sorted(name.upper() for name in self._smtp.esmtp_features))
        return (
            f"{self._account.place} answered with {encryption}, "
            f"{f'signed in as {user}' if user else 'no login'}; "
            f"it offers {offers or 'no extensions'}"
        )

    def _mail(self, message: Message) -> RawReply:
        options = []
        if self._smtp.has_extn("size"):
            options.append(f"SIZE={len(message.content)}")
        if message.needs_smtputf8:
            if not self._smtp.has_extn("smtputf8"):
                raise Stopped(self._no_smtputf8(message), session_over=False)
            options += ["SMTPUTF8", "BODY=8BITMIME"]
        return self._smtp.mail(message.envelope_from, options)

    def _no_smtputf8(self, message: Message) -> Outcome:
        place, address = self._account.place, message.envelope_to
        return replies.undeliverable(
            "smtp-no-smtputf8", f"{place} does not offer SMTPUTF8, which mail to {address} needs"
        )

    def _send_content(self, message: Message) -> None:
        """Send the message with its final dot; a failure means that the dot never left whole."""
        stuffed = _LEADING_DOT.sub(b"..", message.content)
        try:
            self._smtp.send(stuffed + b".\r\n")
        except OSError as error:
            text = f"the connection to {self._account.place} was lost in the message: {error}"
            raise Stopped(replies.lost(text), session_over=True) from None

    def _final_reply(self, message: Message) -> Reply:
        """The answer to the final dot; anything but a clear one leaves the fate unknown."""
        place = self._account.place
        try:
            reply = as_reply(self._account, self._smtp.getreply())
        except OSError as error:
            text = f"{place} got the whole message but did not answer: {error}"
        else:
            if reply.is_final:
                return reply
            text = f"{place} got the whole message but answered with nonsense: {reply.text}"
        self._smtp.close()
        unknown = replies.lost_after_data(text, message.message_id)
        raise Stopped(unknown, session_over=True)
