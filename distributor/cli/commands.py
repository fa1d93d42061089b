"""How this program's commands differ from typer's own: help texts, and group ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

#: The id of a Telegram group; no option is a number.
_GROUP_ID = re.compile(r"-\d+", re.ASCII)
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _without_types_of_flags(parameters: list[Any]) -> list[Any]:
    """A flag takes no value, so that its help names no type of one."""
    for parameter in parameters:
        if isinstance(parameter, TyperOption) and parameter.is_flag:
            parameter.metavar = ""
    return parameters


def _unwrapped(text: str) -> str:
    """Each paragraph in one line, so that a terminal of any width wraps it itself."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


class Command(TyperCommand):
    """A command whose help shows flags as what they are, and fits the terminal."""

    def __init__(self, *args: Any, help: str | None = None, **options: Any) -> None:  # noqa: A002
        super().__init__(*args, help=_unwrapped(help) if help else help, **options)

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))


class AddressCommand(Command):
    """A command whose argument may be `-1001234567`, with no `--` before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # Only then, so that a mistyped option is else reported as one.
        ctx.ignore_unknown_options = any(map(_GROUP_ID.fullmatch, args))
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """A group of commands whose help shows flags as what they are."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))


class Commands(typer.Typer):
    """A set of commands, to which commands are added as to any `Typer`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cls=Group, **options)

    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = Command, **options: Any
    ) -> Callable[[_Function], _Function]:
        return super().command(name, cls=cls, **options)
