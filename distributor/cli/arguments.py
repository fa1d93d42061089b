"""Arguments that many commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from distributor.ledger.identifiers import identifier_in


def _send(text: str) -> int:
    number = identifier_in(text)
    if number is None:
        raise typer.BadParameter(f"{text!r} is not the number of a send")
    return number


#: A send, by its number.
Send = Annotated[int, typer.Argument(parser=_send, help="The number of a send.")]
#: A send, or all of them.
SendOrAll = Annotated[
    int | None,
    typer.Argument(parser=_send, help="The number of a send; without it, the newest ones."),
]
