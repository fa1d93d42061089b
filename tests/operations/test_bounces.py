"""What comes back changes its delivery, and the address is suppressed by the rules of a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from channels.email.account import EmailAccount
from channels.email.findings import ReportKind
from distributor.bounces.source import Disposal
from distributor.ledger import stops
from distributor.ledger.database import Ledger
from distributor.operations import bounce_sources, bounces, receipt
from distributor.operations.bounce_sources import Fetched
from distributor.operations.bounces import Taken
from tests.channels.email.returned import (
    LETTER,
    OUT_OF_OFFICE,
    arf,
    dsn,
    note,
    original,
    outlook_complaint,
    qmail,
)
from tests.support.service import Service, service

READER = "reader@readers.example"


@pytest.fixture
def sent(shop: Service) -> Service:
    """A send to one reader, who got it."""
    shop.subscribe("email", READER, to="alone")
    shop.send_id = shop.start_and_plan(to="alone")
    shop.deliver(shop.send_id)
    assert shop.counts(shop.send_id) == {"sent": 1}
    return shop


def verp(shop: Service, reader: str = READER) -> str:
    """Where the reader's message said that it comes back to."""
    account = shop.settings.accounts["relay"]
    assert isinstance(account, EmailAccount)
    delivery = shop.deliveries(shop.send_id)[reader]
    token = shop.context.bounce_tokens.issue(delivery["subscriber_id"], shop.send_id)
    sender = account.envelope_sender(token)
    assert token in sender
    return sender


def take_in(shop: Service, octets: bytes, envelope_to: str = "") -> Taken:
    return bounces.take_in(shop.context, octets, envelope_to)


def about(shop: Service, **changes: str) -> str:
    """Headers of the message that the reader got, with `changes`."""
    values = {"reader": READER, "message_id": shop.delivery(shop.send_id)["message_id"]}
    return original(**(values | changes))


def test_a_bounce_ends_the_delivery_and_a_dead_address_is_suppressed(sent: Service) -> None:
    taken = take_in(sent, dsn(to=verp(sent)))

    assert sent.counts(sent.send_id) == {"bounced": 1}
    row = sent.delivery(sent.send_id)
    assert (row["code"], row["reply"]) == ("dsn-5.1.1", "550 5.1.1 No such user")
    assert sent.is_suppressed(READER)
    assert taken.effect == f"the delivery is bounced; {READER} is suppressed (address-dead)"


def test_a_complaint_ends_the_delivery_and_the_address_is_suppressed(sent: Service) -> None:
    take_in(sent, arf(to=verp(sent)))

    assert sent.counts(sent.send_id) == {"complained": 1}
    assert sent.is_suppressed(READER)


def test_the_books_still_agree_with_the_log(sent: Service) -> None:
    take_in(sent, dsn(to=verp(sent)))

    assert receipt.draw_up(sent.context, sent.send_id).holds


def test_the_same_report_is_taken_in_once(sent: Service) -> None:
    take_in(sent, dsn(to=verp(sent)))

    assert take_in(sent, dsn(to=verp(sent))).is_known
    assert len(bounces.latest(sent.context, 10)) == 1


def test_a_token_survives_a_server_that_writes_in_capitals(sent: Service) -> None:
    take_in(sent, dsn(to=verp(sent).upper()))

    assert sent.counts(sent.send_id) == {"bounced": 1}


def test_a_token_of_somebodys_own_making_changes_nothing(sent: Service) -> None:
    local, _, domain = verp(sent).rpartition("@")
    forged = f"{local[:-16]}{'a' * 16}@{domain}"

    assert take_in(sent, dsn(to=forged)).delivery is None
    assert sent.counts(sent.send_id) == {"sent": 1}


def test_without_the_token_the_unsubscribe_link_of_the_returned_message_tells(
    sent: Service,
) -> None:
    subscriber_id = sent.delivery(sent.send_id)["subscriber_id"]
    token = sent.context.tokens.issue(subscriber_id, sent.send_id)
    enclosed = about(sent, unsubscribe_url=f"https://news.example.org/unsubscribe/{token}")

    take_in(sent, arf(enclosed=enclosed))

    assert sent.counts(sent.send_id) == {"complained": 1}


def test_without_either_the_message_id_tells(sent: Service) -> None:
    take_in(sent, dsn(recipient=READER, enclosed=about(sent)))

    assert sent.counts(sent.send_id) == {"bounced": 1}
    (report,) = bounces.latest(sent.context, 10)
    assert report.matched_by == "message-id"


