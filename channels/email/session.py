"""Hands messages over on an open connection.

The moment of a failure decides what becomes of the delivery: before the final dot the message
was provably not accepted; after it, silence means that nobody can tell.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from channels.base import Outcome
from channels.email import replies
from channels.email.account import EmailAccount
from channels.email.assemble import Message
from channels.email.commands import Stopped, as_reply, command
from channels.email.opening import open_smtp
from channels.email.replies import Phase, Reply

_GO_AHEAD, _CLOSING = 354, 421
_DATA = b"DATA\r\n"


class PipeliningBroken(Exception):
    """The relay offered PIPELINING, answered the first command of a group and not the others."""


class Session:
    """One connection to the relay, used by one thread for one message after another."""

    def __init__(self, account: EmailAccount, *, pipelining: bool = True) -> None:
        """Connects and signs in. Raises `Stopped` when that fails.

        Without `pipelining` each command waits for the reply to the one before, whatever the
        relay offers.
        """
        self._account = account
        self._smtp = open_smtp(account)
        # The last piece of a message must not wait for the receipt of the one before. A system
        # may refuse that on a connection that was cut meanwhile: the first command will tell.
        with suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pipelines = pipelining and self._smtp.has_extn("pipelining")
        self._names_size = self._smtp.has_extn("size")
        #: Messages that the relay has accepted on this connection.
        self.accepted = 0
        #: A refused message may have left a half-made envelope behind.
        self._needs_reset = False

    def transmit(self, message: Message) -> Outcome:
        """Hand `message` over and return the relay's acceptance. Raises `Stopped` otherwise.

        Raises `PipeliningBroken` when the relay cannot do what it offered; then nothing of the
        message was accepted and this connection is of no further use.
        """
        envelope = self._envelope(message)
        if self._needs_reset:
            self._reset()
        self._needs_reset = True
        if self._pipelines:
            self._open_envelope_at_once(envelope)
        else:
            for phase, line, expected in envelope:
                self._ask(phase, line, expected)
        self._send_content(message)
        reply = self._final_reply(message)
        if not reply.is_positive:
            over = reply.code == _CLOSING
            raise Stopped(replies.refused(Phase.CONTENT, reply), session_over=over)
        self._needs_reset = False
        self.accepted += 1
        return replies.accepted(reply, message.message_id)

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

    @property
    def _socket(self) -> socket.socket:
        sock = self._smtp.sock
        if sock is None:
            raise ConnectionError("the connection is closed")
        return sock

    def _envelope(self, message: Message) -> tuple[tuple[Phase, bytes, int | None], ...]:
        """The commands before the message, each with the reply that lets the next one follow."""
        options = ""
        if self._names_size:
            options += f" SIZE={len(message.content)}"
        if message.needs_smtputf8:
            if not self._smtp.has_extn("smtputf8"):
                raise Stopped(self._no_smtputf8(message), session_over=False)
            options += " SMTPUTF8 BODY=8BITMIME"
        return (
            (Phase.SENDER, f"MAIL FROM:<{message.envelope_from}>{options}\r\n".encode(), None),
            (Phase.RECIPIENT, f"RCPT TO:<{message.envelope_to}>\r\n".encode(), None),
            (Phase.CONTENT, _DATA, _GO_AHEAD),
        )

    def _no_smtputf8(self, message: Message) -> Outcome:
        place, address = self._account.place, message.envelope_to
        return replies.undeliverable(
            "smtp-no-smtputf8", f"{place} does not offer SMTPUTF8, which mail to {address} needs"
        )

    def _reset(self) -> None:
        """Forget the envelope before; a connection that cannot is of no further use."""
        try:
            self._ask(Phase.SENDER, b"RSET\r\n")
        except Stopped as stop:
            raise Stopped(
                replies.lost(f"{self._account.place} does not start anew: {stop}"),
                session_over=True,
                phase=Phase.SENDER,
                is_answered=False,
            ) from None

    def _ask(self, phase: Phase, line: bytes, expected: int | None = None) -> Reply:
        def ask() -> tuple[int, bytes]:
            self._socket.sendall(line)
            return self._smtp.getreply()

        return command(self._account, phase, ask, expected)

    def _open_envelope_at_once(self, envelope: tuple[tuple[Phase, bytes, int | None], ...]) -> None:
        """Send all commands in one piece, then read all replies (RFC 2920, section 3.1)."""
        stop: Stopped | None = None
        group = b"".join([line for _, line, _ in envelope])
        for place, (phase, _, expected) in enumerate(envelope):
            try:
                self._read_next(phase, expected, group if place == 0 else None)
            except Stopped as stopped:
                if place > 0 and not stopped.is_answered and stop is None:
                    raise PipeliningBroken(stopped.outcome.reply) from None
                stop = stop or stopped
                if stop.session_over:
                    break
            else:
                if phase is Phase.CONTENT and stop is not None:
                    self._send_nothing()
        if stop is not None:
            raise stop

    def _read_next(self, phase: Phase, expected: int | None, group: bytes | None) -> None:
        def ask() -> tuple[int, bytes]:
            if group is not None:
                self._socket.sendall(group)
            return self._smtp.getreply()

        command(self._account, phase, ask, expected)

    def _send_nothing(self) -> None:
        """End a message that the relay waits for although it refused the recipient."""
        try:
            self._socket.sendall(b".\r\n")
            self._smtp.getreply()
        except OSError as error:
            text = f"the connection to {self._account.place} was lost: {error}"
            raise Stopped(replies.lost(text), session_over=True) from None

    def _send_content(self, message: Message) -> None:
        """Send the message with its final dot; a failure means that the dot never left whole."""
        content = _dots_doubled(message.content)
        try:
            self._socket.settimeout(self._account.final_timeout_seconds)
            self._socket.sendall(content + b".\r\n")
        except OSError as error:
            text = f"the connection to {self._account.place} was lost in the message: {error}"
            raise Stopped(replies.lost(text), session_over=True) from None

    def _final_reply(self, message: Message) -> Reply:
        """The answer to the final dot; anything but a clear one leaves the fate unknown."""
        place = self._account.place
        try:
            reply = as_reply(self._account, self._smtp.getreply())
            self._socket.settimeout(self._account.timeout_seconds)
        except OSError as error:
            text = f"{place} got the whole message but did not answer: {error}"
        else:
            if reply.is_final:
                return reply
            text = f"{place} got the whole message but answered with nonsense: {reply.text}"
        self._smtp.close()
        unknown = replies.lost_after_data(text, message.message_id)
        raise Stopped(unknown, session_over=True)


def _dots_doubled(content: bytes) -> bytes:
    """RFC 5321, section 4.5.2: a line that begins with a dot gets a second one.

    Base64 has no dots, so that finding the last one leaves little to be looked through.
    """
    end = content.rfind(b".") + 1
    if content.find(b"\n.", 0, end) < 0:
        return content
    return content.replace(b"\n.", b"\n..")
