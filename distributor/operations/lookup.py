"""What a request names must be there; who asks for something else is told what there is."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from channels import registry
from distributor.audience import subscribers
from distributor.ledger import sends
from distributor.ledger.log import SubscriberQuery
from distributor.ledger.sends import Send
from distributor.operations.errors import OperationError, WrongRequest


def find_send(connection: Connection, send_id: int) -> Send:
    """The send. Raises `OperationError` for one that is not there."""
    return there(sends.find(connection, send_id), send_id)


def there(send: Send | None, send_id: int) -> Send:
    """The send that was found. Raises `OperationError` when none was."""
    if send is None:
        raise OperationError(f"there is no send {send_id}; list them with: distributor status")
    return send


def subscriber_query(text: str) -> SubscriberQuery:
    """Whom an operator means: a subscriber's id, an address in any spelling, or CHANNEL:ADDRESS."""
    return SubscriberQuery(text, subscribers.readings(text))


def check_channels(names: Iterable[str]) -> None:
    """Raise `WrongRequest` for a channel that is not there."""
    for name in names:
        if name not in registry.names():
            known = ", ".join(registry.names())
            raise WrongRequest(f"there is no channel {name!r}; there are: {known}")
