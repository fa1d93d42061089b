"""Who waits because a platform refuses us, in words: whole accounts, and mail domains on one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from distributor.ledger import breakers, stops


@dataclass(frozen=True, slots=True)
class Rest:
    """An account at rest, for a person."""

    account: str
    #: What the addresses end with that wait; empty: the whole account rests.
    ending: str
    since: datetime
    next_try: datetime
    #: The platform's code and words.
    code: str
    reply: str

    @property
    def sentence(self) -> str:
        """What waits, why, and what to do, on one line."""
        since, next_try = (f"{moment:%H:%M} UTC" for moment in (self.since, self.next_try))
        what = f"Account {self.account} has been paused"
        if self.ending:
            what = f"Deliveries to {self.ending} by account {self.account} have been paused"
        return (
            f"{what} since {since}: {self.reply or self.code}. No address was suppressed. "
            f"Fix the cause; the next attempt is at {next_try}"
        )


def of_accounts(connection: Connection, accounts: Collection[str]) -> tuple[Rest, ...]:
    """Everything that waits on one of `accounts`, whole accounts first."""
    return tuple(rest for rest in _all(connection) if rest.account in accounts)


def _all(connection: Connection) -> Iterator[Rest]:
    for breaker in breakers.all_open(connection):
        yield Rest(
            breaker.account, "", breaker.opened_at, breaker.open_until, breaker.code, breaker.reply
        )
    for stop in stops.all_(connection):
        yield Rest(
            stop.account, stop.ending, stop.opened_at, stop.open_until, stop.code, stop.reply
        )
