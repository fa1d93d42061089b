"""Hosts, each with a disk of its own, work on one send over one database and one Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import redis
import sqlalchemy as sa

from distributor.engine import heartbeat
from distributor.engine.heartbeat import worker_role
from distributor.ledger import sends, tables
from distributor.ledger.database import Ledger
from distributor.ledger.states import DeliveryState, SendState
from tests.acceptance.conftest import NewMachine
from tests.acceptance.machine import Machine
from tests.support.platforms import Platforms
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

_READERS = 240
#: Connections that a worker has open to the relay, each with one message on its way.
_LANES = 4


@pytest.fixture
def shared(mail_only: dict[str, str], postgres_url: str, valkey_url: str) -> dict[str, str]:
    """Settings of every host. What is in doubt stays so, and can be counted."""
    return {
        **mail_only,
        "DISTRIBUTOR_DATABASE_URL": postgres_url,
        "DISTRIBUTOR_REDIS_URL": valkey_url,
        "DISTRIBUTOR_WEB_SECRET": "the same on every host of the fleet",
        "DISTRIBUTOR_SENDING_LANES": str(_LANES),
        "DISTRIBUTOR_SENDING_LEASE_SECONDS": "5",
        "DISTRIBUTOR_ACCOUNTS_RELAY_ON_UNKNOWN": "hold",
    }


@pytest.fixture
def ledger(postgres_url: str) -> Iterator[Ledger]:
    opened = Ledger(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def planning(new_machine: NewMachine, shared: dict[str, str], at_platforms: Platforms) -> Machine:
    """The host that plans and sweeps, and delivers nothing."""
    # The whole send would last ten seconds and more: tests let it, until enough has happened.
    at_platforms.misbehave("smtp", "slow", seconds=0.5, stage="data")
    host = new_machine(host="planning", **shared)
    host.subscribe(*(("email", f"reader-{number}@news.dev") for number in range(_READERS)))
    host.start("worker", "--channel", "control")
    host.start("scheduler")
    return host


def test_they_share_a_send_and_nobody_gets_it_twice(
    new_machine: NewMachine,
    at_platforms: Platforms,
    planning: Machine,
    shared: dict[str, str],
    ledger: Ledger,
) -> None:
    small = {**shared, "DISTRIBUTOR_SENDING_BATCH_SIZE": "5"}
    hosts = [new_machine(host=name, **small) for name in ("one", "other")]
    for host in hosts:
        host.start("worker", "--channel", "email")
    wait_for_workers(shared, email=2)

    start_sending(planning)
    eventually(lambda: hosts_of_attempts(ledger) == {"one", "other"})
    at_platforms.behave()

    wait_for_the_end(ledger)
    assert copies(at_platforms) == dict.fromkeys(everybody(), 1)


def test_of_a_worker_killed_on_one_host_only_what_was_on_its_way_is_in_doubt(
    new_machine: NewMachine,
    at_platforms: Platforms,
    planning: Machine,
    shared: dict[str, str],
    ledger: Ledger,
) -> None:
    """Its journal is read by whatever worker still runs beside it, before its leases end."""
    one, other = (new_machine(host=name, **shared) for name in ("one", "other"))
    one.start("worker", "--channel", "telegram")
    one.start("worker", "--channel", "email")
    other.start("worker", "--channel", "email")
    wait_for_workers(shared, email=2, telegram=1)

    start_sending(planning)
    kill_while_sending(one, at_platforms)

    wait_for_the_end(ledger)
    in_doubt = readers(ledger, DeliveryState.UNKNOWN)
    received = copies(at_platforms)
    assert len(in_doubt) <= _LANES
    assert set(received.values()) == {1}
    assert readers(ledger, DeliveryState.SENT) | in_doubt == everybody()
    assert readers(ledger, DeliveryState.SENT) <= set(received)


def test_a_host_that_comes_back_tells_at_once_what_its_lost_workers_had_sent(
    new_machine: NewMachine,
    at_platforms: Platforms,
    planning: Machine,
    shared: dict[str, str],
    ledger: Ledger,
) -> None:
    one, other = (new_machine(host=name, **shared) for name in ("one", "other"))
    one.start("worker", "--channel", "email")
    other.start("worker", "--channel", "email")
    wait_for_workers(shared, email=2)
    start_sending(planning)
    kill_while_sending(one, at_platforms)
    wait_for_the_end(ledger)
    assert has_journals(one)

    one.host = "a container made anew, on the same disk"
    one.start("worker", "--channel", "telegram")

    eventually(lambda: not has_journals(one))
    arrived_in_doubt = readers(ledger, DeliveryState.UNKNOWN) & set(copies(at_platforms))
    assert len(arrived_in_doubt) <= _LANES


def everybody() -> set[str]:
    return {f"reader-{number}@news.dev" for number in range(_READERS)}


def start_sending(host: Machine) -> None:
    started = host.run("send", host.file, "--list", "daily", "--json")
    assert started.code == 0, started.err


def kill_while_sending(host: Machine, platforms: Platforms) -> None:
    """Kill the host's email worker while the send is well under way there."""
    eventually(lambda: copies(platforms).total() >= 4 * _LANES and has_journals(host))
    host.kill("worker", "--channel", "email")
    platforms.behave()


def has_journals(host: Machine) -> bool:
    return any((host.var / "journal").glob("*.journal"))


def copies(platforms: Platforms) -> Counter[str]:
    return Counter(str(mail["address"]) for mail in platforms.received("smtp"))


def wait_for_workers(shared: dict[str, str], **wanted: int) -> None:
    """Until so many workers of each channel show signs of life."""

    def seen() -> dict[str, int]:
        alive = heartbeat.alive(client)
        return {channel: len(alive.get(worker_role(channel), ())) for channel in wanted}

    with redis.Redis.from_url(shared["DISTRIBUTOR_REDIS_URL"]) as client:
        eventually(lambda: seen() == wanted)


def wait_for_the_end(ledger: Ledger) -> None:
    def is_finished() -> bool:
        with ledger.read() as connection:
            send = sends.find(connection, 1)
        return send is not None and send.state is SendState.FINISHED

    eventually(is_finished)


def readers(ledger: Ledger, state: DeliveryState) -> set[str]:
    table = tables.deliveries
    with ledger.read() as connection:
        return set(connection.scalars(sa.select(table.c.address).where(table.c.state == state)))


def hosts_of_attempts(ledger: Ledger) -> set[str]:
    with ledger.read() as connection:
        workers = connection.scalars(sa.select(tables.attempts.c.worker).distinct()).all()
    return {worker.partition(":")[0] for worker in workers}
