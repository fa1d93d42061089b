from __future__ import annotations

from collections import Counter
from uuid import uuid4

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distributor.ledger import deliveries, freeze, sends
from distributor.ledger.books import of_send
from distributor.ledger.database import Ledger
from distributor.ledger.states import DeliveryState
from distributor.ledger.tables import renderings
from tests.ledger.scene import AT, ROUTES, Scene


def channels_of(scene: Scene, send_id: int) -> tuple[str, ...]:
    with scene.ledger.read() as c:
        return freeze.channels_of(c, send_id)


class TestTheAudience:
    def test_every_subscriber_of_the_list_gets_one_delivery(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com", "b@example.com")
        assert [(row.address, row.state) for row in scene.deliveries(send_id)] == [
            ("a@example.com", DeliveryState.QUEUED),
            ("b@example.com", DeliveryState.QUEUED),
        ]

    def test_whoever_is_on_several_lists_gets_one_delivery(self, scene: Scene) -> None:
        daily, weekly = scene.mailing_list("daily"), scene.mailing_list("weekly")
        scene.subscribe("both@example.com", "daily", "weekly")
        send_id = scene.create(daily, weekly)
        assert scene.freeze(send_id) == 1
        assert len(scene.deliveries(send_id)) == 1

    def test_whoever_left_the_list_gets_none(self, scene: Scene) -> None:
        daily = scene.mailing_list("daily")
        scene.leave(scene.subscribe("gone@example.com", "daily"), daily)
        assert scene.freeze(scene.create(daily)) == 0

    def test_whoever_left_one_list_is_reached_by_the_other(self, scene: Scene) -> None:
        daily, weekly = scene.mailing_list("daily"), scene.mailing_list("weekly")
        scene.leave(scene.subscribe("half@example.com", "daily", "weekly"), daily)
        assert scene.freeze(scene.create(daily, weekly)) == 1

    def test_other_lists_and_channels_are_left_out(self, scene: Scene) -> None:
        daily = scene.mailing_list("daily")
        scene.mailing_list("weekly")
        scene.subscribe("weekly@example.com", "weekly")
        scene.subscribe("@daily_news", "daily", channel="telegram")
        scene.subscribe("daily@example.com", "daily")
        send_id = scene.create(daily)
        assert channels_of(scene, send_id) == ("email",)
        scene.freeze(send_id)
        assert [row.address for row in scene.deliveries(send_id)] == ["daily@example.com"]

    def test_whoever_joins_later_gets_none(self, scene: Scene) -> None:
        send_id = scene.sending("early@example.com")
        scene.subscribe("late@example.com", "daily")
        assert [row.address for row in scene.deliveries(send_id)] == ["early@example.com"]

    def test_a_suppressed_address_is_accounted_for_as_skipped(self, scene: Scene) -> None:
        scene.suppress("dead@example.com", reason="address-dead")
        send_id = scene.sending("dead@example.com", "alive@example.com")
        skipped, queued = scene.deliveries(send_id)
        assert (skipped.state, skipped.code, skipped.reply) == (
            DeliveryState.SKIPPED,
            "suppressed",
            "address-dead",
        )
        assert (queued.state, queued.code) == (DeliveryState.QUEUED, None)

    def test_a_test_send_reaches_its_targets_and_nobody_else(self, scene: Scene) -> None:
        scene.mailing_list("daily")
        scene.subscribe("reader@example.com", "daily")
        send_id = scene.create(targets=[scene.subscribe("me@example.com")])
        assert channels_of(scene, send_id) == ("email",)
        scene.freeze(send_id)
        assert [row.address for row in scene.deliveries(send_id)] == ["me@example.com"]
        with scene.ledger.read() as c:
            send = sends.find(c, send_id)
        assert send is not None
        assert send.is_test


class TestWhatIsFrozen:
    def test_the_intended_number_is_kept_and_the_books_balance(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com", "b@example.com", "c@example.com")
        books = scene.books(send_id)
        assert (books.intended, books[DeliveryState.QUEUED]) == (3, 3)
        assert books.balanced

    def test_the_parts_are_kept_in_order_with_their_warnings(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com")
        rendering_id = scene.deliveries(send_id)[0].rendering_id
        with scene.ledger.read() as c:
            assert deliveries.payloads(c, rendering_id) == [{"text": "one"}, {"text": "two"}]
            warnings = c.scalars(sa.select(renderings.c.warnings)).one()
        assert warnings == ["shortened"]

    def test_an_empty_audience_has_no_batches(self, scene: Scene) -> None:
        assert scene.batches(scene.sending()) == []

    def test_batches_are_due_at_once(self, scene: Scene) -> None:
        send_id = scene.sending("a@example.com")
        assert scene.batch(scene.batches(send_id)[0]).due_at == AT

    def test_the_last_batch_takes_who_joined_since_the_group_was_counted(
        self, scene: Scene
    ) -> None:
        daily = scene.mailing_list("daily")
        early = ("a@example.com", "b@example.com")
        for address in early:
            scene.subscribe(address, "daily")
        send_id = scene.create(daily)
        with scene.ledger.read() as c:
            (group,) = freeze.groups_of(c, send_id, "email", ROUTES)
        scene.subscribe("late@example.com", "daily")

        assert scene.freeze_group(send_id, group, batch_size=1) == 3

        first, last = scene.batches(send_id)
        batch_of = {row.address: row.batch_id for row in scene.deliveries(send_id)}
        assert batch_of == {early[0]: first, early[1]: last, "late@example.com": last}

    def test_channels_of_one_send_have_books_of_their_own(self, scene: Scene) -> None:
        daily = scene.mailing_list("daily")
        scene.subscribe("a@example.com", "daily")
        scene.subscribe("b@example.com", "daily")
        news = scene.subscribe("@daily_news", channel="telegram")
        send_id = scene.create(daily, targets=[news])
        assert channels_of(scene, send_id) == ("email", "telegram")
        intended = [scene.freeze(send_id, channel=name) for name in ("email", "telegram")]
        assert intended == [2, 1]
        with scene.ledger.read() as c:
            by_channel = of_send(c, send_id).channels
        assert {name: books.intended for name, books in by_channel.items()} == {
            "email": 2,
            "telegram": 1,
        }


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(people=st.integers(0, 23), batch_size=st.integers(1, 9))
def test_batches_are_full_but_the_last(ledger: Ledger, people: int, batch_size: int) -> None:
    scene, name = Scene(ledger), uuid4().hex
    addresses = [f"{number}@{name}.example" for number in range(people)]
    send_id = scene.sending(*addresses, batch_size=batch_size, name=name)
    sizes = Counter(row.batch_id for row in scene.deliveries(send_id))
    full, rest = divmod(people, batch_size)
    assert [sizes[batch] for batch in scene.batches(send_id)] == [batch_size] * full + (
        [rest] if rest else []
    )
