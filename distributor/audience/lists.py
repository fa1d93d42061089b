"""Lists: named sets of subscribers, channels mixed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from distributor.audience import validation
from distributor.audience.errors import ListArchived, ListExists, UnknownList
from distributor.ledger.tables import lists, memberships, subscribers


@dataclass(frozen=True, slots=True)
class MailingList:
    """A named set of subscribers; an archived one takes no sends."""

    id: int
    name: str
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListOverview:
    """A list with the numbers that an operator looks for."""

    name: str
    created_at: datetime
    archived_at: datetime | None
    #: Subscribers on the list now, by channel; a channel without any is left out.
    members: Mapping[str, int]
    #: Subscribers who left and have not come back.
    unsubscribed: int


def create(c: Connection, name: str) -> MailingList:
    """A new, empty list. Raises `InvalidName` or `ListExists`."""
    name = validation.list_name(name)
    row = {"name": name, "created_at": datetime.now(UTC)}
    try:
        with c.begin_nested():
            c.execute(sa.insert(lists).values(row))
    except IntegrityError as error:
        raise ListExists(
            f"there is a list {name!r} already; add subscribers to it, or choose another name"
        ) from error
    return get(c, name)


def get(c: Connection, name: str) -> MailingList:
    """The list `name`, archived or not. Raises `UnknownList` naming the lists there are."""
    name = validation.list_name(name)
    row = c.execute(_SELECT.where(lists.c.name == name)).one_or_none()
    if row is None:
        raise UnknownList(f"there is no list {name!r}; {_hint(c)}")
    return MailingList(*row)


def get_open(c: Connection, name: str) -> MailingList:
    """The list `name` that can be sent to. Raises `UnknownList` or `ListArchived`."""
    found = get(c, name)
    if found.archived_at is not None:
        raise ListArchived(
            f"the list {found.name!r} was archived on {found.archived_at:%Y-%m-%d}; "
            "use or create another list"
        )
    return found


def all_open(c: Connection, names: Iterable[str]) -> tuple[MailingList, ...]:
    """The lists `names`, each once, in the order given. Raises like `get_open`."""
    found = (get_open(c, name) for name in names)
    return tuple({one.id: one for one in found}.values())


def archive(c: Connection, name: str) -> MailingList:
    """Take the list out of use; its history stays. Archiving it again changes nothing."""
    found = get(c, name)
    if found.archived_at is None:
        now = datetime.now(UTC)
        c.execute(sa.update(lists).where(lists.c.id == found.id).values(archived_at=now))
    return get(c, name)


def overview(c: Connection) -> tuple[ListOverview, ...]:
    """Every list with its numbers, by name."""
    members: dict[int, dict[str, int]] = defaultdict(dict)
    unsubscribed: dict[int, int] = defaultdict(int)
    for list_id, channel, present, left in c.execute(_COUNTS):
        if present:
            members[list_id][channel] = present
        unsubscribed[list_id] += left
    return tuple(
        ListOverview(
            name=row.name,
            created_at=row.created_at,
            archived_at=row.archived_at,
            members=members[row.id],
            unsubscribed=unsubscribed[row.id],
        )
        for row in c.execute(_SELECT.order_by(lists.c.name))
    )


_SELECT = sa.select(lists.c.id, lists.c.name, lists.c.created_at, lists.c.archived_at)

#: `count` of a column leaves out the rows where it is null, which here are the present members.
_LEFT = sa.func.count(memberships.c.unsubscribed_at)
_COUNTS = (
    sa.select(memberships.c.list_id, subscribers.c.channel, sa.func.count() - _LEFT, _LEFT)
    .join(subscribers, subscribers.c.id == memberships.c.subscriber_id)
    .group_by(memberships.c.list_id, subscribers.c.channel)
    .order_by(subscribers.c.channel)
)


def _hint(c: Connection, limit: int = 10) -> str:
    open_lists = sa.select(lists.c.name).where(lists.c.archived_at.is_(None))
    names = c.scalars(open_lists.order_by(lists.c.name).limit(limit)).all()
    if not names:
        return "create it with: distributor lists create NAME"
    return f"there are: {', '.join(names)}"
