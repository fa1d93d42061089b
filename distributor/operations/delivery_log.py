"""The delivery log as people and scripts read it: addresses shown, secrets in them hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from channels import registry
from channels.optional import Explains
from distributor.engine.context import Context
from distributor.ledger import log
from distributor.ledger.log import Entry
from distributor.ledger.states import DeliveryState
from distributor.operations.lookup import find_send, subscriber_query
from distributor.operations.times import iso


def entries(
    context: Context,
    send_id: int,
    *,
    state: DeliveryState | None = None,
    subscriber: str | None = None,
) -> Iterator[Entry]:
    """Every attempt of a send, or of one `subscriber`, as `subscriber_query` reads it.

    Raises `OperationError` for a send that is not there.
    """
    wanted = None if subscriber is None else subscriber_query(subscriber)
    with context.ledger.read() as connection:
        find_send(connection, send_id)
        yield from log.entries(connection, send_id, state=state, subscriber=wanted)


def as_json(entry: Entry) -> dict[str, object]:
    """The object of one line of `log SEND --json`."""
    return {
        "delivery": entry.delivery,
        "subscriber": entry.subscriber,
        "channel": entry.channel,
        "address": shown_address(entry.channel, entry.address),
        "state": entry.state.value,
        "part": entry.part,
        "attempt": entry.attempt,
        "at": iso(entry.at),
        "outcome": entry.outcome.value,
        "code": entry.code,
        "reply": entry.reply,
        "message_id": entry.message_id,
        "worker": entry.worker,
        "duration_ms": entry.duration_ms,
    }


def explanations(codes: Iterable[tuple[str, str]], language: str) -> Iterator[tuple[str, str]]:
    """Codes with what they mean and what to do, as far as their channels say.

    `codes`: pairs of channel and code; each is explained once.
    """
    for channel, code in dict.fromkeys(codes):
        known: object = registry.get(channel) if channel in registry.names() else None
        text = known.explain(code, language) if isinstance(known, Explains) else None
        if text is not None:
            yield code, text


def shown_address(channel: str, address: str) -> str:
    """The address with its secret part hidden; as it is for a channel that is no longer there."""
    if channel not in registry.names():
        return address
    return registry.get(channel).show_address(address)
