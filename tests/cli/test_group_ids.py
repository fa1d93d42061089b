"""The id of a Telegram group begins with a dash, and is no option for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.support.service import Service

_GROUP = "-1001748201733"


@pytest.fixture
def member(program: Program) -> Program:
    """The program with the group on the list `big`."""
    program("lists", "create", "big")
    done = program("subscribers", "add", _GROUP, "--channel", "telegram", "--list", "big")
    assert done.code == 0, done.err
    return program


@pytest.mark.parametrize(
    "words",
    [
        ["show", _GROUP],
        ["show", "--json", _GROUP],
        ["remove", "--channel", "telegram", _GROUP],
        ["remove", _GROUP, "--channel", "telegram", "--list", "big"],
        ["show", "--", _GROUP],
    ],
)
def test_a_command_takes_it_wherever_it_stands(member: Program, words: list[str]) -> None:
    done = member("subscribers", *words)

    assert done.code == 0, done.err
    assert _GROUP in done.out


def test_an_option_takes_it(shop: Service, program: Program, file: Path) -> None:
    shop.subscribe("telegram", _GROUP)

    tested = program("send", file, "--test", _GROUP, "--channel", "telegram", "--dry-run")
    assert (tested.code, tested.err) == (0, "")

    program("send", file, "--list", "readers")
    logged = program("log", "1", "--subscriber", _GROUP)
    assert (logged.code, logged.err) == (0, "")


def test_a_mistyped_option_beside_an_address_is_named(program: Program) -> None:
    done = program("subscribers", "show", "--jsn", "reader@example.org")

    assert done.code == 2
    assert "--jsn" in done.err
