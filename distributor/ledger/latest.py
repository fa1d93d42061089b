"""The newest edition that lists have had."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from distributor.ledger.states import SendState
from distributor.ledger.tables import lists, renderings, send_audiences, sends, subscribers

_WENT_OUT = (SendState.SENDING, SendState.PAUSED, SendState.FINISHED)


def rendering(
    connection: Connection,
    list_names: Collection[str],
    *,
    channel: str,
    account: str,
    variant: str,
) -> int | None:
    """The newest rendering that `account` sent to one of the lists; None when there is none.

    Where nobody got `variant`, it is the account's own form.
    """
    query = (
        sa.select(renderings.c.id)
        .join(sends, sends.c.id == renderings.c.send_id)
        .join(send_audiences, send_audiences.c.send_id == sends.c.id)
        .join(lists, lists.c.id == send_audiences.c.list_id)
        .where(
            lists.c.name.in_(list_names),
            sends.c.state.in_(_WENT_OUT),
            send_audiences.c.channel == channel,
            renderings.c.channel == channel,
            renderings.c.account == account,
            renderings.c.variant.in_(("", variant)),
        )
        .order_by(sends.c.id.desc(), (renderings.c.variant == variant).desc())
        .limit(1)
    )
    found: int | None = connection.execute(query).scalar()
    return found


def attributes_of(connection: Connection, subscriber_id: int) -> Mapping[str, str]:
    """A subscriber's attributes; none for somebody who is not known."""
    query = sa.select(subscribers.c.attributes).where(subscribers.c.id == subscriber_id)
    return connection.execute(query).scalar() or {}
