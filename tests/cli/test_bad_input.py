"""What a stranger types and has wrong: one clear line, the right exit code, nothing half done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Done, Program
from tests.support.service import Service, edition

FAILED, WRONG_USAGE = 1, 2
_PASSWORD = "hush-hush-0123456789"


def error_of(done: Done) -> str:
    """The one line on standard error."""
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize("command", [["send", "--list", "readers"], ["preview", "--out", "out"]])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist; check the path"),
        (b"\x00\xff\xfe\x01\x80" * 400, "is not text"),
    ],
    ids=["missing", "binary"],
)
def test_a_file_that_cannot_be_read(
    shop: Service,
    program: Program,
    tmp_path: Path,
    command: list[str],
    content: bytes | None,
    words: str,
) -> None:
    path = tmp_path / "edition.md"
    if content is not None:
        path.write_bytes(content)
    name, *options = command

    done = program(name, path, *options)

    assert done.code == FAILED
    assert words in error_of(done)
    assert not (tmp_path / "out").exists()
    assert program("status", "--json").out == ""


def test_a_folder_instead_of_a_file(shop: Service, program: Program, tmp_path: Path) -> None:
    done = program("send", tmp_path, "--list", "readers")

    assert done.code == FAILED
    assert "is a directory" in error_of(done)


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_pipe_instead_of_a_file(program: Program, tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "pipe.md")

    done = program("digest", command, "pipe.md")

    assert done.code == FAILED
    assert "pipe.md is no regular file" in done.out


def test_a_file_that_is_too_large_for_an_edition(program: Program, file: Path) -> None:
    os.truncate(file, 200 * 2**20)

    done = program("digest", "check", file)

    assert done.code == FAILED
    assert "has 200 MB, and 16 MB is the limit" in done.out


def test_an_empty_file_is_held_with_its_name_and_the_reason(
    shop: Service, program: Program, file: Path
) -> None:
    file.write_text("")

    done = program("send", file, "--list", "readers")

    assert done.code == FAILED
    assert f"{file}: held, empty: the file is empty" in done.err
    assert "Nothing was sent." in done.err
    assert shop.platforms.received() == []


def test_a_file_in_gb18030_is_read_and_the_encoding_is_mentioned(
    program: Program, file: Path
) -> None:
    file.write_bytes(edition().encode("gb18030"))

    done = program("digest", "check", file)

    assert done.code == 0
    assert "GB18030" in done.out


def test_a_file_without_front_matter_or_with_a_broken_one_is_read(
    program: Program, file: Path
) -> None:
    file.write_text(edition().replace("title: ", 'title: [ "'), encoding="utf-8")

    done = program("digest", "show", file)

    assert done.code == 0
    assert "front-matter" in done.out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--list", "nobody"], FAILED, "there is no list 'nobody'; there are: empty, readers"),
        (["--list", "empty"], FAILED, "the list 'empty' has no subscribers; add some with:"),
        (["--list", "mail", "--channel", "telegram"], FAILED, "has no subscribers on telegram"),
        (["--list", "readers", "--channel", "fax"], WRONG_USAGE, "there is no channel 'fax'"),
        ([], WRONG_USAGE, "name at least one list with --list"),
        (["--list", "readers", "--at", "soon"], WRONG_USAGE, "--at soon: not a time"),
        (["--list", "readers", "--at", "2001-01-01"], WRONG_USAGE, "is past"),
        (["--list", "readers", "--at", "0001-01-01T00:00"], WRONG_USAGE, "is past"),
        (["--list", "readers", "--at", "9999-12-31T23:59"], WRONG_USAGE, "more than a year ahead"),
        (
            ["--list", "readers", "--at", "9999-12-31T23:59", "--dry-run"],
            WRONG_USAGE,
            "more than a year ahead",
        ),
        (
            ["--list", "readers", "--at", "2099-01-01", "--wait"],
            WRONG_USAGE,
            "--at and --wait do not go together",
        ),
        (["--test", "hello there"], WRONG_USAGE, "say which one as CHANNEL:ADDRESS"),
    ],
)
def test_a_wrong_send(
    shop: Service, program: Program, file: Path, options: list[str], code: int, words: str
) -> None:
    program("lists", "create", "empty")
    if "mail" in options:
        shop.subscribe("email", "reader@news.dev", to="mail")

    done = program("send", file, *options)

    assert done.code == code
    assert words in error_of(done)
    assert program("status", "--json").out == ""


def test_a_channel_without_an_account(
    shop: Service, program: Program, file: Path, tmp_path: Path
) -> None:
    configuration = tmp_path / "nothing.toml"
    configuration.write_text("")
    program.unset("ACCOUNTS_RELAY_PORT", "ACCOUNTS_BOT_BASE_URL", "ACCOUNTS_ROBOT_BASE_URL")

    done = program("--config", configuration, "send", file, "--list", "readers")

    assert done.code == FAILED
    assert 'channel = "email"' in error_of(done)


@pytest.mark.parametrize("command", [["status", "99"], ["log", "99"], ["status", "99", "--watch"]])
def test_a_send_that_is_not_there(shop: Service, program: Program, command: list[str]) -> None:
    done = program(*command)

    assert done.code == FAILED
    assert error_of(done) == "there is no send 99; list them with: distributor status"


@pytest.mark.parametrize(
    "command",
    ["status", "log", "receipt", "approve", "pause", "resume", "cancel", "retry"],
)
@pytest.mark.parametrize("number", ["0", "9" * 19, "9" * 23, "9" * 5000, "１２"])
def test_a_number_that_no_send_can_have(program: Program, command: str, number: str) -> None:
    done = program(command, number)

    assert done.code == WRONG_USAGE
    assert f"{number!r} is not the number of a send" in error_of(done)


@pytest.mark.parametrize("command", [["status", "abc"], ["log"], ["sned"], ["send", "--lsit", "x"]])
def test_a_command_that_does_not_exist_or_is_incomplete(
    program: Program, command: list[str]
) -> None:
    done = program(*command)

    assert done.code == WRONG_USAGE
    assert error_of(done).endswith("--help")


def test_a_drill_that_is_too_small(program: Program) -> None:
    done = program("drill", "--recipients", "49")

    assert done.code == WRONG_USAGE
    assert "'--recipients': Input should be greater than or equal to 50" in error_of(done)


def test_a_state_that_does_not_exist(program: Program) -> None:
    done = program("log", "1", "--state", "nope")

    assert done.code == WRONG_USAGE
    assert error_of(done).startswith("Invalid value for '--state': 'nope' is not one of 'queued',")


@pytest.mark.parametrize(
    ("address", "channel"), [("reader@example.org", "smoke"), ("no address", "email")]
)
def test_a_subscriber_that_cannot_be_is_wrong_usage(
    shop: Service, program: Program, address: str, channel: str
) -> None:
    done = program("subscribers", "add", address, "--channel", channel, "--list", "readers")

    assert done.code == WRONG_USAGE
    assert error_of(done)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ACCOUNTS_RELAY_PORT", "1", "127.0.0.1:1"),
        ("ACCOUNTS_BOT_BASE_URL", "http://127.0.0.1:1/bot", "http://127.0.0.1:1/bot"),
        ("ACCOUNTS_ROBOT_BASE_URL", "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("REDIS_URL", f"redis://:{_PASSWORD}@127.0.0.1:1/0", "Redis at 127.0.0.1:1 cannot be used"),
    ],
)
def test_what_a_send_needs_does_not_answer(
    shop: Service, program: Program, file: Path, variable: str, value: str, words: str
) -> None:
    program.set(**{variable: value})

    done = program("send", file, "--list", "readers")

    assert done.code == FAILED
    assert words in error_of(done)
    assert _PASSWORD not in done.err
    assert program("status", "--json").out == ""


def test_a_proxy_that_cannot_reach_this_machine_is_not_asked_to(
    shop: Service, program: Program, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")

    done = program("send", file, "--list", "readers")

    assert done.code == 0, done.err


def test_a_database_that_does_not_answer(program: Program) -> None:
    program.set(DATABASE_URL=f"postgresql://news:{_PASSWORD}@127.0.0.1:1/news")

    done = program("status")

    assert done.code == FAILED
    assert "127.0.0.1:1/news" in error_of(done)
    assert _PASSWORD not in done.err


def test_a_ledger_that_is_no_database(program: Program, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "ledger.db").write_text("Dear diary, today I was not a database.")

    done = program("status")

    assert done.code == FAILED
    assert "file is not a database. The file is damaged" in error_of(done)


@pytest.mark.parametrize("table", ["alembic_version", "sends"])
def test_a_ledger_that_is_damaged(shop: Service, program: Program, table: str) -> None:
    path = Path(str(shop.ledger.engine.url.database))
    with shop.ledger.read() as connection:
        (page_size,) = connection.exec_driver_sql("PRAGMA page_size").one()
        where = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = connection.exec_driver_sql(where, (table,)).one()
    shop.ledger.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * page_size)
        file.write(b"\xff\x13" * (page_size // 2))

    done = program("status")

    assert done.code == FAILED
    assert "database disk image is malformed" in error_of(done)


def test_a_storage_folder_that_cannot_be_made(program: Program, file: Path) -> None:
    program.set(STORAGE_VAR=str(file / "var"))

    done = program("status")

    assert done.code == FAILED
    said = error_of(done)
    assert str(file) in said
    assert "its folder is a file" in said
    assert "storage.var" in said


def test_a_storage_folder_that_cannot_be_made_beside_a_database_elsewhere(
    shop: Service, program: Program, file: Path
) -> None:
    program.set(STORAGE_VAR=str(file / "var"))

    done = program("status")

    assert done.code == WRONG_USAGE
    assert error_of(done).startswith(f"storage.var: {file / 'var'} cannot be used: ")


def test_a_wrong_setting(program: Program) -> None:
    program.set(WEB_PORT="http")

    done = program("status")

    assert done.code == WRONG_USAGE
    assert error_of(done).startswith("web.port: got 'http'")


def test_a_send_that_no_worker_takes_up_says_so(
    shop: Service, program: Program, file: Path
) -> None:
    done = program("send", file, "--list", "readers")

    assert done.code == 0
    assert "No worker is running for control, email, telegram, wechat" in done.err
    assert "distributor up" in done.err


def test_a_dry_run_writes_nothing(shop: Service, program: Program, file: Path) -> None:
    done = program("send", file, "--list", "readers", "--dry-run")

    assert done.code == 0
    assert "Nothing was sent" in done.out
    assert program("status", "--json").out == ""
