"""Whom a request means: lists on channels, their sizes, and the accounts that serve them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from channels.base import Account
from distributor.audience import lists
from distributor.engine.context import Context
from distributor.engine.planner import routes_of
from distributor.ledger.routing import accounts_of_lists
from distributor.ledger.sends import Audience
from distributor.operations.errors import OperationError
from distributor.operations.send_request import SendRequest


@dataclass(frozen=True, slots=True)
class Target:
    """A list on one channel."""

    audience: Audience
    list_name: str
    #: Its subscribers there.
    size: int


def of_request(connection: sa.Connection, request: SendRequest) -> list[Target]:
    """What the request goes to. Raises `OperationError` for a list with nobody to reach."""
    found = [lists.get_open(connection, name) for name in dict.fromkeys(request.lists)]
    members = {one.name: one.members for one in lists.overview(connection)}
    targets = [
        Target(Audience(one.id, channel), one.name, size)
        for one in found
        for channel, size in members[one.name].items()
        if not request.channels or channel in request.channels
    ]
    for one in found:
        if not any(target.list_name == one.name for target in targets):
            on = f" on {' or '.join(request.channels)}" if request.channels else ""
            channel = request.channels[0] if request.channels else "email"
            raise OperationError(
                f"the list {one.name!r} has no subscribers{on}; add some with: "
                f"distributor subscribers add ADDRESS --channel {channel} --list {one.name}"
            )
    return targets


def accounts_of(
    context: Context, connection: sa.Connection, targets: Sequence[Target]
) -> list[Account]:
    """The accounts that serve the audience. Raises `OperationError` when somebody has none."""
    found: list[Account] = []
    for channel in sorted({target.audience.channel for target in targets}):
        ids = {one.audience.list_id for one in targets if one.audience.channel == channel}
        routes = routes_of(context, channel)
        for name in accounts_of_lists(connection, ids, channel, routes):
            account = context.settings.accounts.get(name)
            if account is None or account.channel != channel:
                raise OperationError(without_account(channel, name))
            found.append(account)
    return found


def by_channel(targets: Sequence[Target]) -> dict[str, int]:
    """Subscribers to reach."""
    sizes: dict[str, int] = {}
    for target in targets:
        sizes[target.audience.channel] = sizes.get(target.audience.channel, 0) + target.size
    return dict(sorted(sizes.items()))


def without_account(channel: str, name: str = "") -> str:
    """What to do about a channel that nothing is configured for."""
    table, named = name or "NAME", f" named {name!r}" if name else ""
    return (
        f"no account{named} is configured for {channel}; add an [accounts.{table}] table with "
        f'channel = "{channel}" to the configuration, or leave it out with --channel'
    )
