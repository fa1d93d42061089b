"""Where bounces and complaints are taken in from: mailboxes, Maildirs, and a listener."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import OperationalError

from channels.email.account import EmailAccount
from distributor.bounces import mailbox, maildir
from distributor.bounces.source import Disposal, NotTaken, SourceUnreachable
from distributor.engine.context import Context
from distributor.ledger.database import LedgerUnavailable
from distributor.operations import bounces
from distributor.operations.bounces import Taken
from distributor.operations.errors import OperationError, WrongRequest
from distributor.settings import Settings


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of the unread messages of a mailbox."""

    #: How many were taken in for the first time.
    new: int
    #: How many could not be taken in; the log says which and why.
    left: int


def take_in(context: Context, octets: bytes, envelope_to: str = "") -> Taken:
    """`bounces.take_in`, raising `NotTaken` where the message itself makes it fail.

    A ledger that cannot be reached fails with every message, and goes through as it is.
    """
    try:
        return bounces.take_in(context, octets, envelope_to)
    except (OperationalError, LedgerUnavailable):
        raise
    except Exception as error:
        raise NotTaken from error


def fetch(context: Context, account: EmailAccount, tell: Callable[[Taken], None]) -> Fetched:
    """Take in what is unread in the account's mailbox.

    Raises `OperationError` when it cannot be read.
    """
    password = account.bounce_password
    if password is None:
        raise WrongRequest(
            f"account {account.name} has no bounce_mailbox in the configuration; "
            "see config/production.example.toml"
        )
    try:
        place = mailbox.Mailbox.of(account.bounce_mailbox)
    except ValueError as error:
        raise WrongRequest(f"accounts.{account.name}.bounce_mailbox {error}") from None
    taker = _Taker(context, tell)
    try:
        mailbox.fetch(place, password.get_secret_value(), taker)
    except SourceUnreachable as error:
        raise OperationError(str(error)) from error
    return taker.fetched


def fetch_maildir(context: Context, folder: Path, tell: Callable[[Taken], None]) -> Fetched:
    """Take in what is unread in a Maildir; as `fetch`."""
    taker = _Taker(context, tell)
    try:
        maildir.fetch(folder, taker)
    except SourceUnreachable as error:
        raise OperationError(str(error)) from error
    return taker.fetched


def listen(
    context: Context,
    host: str,
    port: int,
    *,
    lmtp: bool,
    tell: Callable[[Taken], None],
    started: Callable[[int], None],
) -> None:
    """Take in what a mail server hands over, until this process is told to end."""
    from distributor.bounces import listener

    def is_ours(address: str) -> bool:
        is_token = next(iter(context.bounce_tokens.find(address)), None) is not None
        return is_token or address.lower() in senders

    accounts = email_accounts(context.settings)
    senders = {account.envelope_sender("").lower() for account in accounts}
    try:
        listener.listen(
            host, port, lmtp=lmtp, is_ours=is_ours, take=_Taker(context, tell), started=started
        )
    except SourceUnreachable as error:
        raise OperationError(str(error)) from error


def email_accounts(settings: Settings) -> tuple[EmailAccount, ...]:
    """The email accounts there are."""
    return tuple(one for one in settings.accounts.values() if isinstance(one, EmailAccount))


@dataclass
class _Taker:
    """Takes messages in, and tells about each once: letters stay where they are."""

    context: Context
    tell: Callable[[Taken], None]
    #: How many it told about, and how many failed.
    new: int = 0
    left: int = 0

    def __call__(self, octets: bytes, envelope_to: str) -> Disposal:
        try:
            taken = take_in(self.context, octets, envelope_to)
        except NotTaken:
            self.left += 1
            raise
        if not (taken.is_letter and taken.is_known):
            self.tell(taken)
            self.new += 1
        return taken.disposal

    @property
    def fetched(self) -> Fetched:
        return Fetched(self.new, self.left)
