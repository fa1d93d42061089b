"""Is everything set up right, and what to do if not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from channels import registry
from channels.base import Account, AccountUnreachable
from distributor.digest.sources.model import SourceUnreachable
from distributor.engine import broker, heartbeat
from distributor.engine.context import utc_now
from distributor.engine.embedded_redis import RedisUnavailable
from distributor.engine.heartbeat import worker_role
from distributor.engine.hints import CONTROL_QUEUE
from distributor.ledger import standstills as standstills_
from distributor.ledger.database import Ledger, LedgerUnavailable
from distributor.operations import importing, rests, roster, standstills
from distributor.settings import Settings


class Health(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    #: Works, but not as a production service should.
    WARNING = "warning"
    #: Of no use until it is put right.
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do if it is not well."""

    subject: str
    health: Health
    #: What was found and, when it is not well, what to do.
    message: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Every part of the installation, one finding at a time as each is known."""
    yield _ledger(settings)
    yield _redis(settings)
    yield from _roles(settings)
    for account in settings.accounts.values():
        yield examine_account(account)
    yield from _sources(settings)
    yield from _what_waits(settings)
    yield from _channels_without_account(settings)
    yield _public_address(settings)


def examine_host(settings: Settings) -> Iterator[Finding]:
    """Redis, and what the workers and the scheduler of this host do; cheap enough to ask often.

    A process that hangs, or cannot reach Redis, is not among those alive.
    """
    yield _redis(settings)
    host = socket.gethostname()
    idle = True
    for role, processes in roster.look(settings).processes.items():
        if own := [process for process in processes if process.rpartition(":")[0] == host]:
            idle = False
            yield Finding(role, Health.OK, f"alive: {', '.join(own)}")
    if idle:
        yield Finding(f"host {host}", Health.BROKEN, "no worker or scheduler here is alive")


def examine_account(account: Account) -> Finding:
    """Whether the platform behind `account` answers; nothing is sent."""
    subject = f"account {account.name}"
    try:
        return Finding(subject, Health.OK, registry.get(account.channel).check(account))
    except AccountUnreachable as error:
        return Finding(subject, Health.BROKEN, str(error))


def _ledger(settings: Settings) -> Finding:
    try:
        ledger = Ledger(settings.ledger_url).open()
    except LedgerUnavailable as error:
        return Finding("ledger", Health.BROKEN, str(error))
    kind = "SQLite" if ledger.is_sqlite else "PostgreSQL"
    place = ledger.place
    ledger.close()
    return Finding("ledger", Health.OK, f"{kind} at {place}, schema up to date")


def _what_waits(settings: Settings) -> Iterator[Finding]:
    """Who is refused, and what stands still although it could move."""
    try:
        ledger = Ledger(settings.ledger_url).open()
    except LedgerUnavailable:
        return
    at = utc_now()
    try:
        with ledger.read() as connection:
            refused = rests.of_accounts(connection, settings.accounts)
            still = standstills_.all_(connection, at)
    finally:
        ledger.close()
    for rest in refused:
        yield Finding(f"account {rest.account}", Health.WARNING, rest.sentence)
    for one in still:
        yield Finding(f"send {one.send_id}", Health.WARNING, standstills.sentence(one, at))


def _redis(settings: Settings) -> Finding:
    try:
        return Finding("redis", Health.OK, broker.check(settings))
    except RedisUnavailable as error:
        # The embedded one runs only while the program does.
        health = Health.WARNING if settings.is_embedded_redis else Health.BROKEN
        return Finding("redis", health, str(error))


def _roles(settings: Settings) -> Iterator[Finding]:
    seen = roster.look(settings)
    alive = seen.processes
    channels = sorted({account.channel for account in settings.accounts.values()})
    roles = [*map(worker_role, (CONTROL_QUEUE, *channels)), heartbeat.SCHEDULER]
    if settings.sources:
        roles.append(heartbeat.WATCHER)
    for role in roles:
        if processes := alive.get(role):
            yield Finding(role, Health.OK, f"alive: {', '.join(processes)}")
        else:
            command = role.partition(":")[0]
            yield Finding(
                role,
                Health.WARNING,
                f"not running; start it with: distributor {command} (or all: distributor up)",
            )
    if roster.sweeps_in_vain(seen):
        yield Finding("sweeper", Health.WARNING, roster.late_sweep(seen))
    elif seen.seconds_since_sweep is not None:
        ago = f"the last sweep over the ledger ended {seen.seconds_since_sweep:.0f} seconds ago"
        yield Finding("sweeper", Health.OK, ago)
    for host, ahead in seen.wrong_clocks.items():
        yield Finding(f"clock of {host}", Health.WARNING, _wrong_clock(ahead))


def _wrong_clock(ahead: float) -> str:
    where = "ahead of" if ahead > 0 else "behind"
    return (
        f"{abs(ahead):.1f} seconds {where} that of Redis; leases and retries go by the clocks of "
        "the machines: keep all of them right with NTP (chrony, systemd-timesyncd)"
    )


def _sources(settings: Settings) -> Iterator[Finding]:
    for source in importing.sources_of(settings):
        subject = f"source {source.name}"
        try:
            yield Finding(subject, Health.OK, source.check())
        except SourceUnreachable as error:
            yield Finding(subject, Health.BROKEN, str(error))


def _channels_without_account(settings: Settings) -> Iterator[Finding]:
    for channel in registry.names():
        if not settings.accounts_of(channel):
            yield Finding(
                f"channel {channel}",
                Health.OK,
                f'not used: no [accounts.NAME] table has channel = "{channel}"',
            )


def _public_address(settings: Settings) -> Finding:
    url = urlsplit(settings.public_url)
    if url.hostname in ("127.0.0.1", "localhost", "::1", "0.0.0.0"):  # noqa: S104
        return Finding(
            "web address",
            Health.WARNING,
            f"{settings.public_url} can be reached from this machine only: set web.public_url "
            "before sending to real readers, or their unsubscribe links lead nowhere",
        )
    if url.scheme != "https":
        return Finding(
            "web address",
            Health.WARNING,
            f"{settings.public_url} is not https, which one-click unsubscribe requires (RFC 8058)",
        )
    return Finding("web address", Health.OK, settings.public_url)
