"""One SMTP command and its reply, with every way that this can fail made into an outcome."""

from __future__ import annotations

import base64
import smtplib
from collections.abc import Callable

from channels.base import Outcome
from channels.email import replies
from channels.email.account import EmailAccount
from channels.email.client import RawReply
from channels.email.replies import Phase, Reply

#: RFC 5321, section 3.8: the server says that it closes the connection.
_CLOSING = 421


class Stopped(Exception):
    """A message, or the whole session, came to the end that `outcome` describes."""

    def __init__(
        self,
        outcome: Outcome,
        *,
        session_over: bool,
        phase: Phase | None = None,
        is_answered: bool = True,
    ) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome
        #: The connection cannot be used for another message.
        self.session_over = session_over
        #: What the server was asked; None when that was no single command.
        self.phase = phase
        #: Whether it gave a clear answer.
        self.is_answered = is_answered


def command(
    account: EmailAccount,
    phase: Phase,
    send: Callable[[], RawReply],
    expected: int | None = None,
) -> Reply:
    """The reply to `send`, which must be `expected`, or any 2xx when that is None.

    Raises `Stopped` for another reply and for a connection lost on the way, in whatever way the
    operating system or TLS says so; never to be used for what follows a message's final dot.
    Lets other exceptions of smtplib's through.
    """
    try:
        raw = send()
    except smtplib.SMTPResponseException as error:
        raw = raw_reply(error)
    except OSError as error:
        if not _is_about_the_connection(error):
            raise
        text = f"the connection to {account.place} was lost before the message was over: {error}"
        raise Stopped(
            replies.lost(text), session_over=True, phase=phase, is_answered=False
        ) from None
    reply = as_reply(account, raw)
    if reply.code == expected or (expected is None and reply.is_positive):
        return reply
    over = reply.code == _CLOSING or not reply.is_final or phase is Phase.OPENING
    raise Stopped(
        replies.refused(phase, reply), session_over=over, phase=phase, is_answered=reply.is_final
    )


def _is_about_the_connection(error: OSError) -> bool:
    """Every exception of smtplib's is an `OSError`, whatever it is about."""
    own = isinstance(error, smtplib.SMTPException)
    return not own or isinstance(error, smtplib.SMTPServerDisconnected)


def as_reply(account: EmailAccount, raw: RawReply) -> Reply:
    """The reply in words, without the account's password in any form that a server may echo."""
    code, octets = raw
    text = octets.decode("utf-8", "replace")
    for secret in _secrets(account):
        text = text.replace(secret, "[hidden]")
    return Reply(code, text)


def raw_reply(error: smtplib.SMTPResponseException) -> RawReply:
    """The reply inside an exception of smtplib's, whose text may be of either type."""
    text = error.smtp_error
    return error.smtp_code, text.encode() if isinstance(text, str) else text


def _secrets(account: EmailAccount) -> tuple[str, ...]:
    if account.password is None:
        return ()
    password = account.password.get_secret_value()
    plain = f"\0{account.username}\0{password}"
    encoded = tuple(base64.b64encode(text.encode()).decode() for text in (password, plain))
    return tuple(secret for secret in (*encoded, password) if secret)