def test_a_message_id_with_another_address_changes_nothing(sent: Service) -> None:
    """Every reader can make up the Message-IDs of others."""
    enclosed = about(sent, reader="attacker@elsewhere.example")

    taken = take_in(sent, dsn(recipient="attacker@elsewhere.example", enclosed=enclosed))

    assert taken.effect == "about no delivery that is known here: nothing done"
    assert sent.counts(sent.send_id) == {"sent": 1}
    assert not sent.is_suppressed(READER)


def test_a_report_may_write_the_address_in_capitals(sent: Service) -> None:
    take_in(sent, dsn(recipient=READER.title(), enclosed=about(sent)))

    assert sent.is_suppressed(READER)
    assert sent.is_suppressed(READER.title())


def test_a_text_for_two_deliveries_is_a_report_on_each(shop: Service) -> None:
    readers = ["one@readers.example", "two@readers.example"]
    send_to(shop, *readers)

    for reader in readers:
        assert not take_in(shop, dsn(), envelope_to=verp(shop, reader)).is_known
    assert shop.counts(shop.send_id) == {"bounced": 2}
    assert take_in(shop, dsn(), envelope_to=verp(shop, readers[1])).is_known


def send_to(shop: Service, *readers: str) -> None:
    shop.subscribe("email", *readers, to="several")
    shop.send_id = shop.start_and_plan(to="several")
    shop.deliver(shop.send_id)
    assert shop.counts(shop.send_id) == {"sent": len(readers)}


def waiting(shop: Service) -> set[tuple[str, str]]:
    with shop.ledger.read() as connection:
        return {(stop.account, stop.ending) for stop in stops.all_(connection)}


FOUR = [f"{name}@readers.example" for name in ("one", "two", "three", "four")]


def refused(shop: Service, reader: str, status: str = "5.7.26", words: str = "no DMARC") -> Taken:
    return take_in(shop, dsn(status, f"smtp; 550 {status} {words}", to=verp(shop, reader)))


def test_our_own_fault_suppresses_nobody(sent: Service) -> None:
    taken = refused(sent, READER)

    assert not sent.is_suppressed(READER)
    assert "our own fault" in taken.effect
    assert sent.counts(sent.send_id) == {"bounced": 1}


def test_three_readers_mail_refused_for_our_fault_stops_their_domain(shop: Service) -> None:
    send_to(shop, *FOUR)

    refused(shop, FOUR[0])
    refused(shop, FOUR[1], "5.7.1")
    assert waiting(shop) == set()
    taken = refused(shop, FOUR[2])

    assert waiting(shop) == {("relay", "@readers.example")}
    assert taken.effect.endswith("@readers.example waits")


def test_one_reader_cannot_stop_a_domain(shop: Service) -> None:
    send_to(shop, *FOUR)

    for words in ("once", "twice", "three times", "four times"):
        refused(shop, FOUR[0], words=words)

    assert waiting(shop) == set()


def test_bounces_of_what_ended_otherwise_do_not_count(shop: Service) -> None:
    send_to(shop, *FOUR)
    for reader in FOUR:
        take_in(shop, arf(to=verp(shop, reader)))

    for reader in FOUR:
        refused(shop, reader)

    assert waiting(shop) == set()


def test_one_readers_earlier_editions_do_not_stop_a_domain_either(shop: Service) -> None:
    shop.subscribe("email", READER, FOUR[0], to="both")
    for _ in range(4):
        shop.send_id = shop.start_and_plan(to="both", again=True)
        shop.deliver(shop.send_id)
        refused(shop, READER)
    refused(shop, FOUR[0])
    shop.send_id = shop.start_and_plan(to="both", again=True)
    shop.deliver(shop.send_id)
    refused(shop, READER)

    assert waiting(shop) == set()


def test_refusals_of_other_classes_of_other_domains_and_of_yesterday_do_not_add_up(
    shop: Service,
) -> None:
    send_to(shop, *FOUR, "other@elsewhere.example")
    refused(shop, FOUR[0])
    shop.clock.advance(hours=1)

    refused(shop, FOUR[1])
    refused(shop, FOUR[2], "5.3.4")
    refused(shop, "other@elsewhere.example")
    refused(shop, FOUR[3])

    assert waiting(shop) == set()


def test_mailboxes_that_take_mail_from_some_only_stop_no_domain(shop: Service) -> None:
    send_to(shop, *FOUR)

    for reader in FOUR:
        refused(shop, reader, "5.7.1", "RESOLVER.RST.AuthRequired; authentication required")

    assert shop.counts(shop.send_id) == {"bounced": 4}
    assert waiting(shop) == set()


def test_a_full_mailbox_is_a_strike(sent: Service) -> None:
    taken = take_in(sent, dsn("5.2.2", "smtp; 552 5.2.2 Mailbox full", to=verp(sent)))

    assert not sent.is_suppressed(READER)
    assert taken.effect.endswith("has a strike against it (mailbox-full)")


