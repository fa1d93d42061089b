from __future__ import annotations

import html5lib
import pytest
import sqlalchemy as sa

from distributor.audience import lists
from distributor.ledger import sends, tables
from distributor.ledger.states import DeliveryState, SendState
from distributor.operations.roster import Roster
from tests.web.conftest import AT, Site

REFRESH = '<meta http-equiv="refresh"'


@pytest.fixture
def send_id(site: Site) -> int:
    site.subscribe("ann@example.com", "daily")
    return site.send("daily")


def test_before_the_first_send_the_page_says_how_to_start_one(site: Site) -> None:
    page = site.get("/").text
    assert "No sends yet" in page
    assert "distributor send FILE --list NAME" in page
    assert REFRESH not in page


def test_the_newest_send_comes_with_its_numbers(site: Site, send_id: int) -> None:
    site.deliver(send_id, DeliveryState.SENT, 12)
    site.deliver(send_id, DeliveryState.FAILED, 3, code="smtp-550-5.1.1")
    page = site.get("/").text
    assert "2026.03.02 今日新闻" in page
    assert '<span class="count">12</span>' in page
    assert "of 15 sent" in page
    assert "failed <b>3</b>" in page


def test_a_state_is_a_word_and_a_shape_not_only_a_colour(site: Site, send_id: int) -> None:
    site.deliver(send_id, DeliveryState.UNKNOWN)
    document = html5lib.parse(site.get("/").text, namespaceHTMLElements=False)
    (entry,) = document.findall(".//ul[@class='legend']/li")
    assert "".join(entry.itertext()) == "unknown 1"
    assert [child.tag.rpartition("}")[2] for child in entry] == ["svg", "span"]


def test_a_send_shows_every_delivery_state_that_occurs(site: Site, send_id: int) -> None:
    for state in DeliveryState:
        site.deliver(send_id, state)
    page = site.get(f"/sends/{send_id}").text
    for state in DeliveryState:
        assert f"<span>{state.value} <b>1</b></span>" in page


def test_the_parts_of_a_bar_add_up_to_its_whole_length(site: Site, send_id: int) -> None:
    for number, state in enumerate(DeliveryState, start=1):
        site.deliver(send_id, state, number)
    document = html5lib.parse(site.get(f"/sends/{send_id}").text, namespaceHTMLElements=False)
    bar = next(one for one in document.iter() if one.get("class") == "bar")
    lengths = [float(part.get("width", 0)) for part in bar]
    assert len(lengths) == len(DeliveryState)
    assert sum(lengths) == pytest.approx(1000, abs=0.1)


@pytest.mark.parametrize(
    ("state", "renews"),
    [
        (SendState.SENDING, True),
        (SendState.PREPARING, True),
        (SendState.PAUSED, False),
        (SendState.FINISHED, False),
        (SendState.SCHEDULED, False),
    ],
)
def test_pages_renew_themselves_only_while_numbers_move(
    site: Site, state: SendState, renews: bool
) -> None:
    site.subscribe("ann@example.com", "daily")
    send_id = site.send("daily", state=state)
    for path in ("/", f"/sends/{send_id}"):
        assert (REFRESH in site.get(path).text) is renews


def test_a_send_tells_what_was_found_in_reading_and_left_out_in_rendering(site: Site) -> None:
    with site.ledger.write() as c:
        lists.create(c, "readers")
    send_id = site.send("readers", source="1. [甲](https://a.dev/1)\n2. [甲](https://a.dev/1)\n")
    with site.ledger.write() as c:
        c.execute(
            sa.insert(tables.renderings).values(
                send_id=send_id,
                channel="email",
                account="relay",
                variant="",
                parts=[],
                warnings=["shortened to <90 KB>"],
            )
        )
    page = site.get(f"/sends/{send_id}").text
    assert "Worth knowing" in page
    assert "<dt>reading</dt>" in page
    assert "<dt>email</dt><dd>shortened to &lt;90 KB&gt;</dd>" in page


def test_a_send_shows_its_channels_apart(site: Site, send_id: int) -> None:
    site.deliver(send_id, DeliveryState.SENT, 2)
    site.deliver(send_id, DeliveryState.QUEUED, 5, channel="telegram")
    page = site.get(f"/sends/{send_id}").text
    assert "2 of 2 sent" in page
    assert "0 of 5 sent" in page


