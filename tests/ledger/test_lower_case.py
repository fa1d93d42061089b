"""A ledger in which `Bob@` and `bob@` are two readers becomes one in which they are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.config import Config
from sqlalchemy.engine import Connection

from distributor.ledger import migrations
from distributor.ledger.database import Ledger
from distributor.ledger.states import DeliveryState, SendState
from distributor.ledger.tables import (
    deliveries,
    digests,
    lists,
    memberships,
    sends,
    strikes,
    subscribers,
    suppressions,
)

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ANN, BOB, TWIN, CHANNEL = 1, 2, 3, 4
NEWS, TECH = 1, 2


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A ledger of revision 9 with Ann and Bob in capitals, a twin of Bob, and a send."""
    file = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = Ledger(file if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with ledger.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0009")
        _fill(connection)
        yield connection
    ledger.close()


def _fill(connection: Connection) -> None:
    people = {ANN: "Ann@example.net", BOB: "Bob@example.net", TWIN: "bob@example.net"}
    rows = [
        {"id": number, "channel": "email", "address": address, "attributes": {}, "created_at": AT}
        for number, address in people.items()
    ]
    telegram = {"id": CHANNEL, "channel": "telegram", "address": "@Channel"}
    connection.execute(sa.insert(subscribers), [*rows, {**rows[0], **telegram}])
    connection.execute(
        sa.insert(lists),
        [
            {"id": NEWS, "name": "news", "created_at": AT},
            {"id": TECH, "name": "tech", "created_at": AT},
        ],
    )
    on = ((NEWS, ANN), (NEWS, BOB), (TECH, BOB), (NEWS, TWIN))
    connection.execute(
        sa.insert(memberships),
        [{"list_id": where, "subscriber_id": who, "subscribed_at": AT} for where, who in on],
    )
    connection.execute(
        sa.insert(digests).values(
            id=1, revision="r", name="n", title="t", language="en", source=b"", created_at=AT
        )
    )
    connection.execute(
        sa.insert(sends).values(
            id=1, digest_id=1, state=SendState.SENDING, created_at=AT, deadline_at=AT
        )
    )
    connection.execute(
        sa.insert(deliveries).values(
            id=1,
            send_id=1,
            subscriber_id=ANN,
            rendering_id=1,
            channel="email",
            account="relay",
            address="Ann@example.net",
            state=DeliveryState.RETRYING,
            updated_at=AT,
        )
    )


def _suppress(connection: Connection, *addresses: str) -> None:
    connection.execute(
        sa.insert(suppressions),
        [
            {"channel": "email", "address": one, "reason": "x", "source": "x", "created_at": AT}
            for one in addresses
        ],
    )


def _strike(connection: Connection, *addresses: str) -> None:
    connection.execute(
        sa.insert(strikes),
        [
            {"channel": "email", "address": one, "reason": "x", "send_id": 1, "at": AT}
            for one in addresses
        ],
    )


def _addresses(connection: Connection, column: sa.Column[str]) -> Sequence[str]:
    return sorted(connection.execute(sa.select(column)).scalars())


def test_addresses_without_a_twin_are_lower_cased_on_email_alone(old: Connection) -> None:
    migrations.upgrade(old)

    assert set(_addresses(old, subscribers.c.address)) >= {"ann@example.net", "@Channel"}
    assert _addresses(old, deliveries.c.address) == ["ann@example.net"]


def test_one_of_two_twins_is_on_the_lists_of_both(old: Connection) -> None:
    migrations.upgrade(old)

    still = sa.select(memberships.c.list_id, memberships.c.subscriber_id).where(
        memberships.c.unsubscribed_at.is_(None)
    )
    assert {(row.list_id, row.subscriber_id) for row in old.execute(still)} == {
        (NEWS, ANN),
        (NEWS, TWIN),
        (TECH, TWIN),
    }


def _leave(connection: Connection, subscriber_id: int, by: str, at: datetime) -> None:
    connection.execute(
        sa.update(memberships)
        .where(memberships.c.list_id == NEWS, memberships.c.subscriber_id == subscriber_id)
        .values(unsubscribed_at=at, unsubscribed_by=by)
    )


def _left_news(connection: Connection, subscriber_id: int) -> tuple[datetime | None, str | None]:
    query = sa.select(memberships.c.unsubscribed_at, memberships.c.unsubscribed_by).where(
        memberships.c.list_id == NEWS, memberships.c.subscriber_id == subscriber_id
    )
    return tuple(connection.execute(query).one())


@pytest.mark.parametrize("by", ["page", "one-click", "bot"])
def test_one_who_left_a_list_with_either_address_has_left_it(old: Connection, by: str) -> None:
    left_at = AT + timedelta(days=1)
    _leave(old, BOB, by, left_at)

    migrations.upgrade(old)

    assert _left_news(old, TWIN) == (left_at, by)


def test_one_who_joined_with_the_other_address_after_that_stays(old: Connection) -> None:
    _leave(old, BOB, "page", AT - timedelta(days=1))

    migrations.upgrade(old)

    assert _left_news(old, TWIN) == (None, None)


def test_one_of_whose_addresses_an_operator_took_off_stays(old: Connection) -> None:
    _leave(old, BOB, "operator", AT + timedelta(days=1))

    migrations.upgrade(old)

    assert _left_news(old, TWIN) == (None, None)


def test_other_letters_than_those_of_ascii_are_lower_cased_too(old: Connection) -> None:
    mixed, lower = "ÄRGER@example.net", "ärger@example.net"
    old.execute(sa.update(subscribers).where(subscribers.c.id == ANN).values(address=mixed))
    old.execute(sa.update(deliveries).values(address=mixed))
    _suppress(old, mixed)
    _strike(old, mixed)

    migrations.upgrade(old)

    assert lower in _addresses(old, subscribers.c.address)
    assert _addresses(old, deliveries.c.address) == [lower]
    assert _addresses(old, suppressions.c.address) == [lower]
    assert _addresses(old, strikes.c.address) == [lower]


def test_twins_that_differ_in_such_a_letter_alone_become_one(old: Connection) -> None:
    for number, address in ((BOB, "Ärger@example.net"), (TWIN, "ärger@example.net")):
        old.execute(
            sa.update(subscribers).where(subscribers.c.id == number).values(address=address)
        )

    migrations.upgrade(old)

    assert _left_news(old, BOB)[1] == "operator"
    assert _left_news(old, TWIN) == (None, None)


def test_what_stands_against_either_stands_against_the_one(old: Connection) -> None:
    _suppress(old, "Ann@example.net", "Bob@example.net", "bob@example.net")
    _strike(old, "Ann@example.net", "Bob@example.net", "bob@example.net")

    migrations.upgrade(old)

    one_each = ["ann@example.net", "bob@example.net"]
    assert _addresses(old, suppressions.c.address) == one_each
    assert _addresses(old, strikes.c.address) == one_each