def test_a_host_that_was_not_found_is_a_strike(sent: Service) -> None:
    taken = take_in(sent, dsn("5.4.4", "dns; Host not found", to=verp(sent)))

    assert not sent.is_suppressed(READER)
    assert taken.effect.endswith("has a strike against it (refused-repeatedly)")


NO_STATUS = "Remote host said: 550 unknown user reader"
SPAM = "554 DT:SPM 163 smtp9 http://mail.163.com/help/help_spam_16.htm (in reply to end of DATA)"


@pytest.mark.parametrize(
    ("report", "is_suppressed"),
    [
        (dsn("5.0.0", f"smtp; {SPAM}"), False),
        (dsn("5.0.0", "smtp; 451 temporarily deferred"), False),
        (dsn("5.4.7", "smtp; 451 4.7.1 Greylisted"), False),
        (dsn("5.4.300", "smtp; 550 5.4.300 Message expired -> 451 4.7.500 Server busy"), False),
        (dsn("5.0.0", "smtp; 552 Quota exceeded"), False),
        (dsn("5.0.0", "smtp; 550 no such user"), True),
        (qmail(NO_STATUS), True),
    ],
    ids=["spam", "deferred", "greylisted", "expired", "full", "unknown", "qmail"],
)
def test_three_editions_tell_a_dead_address_from_an_outage_or_our_fault(
    shop: Service, report: bytes, is_suppressed: bool
) -> None:
    shop.subscribe("email", READER, to="alone")
    for _ in range(3):
        shop.send_id = shop.start_and_plan(to="alone", again=True)
        shop.deliver(shop.send_id)
        take_in(shop, report, envelope_to=verp(shop))

    assert shop.is_suppressed(READER) is is_suppressed


def test_the_precise_status_that_exchange_quotes_suppresses_at_once(sent: Service) -> None:
    words = "550 5.0.350 Remote server returned an error -> 550 5.1.1 User unknown"

    take_in(sent, dsn("5.0.350", f"smtp; {words}", to=verp(sent)))

    assert sent.delivery(sent.send_id)["code"] == "dsn-5.1.1"
    assert sent.is_suppressed(READER)


def reports(shop: Service) -> dict[str, bytes]:
    """Reports about the shop's delivery, by how they tell which it is."""
    return {
        "verp": dsn(to=verp(shop)),
        "message-id": dsn(recipient=READER, enclosed=about(shop)),
        "complaint": arf(to=verp(shop)),
    }


@pytest.mark.parametrize("way", ["verp", "message-id", "complaint"])
def test_a_report_that_is_faster_than_the_ledger_has_to_come_again(sent: Service, way: str) -> None:
    """The relay bounced before the worker had written down that it accepted."""
    report = reports(sent)[way]

    with sent.under_way(sent.send_id):
        early = take_in(sent, report)

    assert early.disposal is Disposal.LATER
    assert sent.counts(sent.send_id) == {"sent": 1}
    assert not sent.is_suppressed(READER)
    assert bounces.latest(sent.context, 10) == ()
    assert not take_in(sent, report).is_early
    assert sent.counts(sent.send_id).keys() <= {"bounced", "complained"}
    assert sent.is_suppressed(READER)


def test_a_delay_about_what_is_under_way_is_taken_in(sent: Service) -> None:
    report = dsn("4.4.1", "smtp; timed out", action="delayed", to=verp(sent))

    with sent.under_way(sent.send_id):
        assert take_in(sent, report).disposal is Disposal.PUT_AWAY


def test_a_delay_changes_nothing(sent: Service) -> None:
    take_in(sent, dsn("4.4.1", "smtp; timed out", action="delayed", to=verp(sent)))

    assert sent.counts(sent.send_id) == {"sent": 1}


def test_a_complaint_with_all_else_blacked_out_is_matched_by_its_return_path(
    sent: Service,
) -> None:
    take_in(sent, arf(mail_from=verp(sent), enclosed="Subject: Today\n"))

    assert sent.counts(sent.send_id) == {"complained": 1}


def test_a_letter_is_kept_for_a_person_and_left_where_it_is(sent: Service) -> None:
    taken = take_in(sent, LETTER)

    assert taken.disposal is Disposal.LEAVE
    (letter,) = bounces.latest(sent.context, 10, ReportKind.OTHER)
    assert letter.letter is not None
    assert "I do not want this any more." in letter.letter
    assert take_in(sent, LETTER).is_known