def test_a_send_says_why_deliveries_were_not_sent_most_frequent_first(
    site: Site, send_id: int
) -> None:
    site.deliver(send_id, DeliveryState.FAILED, 1, code="smtp-552", reply="too <big>")
    site.deliver(send_id, DeliveryState.RETRYING, 4, code="smtp-451", reply="greylisted")
    page = site.get(f"/sends/{send_id}").text
    assert "too &lt;big&gt;" in page
    assert page.index("smtp-451") < page.index("smtp-552")


def test_no_address_is_shown_even_where_a_server_repeats_it(site: Site, send_id: int) -> None:
    site.deliver(
        send_id,
        DeliveryState.FAILED,
        code="smtp-550-5.1.1",
        reply="550 5.1.1 <bob@example.com>: no user bob@example.com here",
    )
    for path in ("/", f"/sends/{send_id}"):
        assert "@example.com" not in site.get(path).text
    assert "550 5.1.1 &lt;…&gt;: no user … here" in site.get(f"/sends/{send_id}").text


def test_books_that_do_not_balance_are_called_out(site: Site, send_id: int) -> None:
    site.deliver(send_id, DeliveryState.SENT, 3)
    assert "do not balance" not in site.get(f"/sends/{send_id}").text
    with site.ledger.write() as c:
        sends.set_intended(c, send_id, 4)
    page = site.get(f"/sends/{send_id}").text
    assert "The books do not balance: 4 were intended" in page


def test_a_held_send_says_why(site: Site) -> None:
    site.subscribe("ann@example.com", "daily")
    send_id = site.send("daily", state=SendState.SCHEDULED)
    with site.ledger.write() as c:
        sends.hold(c, send_id, "an error message instead of <news>")
    for path in ("/", f"/sends/{send_id}"):
        assert "an error message instead of &lt;news&gt;" in site.get(path).text


def test_a_send_that_nobody_works_on_says_so_and_what_to_do(site: Site, send_id: int) -> None:
    site.deliver(send_id, DeliveryState.QUEUED, 3)
    site.roster = Roster(True, {"worker:control": ["here:1"], "scheduler": ["here:2"]})
    for path in ("/", f"/sends/{send_id}"):
        page = site.get(path).text
        assert "Nobody works on email" in page
        assert "distributor worker --channel email" in page


def test_a_send_that_stands_still_says_so_although_everybody_is_alive(site: Site) -> None:
    site.subscribe("ann@example.com", "daily")
    send_id = site.send("daily", state=SendState.SCHEDULED)
    with site.ledger.write() as c:
        c.execute(sa.update(tables.sends).values(scheduled_for=AT))
    for path in ("/", f"/sends/{send_id}"):
        assert "It should have begun and has not" in site.get(path).text


def test_the_overview_says_who_is_at_work(site: Site) -> None:
    site.roster = Roster(True, {"worker:email": ["here:1"], "scheduler": ["here:2"]})
    assert "At work: scheduler, worker:email." in site.get("/").text


def test_a_channel_that_is_done_needs_no_worker_any_more(site: Site, send_id: int) -> None:
    site.deliver(send_id, DeliveryState.SENT, 3)
    site.roster = Roster(True, {"worker:control": ["here:1"], "scheduler": ["here:2"]})
    assert "Nobody works on" not in site.get(f"/sends/{send_id}").text


def test_a_finished_send_waits_for_nobody(site: Site) -> None:
    site.subscribe("ann@example.com", "daily")
    site.send("daily", state=SendState.FINISHED)
    site.roster = Roster(False)
    assert "Nobody" not in site.get("/").text


def test_a_send_links_to_its_edition(site: Site, send_id: int) -> None:
    document = html5lib.parse(site.get(f"/sends/{send_id}").text, namespaceHTMLElements=False)
    (link,) = document.findall(".//h1/a")
    assert site.get(link.get("href", "")).status_code == 200


@pytest.mark.parametrize("number", ["404", "0", "-1", "9" * 20, "9" * 5000, "twelve"])
def test_a_send_that_is_not_there_gets_a_friendly_page(site: Site, number: str) -> None:
    answer = site.get(f"/sends/{number}")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
