"""The receipt as a page: it can be printed, runs nothing, loads nothing and names no address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from channels.base import Publisher
from distributor.ledger.states import DeliveryState
from distributor.operations.receipt import Receipt
from distributor.templating import Templates


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the bar, in thousandths of its length."""

    state: DeliveryState
    start: float
    length: float


def render(receipt: Receipt, templates: Templates, publisher: Publisher) -> str:
    """The page as text."""
    environment = templates.environment.overlay()
    environment.filters = {**environment.filters, "number": _number, "moment": _moment}
    style = templates.render("web/style.css.j2") + templates.render("web/receipt.css.j2")
    return environment.get_template("web/receipt.html.j2").render(
        receipt=receipt,
        segments=list(_segments(receipt)),
        publisher=publisher,
        style=Markup(style),  # noqa: S704
    )


def _segments(receipt: Receipt) -> Iterator[Segment]:
    whole = sum(number for _, number in receipt.terms)
    start = 0.0
    for state, number in receipt.terms:
        if number:
            length = number * 1000 / whole
            yield Segment(state, round(start, 3), round(length, 3))
            start += length


def _number(value: int) -> str:
    return f"{value:,}"


def _moment(value: datetime) -> str:
    """To the second, in UTC: a receipt is read in other places too."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
