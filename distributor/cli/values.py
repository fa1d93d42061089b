"""Options that give values by name, as `--set city=Shanghai`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from distributor.operations.errors import WrongRequest


def by_name(option: str, texts: Iterable[str]) -> Mapping[str, str]:
    """The values of a repeatable `option` by their names; the last one of a name counts.

    Raises `WrongRequest`.
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise WrongRequest(f"{option} {text}: wants NAME=VALUE, such as thread=42")
        values[name] = value
    return values
