"""What is known of editions: state, revisions and last send."""

from __future__ import annotations

from pathlib import Path

import pytest

from distributor.digest.sources.folder import FolderSource
from distributor.ledger.states import SendState
from distributor.operations import catalogue, importing
from distributor.operations.catalogue import Listed
from distributor.operations.errors import OperationError, WrongRequest
from tests.support.service import Service, edition


class Desk:
    """An editor's folder that is imported after each change."""

    def __init__(self, shop: Service, folder: Path) -> None:
        self.shop = shop
        self.folder = folder
        folder.mkdir()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        list(importing.look(self.shop.context, FolderSource("blog", self.folder, 60, 100_000)))
        return path

    def listed(self, limit: int = 20, source: str | None = None) -> list[Listed]:
        return list(catalogue.newest(self.shop.context, source=source, limit=limit))

    def only(self) -> Listed:
        (one,) = self.listed()
        return one


@pytest.fixture
def desk(shop: Service, tmp_path: Path) -> Desk:
    return Desk(shop, tmp_path / "content")


def dated(day: int) -> str:
    return edition().replace("2026-03-02", f"2026-03-{day:02}")


def test_an_edition_that_was_imported_is_ready(desk: Desk) -> None:
    desk.write("1.md", edition())

    assert desk.only().state == "ready"
    assert desk.only().last_send is None


def test_one_that_should_not_go_out_is_held_with_its_reasons(desk: Desk) -> None:
    desk.write("1.md", "")

    assert desk.only().state == "held"
    assert desk.only().edition.reasons


def test_one_that_goes_out_is_sent_and_names_its_send(desk: Desk) -> None:
    path = desk.write("1.md", edition())
    send_id = desk.shop.start_request(path=path, lists=["readers"])

    assert desk.only().state == "sent"
    assert desk.only().last_send == desk.shop.send(send_id)


def test_a_send_of_one_edition_says_nothing_about_another(desk: Desk) -> None:
    for day in (2, 3):
        path = desk.write(f"{day}.md", dated(day))
    desk.shop.start_request(path=path, lists=["readers"])

    sent, other = desk.listed()

    assert (sent.state, other.state) == ("sent", "ready")
    assert other.last_send is None


def test_one_that_was_changed_after_its_send_says_so(desk: Desk) -> None:
    path = desk.write("1.md", edition())
    send_id = desk.shop.start_request(path=path, lists=["readers"])
    desk.write("1.md", edition(items=3))

    listed = desk.only()

    assert (listed.state, listed.entry.revisions) == ("changed", 2)
    assert listed.last_send is not None
    assert listed.last_send.id == send_id
    assert listed.last_send.revision != listed.edition.digest.revision


def test_a_correction_that_was_sent_too_is_sent(desk: Desk) -> None:
    for items in (2, 3):
        path = desk.write("1.md", edition(items=items))
        desk.shop.start_request(path=path, lists=["readers"])

    assert desk.only().state == "sent"


@pytest.mark.parametrize("state", [SendState.CANCELED, SendState.HELD])
def test_a_send_that_never_left_leaves_the_edition_ready(desk: Desk, state: SendState) -> None:
    path = desk.write("1.md", edition())
    send_id = desk.shop.start_request(path=path, lists=["readers"])
    desk.shop.move(send_id, state)

    listed = desk.only()

    assert listed.state == "ready"
    assert listed.last_send is not None
    assert listed.last_send.state is state


def test_a_test_is_no_send(desk: Desk) -> None:
    path = desk.write("1.md", edition())
    desk.shop.start_request(path=path, test="email:reader@example.org")

    assert desk.only().state == "ready"
    assert desk.only().last_send is None


def test_a_file_that_an_operator_sent_is_known_without_a_source(desk: Desk) -> None:
    desk.shop.start()

    listed = desk.only()

    assert (listed.entry.source, listed.entry.revisions) == (None, 1)
    assert listed.edition.name == "edition.md"
    assert listed.state == "sent"


def test_the_newest_editions_come_first_by_their_own_date(desk: Desk) -> None:
    for day in (2, 4, 3):
        desk.write(f"{day}.md", dated(day))

    assert [one.entry.identity for one in desk.listed()] == ["4.md", "3.md", "2.md"]
    assert [one.entry.identity for one in desk.listed(limit=1)] == ["4.md"]


def test_editions_of_one_source_can_be_listed(desk: Desk) -> None:
    desk.shop.start()
    desk.write("1.md", dated(4))

    assert [one.entry.identity for one in desk.listed(source="blog")] == ["1.md"]


def test_a_source_that_nobody_knows_is_an_error(desk: Desk) -> None:
    with pytest.raises(OperationError, match="there is no source 'nope'"):
        desk.listed(source="nope")


def test_an_edition_comes_back_byte_for_byte_by_the_beginning_of_its_revision(desk: Desk) -> None:
    desk.write("1.md", edition())
    revision = desk.only().edition.digest.revision

    assert catalogue.source_of(desk.shop.context, revision[:8]) == edition().encode()


@pytest.mark.parametrize("revision", ["abc", "ABCD", "%%%%", "", "0" * 65])
def test_what_is_no_revision_is_refused(desk: Desk, revision: str) -> None:
    with pytest.raises(WrongRequest, match="not a revision"):
        catalogue.source_of(desk.shop.context, revision)


def test_a_revision_that_nobody_knows_is_an_error(desk: Desk) -> None:
    with pytest.raises(OperationError, match="no revision begins with 00000000"):
        catalogue.source_of(desk.shop.context, "00000000")
