"""Which account serves whom, and in which form they get the edition."""

from __future__ import annotations

import sqlalchemy as sa

from distributor.ledger import freeze, tables
from distributor.ledger.freeze import FrozenRendering, Group
from distributor.ledger.routing import Route, accounts_of_lists
from tests.ledger.scene import AT, Scene

ROUTES = (Route("app:", "app"), Route("", "main"))


def choose(scene: Scene, subscriber_id: int, **values: str) -> None:
    table = tables.subscribers
    with scene.ledger.write() as c:
        c.execute(sa.update(table).where(table.c.id == subscriber_id).values(**values))


def an_audience(scene: Scene) -> tuple[int, int]:
    """A list of four and a send to it."""
    list_id = scene.mailing_list("daily")
    scene.subscribe("plain@example.com", "daily")
    choose(scene, scene.subscribe("brief@example.com", "daily"), variant="brief")
    choose(scene, scene.subscribe("other@example.com", "daily"), account="second")
    choose(scene, scene.subscribe("claimed@example.com", "daily"), address="app:claimed")
    return list_id, scene.create(list_id)


def groups(scene: Scene, send_id: int, routes: tuple[Route, ...] = ROUTES) -> tuple[Group, ...]:
    with scene.ledger.read() as c:
        return freeze.groups_of(c, send_id, "email", routes)


def test_an_address_goes_where_its_prefix_leads_unless_an_account_was_chosen(scene: Scene) -> None:
    _, send_id = an_audience(scene)
    assert groups(scene, send_id) == (
        Group("email", "app", ("",), 1),
        Group("email", "main", ("", "brief"), 2),
        Group("email", "second", ("",), 1),
    )


def test_whoever_no_route_leads_to_stands_in_a_group_without_an_account(scene: Scene) -> None:
    _, send_id = an_audience(scene)
    assert Group("email", "", ("", "brief"), 2) in groups(scene, send_id, ROUTES[:1])


def test_a_wildcard_in_a_prefix_is_a_letter_like_others(scene: Scene) -> None:
    _, send_id = an_audience(scene)
    found = groups(scene, send_id, (Route("%", "wild"), *ROUTES))
    assert [group.account for group in found] == ["app", "main", "second"]


def test_the_accounts_of_a_list_are_those_that_serve_its_members(scene: Scene) -> None:
    list_id, _ = an_audience(scene)
    with scene.ledger.read() as c:
        assert accounts_of_lists(c, [list_id], "email", ROUTES) == ("app", "main", "second")
        assert accounts_of_lists(c, [list_id], "telegram", ROUTES) == ()


def test_everybody_gets_their_variant_and_an_unknown_one_falls_back(scene: Scene) -> None:
    _, send_id = an_audience(scene)
    choose(scene, scene.subscribe("late@example.com", "daily"), variant="not-rendered")
    (main,) = [group for group in groups(scene, send_id) if group.account == "main"]
    with scene.ledger.write() as c:
        written = freeze.freeze_group(
            c,
            send_id,
            main,
            routes=ROUTES,
            renderings={name: FrozenRendering([{"text": name}], []) for name in ("", "brief")},
            batch_size=2,
            at=AT,
        )
    assert written == 3
    kept = tables.renderings.c
    with scene.ledger.read() as c:
        variants = dict(iter(c.execute(sa.select(kept.id, kept.variant))))
    assert {row.address: variants[row.rendering_id] for row in scene.deliveries(send_id)} == {
        "plain@example.com": "",
        "brief@example.com": "brief",
        "late@example.com": "",
    }


def test_batches_of_all_groups_of_a_channel_are_numbered_through(scene: Scene) -> None:
    _, send_id = an_audience(scene)
    for group in groups(scene, send_id):
        with scene.ledger.write() as c:
            freeze.freeze_group(
                c,
                send_id,
                group,
                routes=ROUTES,
                renderings={"": FrozenRendering([{}], [])},
                batch_size=1,
                at=AT,
            )
    accounts = [scene.batch(batch).account for batch in scene.batches(send_id)]
    assert accounts == ["app", "main", "main", "second"]
