"""What scripts read: one object a line, with exactly these keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.conftest import Program
from tests.support.service import Service

_BOOKS = [
    "intended",
    "queued",
    "sending",
    "retrying",
    "sent",
    "bounced",
    "complained",
    "failed",
    "unknown",
    "skipped",
    "canceled",
]
_ENTRY = [
    "delivery",
    "subscriber",
    "channel",
    "address",
    "state",
    "part",
    "attempt",
    "at",
    "outcome",
    "code",
    "reply",
    "message_id",
    "worker",
    "duration_ms",
]
_DIGEST = {
    "file",
    "title",
    "date",
    "language",
    "categories",
    "intro",
    "sections",
    "items",
    "commentary",
    "publishable",
    "reasons",
}
_STATUS = {"send", "digest", "state", "books", "channels", "started_at", "finished_at"}


def finished_send(shop: Service) -> int:
    send_id = shop.start_and_plan()
    shop.deliver(send_id)
    return send_id


def test_status_of_a_send(shop: Service, program: Program) -> None:
    send_id = finished_send(shop)

    (said,) = program("status", send_id, "--json").json_lines

    assert said.keys() >= _STATUS
    assert list(said["books"]) == _BOOKS
    assert {name: list(books) for name, books in said["channels"].items()} == {
        "email": _BOOKS,
        "telegram": _BOOKS,
        "wechat": _BOOKS,
    }
    assert (said["send"], said["state"], said["books"]["sent"]) == (send_id, "finished", 3)


def test_status_of_all_sends_is_a_line_each(shop: Service, program: Program) -> None:
    ids = [shop.start(again=True) for _ in range(2)]

    assert [one["send"] for one in program("status", "--json").json_lines] == ids[::-1]


def test_the_log_has_a_line_for_every_try(shop: Service, program: Program) -> None:
    send_id = finished_send(shop)

    entries = program("log", send_id, "--json").json_lines

    assert all(list(entry) == _ENTRY for entry in entries)
    assert {entry["channel"] for entry in entries} == {"email", "telegram", "wechat"}


def test_the_log_of_one_state_or_one_subscriber(shop: Service, program: Program) -> None:
    send_id = finished_send(shop)

    assert program("log", send_id, "--state", "failed", "--json").json_lines == []
    (entry,) = program("log", send_id, "--subscriber", "@a_channel", "--json").json_lines
    assert entry["address"] == "@a_channel"


def test_a_digest(program: Program, file: Path) -> None:
    (said,) = program("digest", "show", file, "--json").json_lines

    assert said.keys() >= _DIGEST
    assert said["file"] == str(file)
    assert list(said["items"][0]) == ["number", "title", "url", "text", "section"]
    assert (said["publishable"], said["reasons"]) == (True, [])


def test_a_file_that_cannot_be_read_does_not_hide_the_others(program: Program, file: Path) -> None:
    done = program("digest", "show", "missing.md", file, "--json")

    unreadable, shown = done.json_lines
    assert done.code == 1
    assert unreadable.keys() == {"file", "error"}
    assert shown["file"] == str(file)


def test_why_a_digest_is_held(program: Program, file: Path) -> None:
    file.write_text("")

    done = program("digest", "check", file, "--json")

    (said,) = done.json_lines
    assert done.code == 1
    assert [list(reason) for reason in said["reasons"]] == [["code", "message"]]


def test_a_send(shop: Service, program: Program, file: Path) -> None:
    (said,) = program("send", file, "--list", "readers", "--json").json_lines

    assert said["state"] == "preparing"
    assert said["recipients"] == {"email": 1, "telegram": 1, "wechat": 1}
    assert shop.send(said["send"]).revision == said["digest"]


def test_a_scheduled_send_says_when(shop: Service, program: Program, file: Path) -> None:
    day = datetime.now(UTC).date() + timedelta(days=9)
    request = ("send", file, "--list", "readers", "--at", f"{day} 08:00 Asia/Shanghai", "--json")

    (said,) = program(*request).json_lines
    (listed,) = program("status", "--json").json_lines
    (shown,) = program("status", said["send"], "--json").json_lines

    deadline = datetime.fromisoformat(f"{day}T00:00+00:00") + timedelta(
        hours=shop.settings.sending.deadline_hours
    )
    for one in (said, listed, shown):
        assert one["scheduled_for"] == f"{day}T00:00:00.000+00:00"
        assert one["deadline_at"] == deadline.isoformat(timespec="milliseconds")


def test_a_send_of_what_was_sent_before_names_the_earlier_one(
    shop: Service, program: Program, file: Path
) -> None:
    (first,) = program("send", file, "--list", "readers", "--channel", "email", "--json").json_lines

    done = program("send", file, "--list", "readers", "--channel", "email", "--json")

    (second,) = done.json_lines
    assert (done.code, second["send"]) == (0, None)
    assert second["already"] == [{"list": "readers", "channel": "email", "send": first["send"]}]


def test_one_list_by_its_name(shop: Service, program: Program) -> None:
    (said,) = program("lists", "show", "--json").json_lines
    assert program("lists", "show", str(said["name"]), "--json").json_lines == [said]


def test_the_lists(shop: Service, program: Program) -> None:
    (said,) = program("lists", "show", "--json").json_lines

    assert (said["name"], said["members"]) == ("readers", {"email": 1, "telegram": 1, "wechat": 1})
