"""Opens a connection to the relay: connect, EHLO, encryption, login."""

from __future__ import annotations

import smtplib
import ssl

from channels.base import Outcome
from channels.email import replies
from channels.email.account import EmailAccount, Security
from channels.email.client import Client, RawReply, TlsClient
from channels.email.commands import Stopped, as_reply, command, raw_reply
from channels.email.replies import Phase, Reply


def open_smtp(account: EmailAccount) -> smtplib.SMTP:
    """A connection on which messages can be sent.

    Raises `Stopped`; its outcome says what went wrong and what to do about it.
    """
    smtp = _connect(account)
    try:
        _greet(smtp, account)
        if account.security is Security.STARTTLS:
            _start_tls(smtp, account)
            _greet(smtp, account)
        if account.password is not None:
            _sign_in(smtp, account, account.password.get_secret_value())
    except BaseException:
        smtp.close()
        raise
    return smtp


def tls_context(account: EmailAccount) -> ssl.SSLContext:
    """Python's defaults, which verify certificate and host name unless the account says no."""
    context = ssl.create_default_context()
    if not account.verify_certificates:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connect(account: EmailAccount) -> smtplib.SMTP:
    # The name in EHLO is our domain: smtplib would ask DNS for this machine's, which can hang.
    timeout, name = account.timeout_seconds, account.domain
    try:
        if account.security is Security.TLS:
            context = tls_context(account)
            return TlsClient(account.host, account.port, name, timeout=timeout, context=context)
        return Client(account.host, account.port, name, timeout=timeout)
    except smtplib.SMTPConnectError as error:
        outcome = replies.refused(Phase.OPENING, as_reply(account, raw_reply(error)))
    except ssl.SSLError as error:
        outcome = _tls_outcome(account, error)
    # A host name that cannot be one is found out as a UnicodeError.
    except (OSError, UnicodeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error) or repr(error)
        outcome = replies.unreachable(
            f"no connection to {account.place}: {why}; check that the relay is running and "
            "that host and port are right"
        )
    raise Stopped(outcome, session_over=True)


def _greet(smtp: smtplib.SMTP, account: EmailAccount) -> None:
    def greet() -> RawReply:
        code, text = smtp.ehlo()
        return (code, text) if Reply(code, "").is_positive else smtp.helo()

    command(account, Phase.OPENING, greet)


def _start_tls(smtp: smtplib.SMTP, account: EmailAccount) -> None:
    if not smtp.has_extn("starttls"):
        raise Stopped(
            replies.misconfigured(
                "smtp-no-starttls",
                f"{account.place} does not offer STARTTLS and nothing is sent unencrypted; "
                "check the port, or set security to tls or none",
            ),
            session_over=True,
        )

    def start() -> RawReply:
        try:
            return smtp.starttls(context=tls_context(account))
        except ssl.SSLError as error:
            # To `command` it would be a lost connection, and nobody would hear of a certificate.
            raise Stopped(_tls_outcome(account, error), session_over=True) from None

    command(account, Phase.OPENING, start)


def _sign_in(smtp: smtplib.SMTP, account: EmailAccount, password: str) -> None:
    try:
        command(account, Phase.OPENING, lambda: smtp.login(account.username, password))
    except smtplib.SMTPException:
        raise Stopped(
            replies.misconfigured(
                "smtp-no-auth",
                f"{account.place} offers no way to sign in that this program knows; "
                "check port and security, or remove username and password",
            ),
            session_over=True,
        ) from None


def _tls_outcome(account: EmailAccount, error: ssl.SSLError) -> Outcome:
    if isinstance(error, ssl.SSLCertVerificationError):
        return replies.misconfigured(
            "smtp-certificate",
            f"the certificate of {account.place} is not to be trusted: {error.verify_message}; "
            "check host, or have the certificate renewed",
        )
    return replies.tls_failed(
        f"no encrypted connection to {account.place}: {error.reason or error}; "
        "check that port and security belong together"
    )
