"""Two hosts, each with a disk of its own, work on one send over one database and one Redis."""

from __future__ import annotations

import pytest
import redis
import sqlalchemy as sa

from distributor.engine import heartbeat
from distributor.engine.heartbeat import worker_role
from distributor.ledger import sends, tables
from distributor.ledger.database import Ledger
from distributor.ledger.states import SendState
from tests.acceptance.conftest import NewMachine
from tests.support.platforms import Platforms
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

_READERS = 240


def test_they_share_a_send_and_nobody_gets_it_twice(
    new_machine: NewMachine,
    at_platforms: Platforms,
    mail_only: dict[str, str],
    postgres_url: str,
    valkey_url: str,
) -> None:
    shared = {
        **mail_only,
        "DISTRIBUTOR_DATABASE_URL": postgres_url,
        "DISTRIBUTOR_REDIS_URL": valkey_url,
        "DISTRIBUTOR_WEB_SECRET": "the same on every host of the fleet",
        "DISTRIBUTOR_SENDING_BATCH_SIZE": "5",
    }
    one, other = new_machine(**shared), new_machine(**shared)
    one.subscribe(*(("email", f"reader-{number}@news.dev") for number in range(_READERS)))
    at_platforms.misbehave("smtp", "slow", seconds=0.05, stage="data")
    one.start("worker", "--channel", "control")
    one.start("scheduler")
    for host in (one, other):
        host.start("worker", "--channel", "email")
    with redis.Redis.from_url(valkey_url) as client:
        eventually(lambda: len(heartbeat.alive(client).get(worker_role("email"), [])) == 2)

    started = one.run("send", one.file, "--list", "daily", "--json")

    assert started.code == 0, started.err
    ledger = Ledger(postgres_url)
    eventually(lambda: _state(ledger) is SendState.FINISHED)
    received = [str(mail["address"]) for mail in at_platforms.received("smtp")]
    assert (len(received), len(set(received))) == (_READERS, _READERS)
    assert len(_workers(ledger)) == 2, "both hosts had their share"
    ledger.close()


def _state(ledger: Ledger) -> SendState:
    with ledger.read() as connection:
        send = sends.find(connection, 1)
    assert send is not None
    return send.state


def _workers(ledger: Ledger) -> set[str]:
    with ledger.read() as connection:
        return set(connection.scalars(sa.select(tables.attempts.c.worker).distinct()))
