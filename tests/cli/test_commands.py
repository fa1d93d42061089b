"""Every command is there, explains itself, and shows how it is used."""

from __future__ import annotations

from itertools import pairwise

import pytest
import typer

from distributor.cli.main import app
from tests.cli.conftest import Program


def commands(of: typer.Typer, prefix: str = "") -> dict[str, str]:
    """Help texts by the words that start the command."""
    found = {}
    for one in of.registered_commands:
        assert one.callback is not None
        name = one.name or one.callback.__name__.strip("_")
        found[f"{prefix}{name}"] = one.callback.__doc__ or ""
    for group in of.registered_groups:
        assert group.typer_instance is not None
        found |= commands(group.typer_instance, f"{prefix}{group.name} ")
    return found


COMMANDS = commands(app)


@pytest.mark.parametrize(
    "name",
    [
        "digest show",
        "digest check",
        "digest list",
        "digest source",
        "preview",
        "send",
        "status",
        "log",
        "subscribers add",
        "subscribers remove",
        "subscribers import",
        "subscribers export",
        "subscribers show",
        "lists create",
        "lists show",
        "lists archive",
        "channels test",
        "doctor",
        "demo",
        "amend",
        "up",
        "watch",
        "worker",
        "scheduler",
        "web",
        "bot",
        "approve",
        "sandbox",
        "bench telegram",
    ],
)
def test_what_operators_and_scripts_call_is_there(name: str) -> None:
    assert name in COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_in_one_line_what_it_does(name: str) -> None:
    first, _, rest = COMMANDS[name].partition("\n")

    assert first.endswith(".")
    assert len(first) <= 96
    assert rest.startswith("\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_of_it(name: str) -> None:
    assert f"Example: distributor {name}" in COMMANDS[name]


def test_the_paragraphs_of_a_help_fill_the_terminal(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    lines = [line.strip() for line in program("cancel", "--help").out.splitlines()]

    first = lines.index("End a send: what has not left never will.")
    paragraph = lines[first + 2 : lines.index("", first + 2)]
    assert len(paragraph) > 1
    for line, below in pairwise(paragraph):
        assert len(f"{line} {below.split()[0]}") > 80 - len("  ")


@pytest.mark.parametrize("command", [[], ["send"], ["subscribers"], ["subscribers", "show"]])
def test_the_help_of_a_flag_names_no_type(program: Program, command: list[str]) -> None:
    done = program(*command, "--help")

    assert "--help" in done.out
    assert "<bool>" not in done.out
