"""Bounces in a mailbox, fetched from Dovecot over IMAP and POP."""

from __future__ import annotations

import imaplib
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from distributor.bounces import mailbox
from distributor.bounces.mailbox import Mailbox
from distributor.bounces.source import Disposal, NotTaken, SourceUnreachable
from tests.bounces import dovecot
from tests.bounces.dovecot import PASSWORD, USER, Dovecot, DovecotMissing

REPORT, LETTER = b"Subject: report\r\n\r\nx\r\n", b"Subject: letter\r\n\r\ny\r\n"


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    # Not in pytest's own folder, which another user cannot enter.
    with tempfile.TemporaryDirectory(prefix="dovecot-") as folder:
        try:
            with dovecot.running(Path(folder)) as server:
                yield server
        except DovecotMissing as missing:
            pytest.skip(f"{missing}; apt-get install dovecot-imapd dovecot-pop3d")


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    """Its mailbox holds a report and a letter."""
    for name in ("new", "cur"):
        for path in (running.maildir / name).iterdir():
            path.unlink()
    running.receive(REPORT, LETTER)
    return running


def url(server: Dovecot, kind: str) -> Mailbox:
    port = server.imap_port if kind == "imap" else server.pop_port
    return Mailbox.of(f"{kind}://{quote(USER)}@127.0.0.1:{port}")


def fetch(
    box: Mailbox, password: str = PASSWORD, report: Disposal = Disposal.PUT_AWAY
) -> list[bytes]:
    """What was found; `report` is what becomes of the report."""
    taken: list[bytes] = []

    def take(octets: bytes, _to: str) -> Disposal:
        taken.append(octets)
        return report if octets == REPORT else Disposal.LEAVE

    mailbox.fetch(box, password, take)
    return sorted(taken)


def unread(server: Dovecot) -> list[bytes]:
    with imaplib.IMAP4("127.0.0.1", server.imap_port) as client:
        client.login(USER, PASSWORD)
        client.select()
        _, (numbers,) = client.search(None, "UNSEEN")
        parts = [client.fetch(number.decode(), "(BODY.PEEK[])")[1] for number in numbers.split()]
    return [part[0][1] for part in parts]


@pytest.mark.slow
def test_over_imap_letters_stay_unread_and_are_handed_over_once(server: Dovecot) -> None:
    assert fetch(url(server, "imap")) == [LETTER, REPORT]
    assert fetch(url(server, "imap")) == []
    assert unread(server) == [LETTER]


@pytest.mark.slow
def test_over_pop_reports_are_deleted_and_letters_are_left(server: Dovecot) -> None:
    assert fetch(url(server, "pop3")) == [LETTER, REPORT]
    assert fetch(url(server, "pop3")) == [LETTER]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_a_report_that_came_too_early_is_found_again(server: Dovecot, kind: str) -> None:
    assert REPORT in fetch(url(server, kind), report=Disposal.LATER)
    assert REPORT in fetch(url(server, kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_a_message_that_cannot_be_taken_in_stays_and_holds_up_no_other(
    server: Dovecot, kind: str
) -> None:
    def refuse_the_report(octets: bytes, _to: str) -> Disposal:
        if octets == REPORT:
            raise NotTaken
        return Disposal.PUT_AWAY

    mailbox.fetch(url(server, kind), PASSWORD, refuse_the_report)

    assert fetch(url(server, kind)) == [REPORT]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_a_line_of_any_length_is_read(server: Dovecot, kind: str) -> None:
    long = b"Subject: long\r\n\r\n" + b"x" * 2_000_000 + b"\r\n"
    server.receive(long)

    assert long in fetch(url(server, kind))


@pytest.mark.slow
def test_a_wrong_password_is_told_without_it(server: Dovecot) -> None:
    with pytest.raises(SourceUnreachable, match=f"refuses {USER}.*check user") as caught:
        fetch(url(server, "imap"), "wr0ng")
    assert "wr0ng" not in str(caught.value)


@pytest.mark.slow
def test_a_folder_that_is_not_there_is_named(server: Dovecot) -> None:
    box = Mailbox.of(f"imap://{quote(USER)}@127.0.0.1:{server.imap_port}/Bounces")

    with pytest.raises(SourceUnreachable, match="has no folder Bounces"):
        fetch(box)


@pytest.mark.parametrize("scheme", ["imap", "imaps", "pop3", "pop3s"])
def test_a_server_that_is_not_there_is_named(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(SourceUnreachable, match=f"no connection to 127.0.0.1:{port}"):
        fetch(Mailbox.of(f"{scheme}://me@127.0.0.1:{port}"))


@pytest.mark.parametrize(
    "wrong", ["", "mail.example.org", "https://me@host", "imaps://host", "imaps://me:pass@host"]
)
def test_what_is_no_mailbox_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="wants"):
        Mailbox.of(wrong)


def test_an_address_may_name_user_port_and_folder() -> None:
    box = Mailbox.of("imaps://me%40example.org@mail.example.org/INBOX/Bounces")

    assert (box.user, box.place) == ("me@example.org", "mail.example.org:993")
    assert box.folder == "INBOX/Bounces"