def test_a_bounce_in_words_about_no_delivery_of_ours_is_a_letter(sent: Service) -> None:
    taken = take_in(sent, qmail())

    assert (taken.is_letter, taken.disposal) == (True, Disposal.LEAVE)
    (letter,) = bounces.latest(sent.context, 10, ReportKind.OTHER)
    assert "no mailbox here by that name" in (letter.letter or "")


def test_a_bounce_in_words_about_a_delivery_of_ours_is_no_letter(sent: Service) -> None:
    take_in(sent, qmail(), envelope_to=verp(sent))

    assert sent.counts(sent.send_id) == {"bounced": 1}
    (report,) = bounces.latest(sent.context, 10)
    assert (report.kind, report.letter) == ("bounce", None)


def test_outlooks_complaint_is_matched_by_the_token_in_the_message_that_it_encloses(
    sent: Service,
) -> None:
    enclosed = f"Return-Path: <{verp(sent)}>\nSubject: Today\n"

    take_in(sent, outlook_complaint(enclosed=enclosed, reader=READER))

    assert sent.counts(sent.send_id) == {"complained": 1}
    assert sent.is_suppressed(READER)


def test_outlooks_complaint_about_no_delivery_of_ours_is_a_letter(sent: Service) -> None:
    assert take_in(sent, outlook_complaint()).is_letter


def test_a_letter_to_the_readers_own_bounce_address_tells_who_wrote_it(sent: Service) -> None:
    assert take_in(sent, LETTER, envelope_to=verp(sent)).delivery is not None
    assert sent.counts(sent.send_id) == {"sent": 1}


def test_a_machines_answer_changes_nothing_and_is_put_away(sent: Service) -> None:
    taken = take_in(sent, OUT_OF_OFFICE, envelope_to=verp(sent))

    assert taken.disposal is Disposal.PUT_AWAY
    assert sent.counts(sent.send_id) == {"sent": 1}
    (kept,) = bounces.latest(sent.context, 10)
    assert (kept.kind, kept.code, kept.letter) == ("auto-reply", "auto-reply", None)


def test_reports_can_be_shown_by_their_kind(sent: Service) -> None:
    take_in(sent, LETTER)
    take_in(sent, dsn(to=verp(sent)))

    assert [one.kind for one in bounces.latest(sent.context, 10)] == ["bounce", "other"]
    assert [one.kind for one in bounces.latest(sent.context, 10, ReportKind.BOUNCE)] == ["bounce"]


HOSTILE = {
    "a lone surrogate": note(
        "failure notice",
        "550 5.1.1 user a+2AA-b@readers.example unknown",
        headers="Return-Path: <>\n",
        content_type="text/plain; charset=utf-7",
    ),
    "a NUL": dsn(recipient="rea\0der@readers.example"),
    "an escape sequence": dsn(recipient="\x1b[31mreader@readers.example"),
    "ids beyond 2^63": dsn(
        enclosed=original(message_id=f"<{2**63}-0123456789abcdef-{2**63}@news.example.org>")
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_is_in_a_message_it_is_taken_in(tmp_path: Path, ledger: Ledger, what: str) -> None:
    with service(tmp_path, ledger) as shop:
        take_in(shop, HOSTILE[what])

        (report,) = bounces.latest(shop.context, 10)
    assert report.address.isprintable()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Maildir with two reports, of which the second is about nobody we know."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "bounces" / name).mkdir(parents=True)
    (tmp_path / "bounces" / "new" / "1.host").write_bytes(b"unreadable")
    (tmp_path / "bounces" / "new" / "2.host").write_bytes(dsn())
    return tmp_path / "bounces"


def failing_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the message `unreadable` fail, whatever is wrong in it."""
    read = bounces.reports.read

    def fail(octets: bytes, envelope_to: str) -> bounces.Report:
        if octets == b"unreadable":
            raise error
        return read(octets, envelope_to)

    monkeypatch.setattr(bounces.reports, "read", fail)


def test_a_message_that_cannot_be_taken_in_holds_up_no_other(
    shop: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_with(OverflowError("too large"), monkeypatch)

    told: list[Taken] = []
    fetched = bounce_sources.fetch_maildir(shop.context, folder, told.append)

    assert (fetched, len(told)) == (Fetched(new=1, left=1), 1)
    assert [path.name for path in (folder / "new").iterdir()] == ["1.host"]


def test_a_ledger_that_is_away_is_no_fault_of_the_message(
    shop: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_with(OperationalError("BEGIN", {}, Exception("away")), monkeypatch)

    with pytest.raises(OperationalError):
        bounce_sources.fetch_maildir(shop.context, folder, lambda _taken: None)
    assert len(list((folder / "new").iterdir())) == 2
