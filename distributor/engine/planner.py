"""The planner: freezes a send's renderings and audience, then releases its batches."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from channels import registry
from channels.base import Edition, RenderError, Rendering
from distributor.digest import reader
from distributor.engine.context import Context
from distributor.ledger import digests, freeze, sends, tables
from distributor.ledger.freeze import FrozenRendering, Group
from distributor.ledger.routing import Route
from distributor.ledger.states import SendState

_log = logging.getLogger(__name__)


class _CannotCarry(Exception):
    """The send must be held; the text says why."""


@dataclass(frozen=True, slots=True)
class _Plan:
    group: Group
    #: By variant.
    renderings: Mapping[str, FrozenRendering]


def prepare(context: Context, send_id: int) -> bool:
    """Plan a send in one transaction; False when it was planned already or is now held.

    A channel that cannot render the edition, or has no account, holds the whole send before
    anything has left.
    """
    with context.ledger.write() as connection:
        if sends.is_locked(connection, send_id):
            return False  # another planner is at it, and counting the audience takes time
    with context.ledger.read() as connection:
        send = sends.find(connection, send_id)
        if send is None or send.state is not SendState.PREPARING:
            return False
        stored = digests.get(connection, send.digest_id)
        groups = audience_of(context, connection, send_id)
        names = sends.list_names(connection, send_id)
    try:
        plans = [_plan(context, group, edition_of(context, stored, names)) for group in groups]
    except _CannotCarry as error:
        return _hold(context, send_id, str(error))
    except Exception as error:  # noqa: BLE001
        # Without this the sweeper would try again for ever, and nobody would be told.
        _log.exception("send %s: rendering broke off", send_id, extra={"send": send_id})
        reason = f"rendering broke off ({type(error).__name__}): a bug; the worker's log has it"
        return _hold(context, send_id, reason)
    return _freeze(context, send_id, plans)


def audience_of(context: Context, connection: Connection, send_id: int) -> list[Group]:
    """Whom the send goes to, by channel and account."""
    return [
        group
        for channel in freeze.channels_of(connection, send_id)
        for group in freeze.groups_of(connection, send_id, channel, routes_of(context, channel))
    ]


def routes_of(context: Context, channel: str) -> list[Route]:
    """Where the channel's addresses lead when nothing else was chosen for them."""
    accounts = context.settings.accounts_of(channel)
    return [Route(account.address_prefix, account.name) for account in accounts]


def _plan(context: Context, group: Group, edition: Edition) -> _Plan:
    account = context.settings.accounts.get(group.account)
    if account is None or account.channel != group.channel:
        named = f" named {group.account!r}" if group.account else ""
        raise _CannotCarry(
            f"no account{named} is configured for {group.channel}, "
            f"which {group.size} of its subscribers need"
        )
    channel = registry.get(group.channel)
    try:
        renderings = {
            variant: _frozen(channel.render(edition, account, variant))
            for variant in group.variants
            if variant in ("", *channel.variants)
        }
    except RenderError as error:
        raise _CannotCarry(f"{group.channel} cannot carry this edition: {error}") from error
    return _Plan(group, renderings)


def edition_of(
    context: Context, stored: digests.StoredDigest, list_names: Sequence[str] = ()
) -> Edition:
    """The stored revision with what a rendering needs around it, to go to the named lists."""
    digest = reader.read(stored.source, stored.name, context.settings.reading.base_url)
    return Edition(
        digest=digest,
        web_url=web_edition_url(context.settings.public_url, digest.revision),
        publisher=context.settings.publisher_card(),
        templates=context.templates,
        list_name=list_names[0] if len(list_names) == 1 else "",
    )


def web_edition_url(public_url: str, revision: str) -> str:
    """Where `distributor web` serves this revision; 16 hex digits tell editions apart."""
    return f"{public_url}/editions/{revision[:16]}"


def _frozen(rendering: Rendering) -> FrozenRendering:
    return FrozenRendering([dict(part.payload) for part in rendering.parts], rendering.warnings)


def _freeze(context: Context, send_id: int, plans: list[_Plan]) -> bool:
    at = context.now()
    with context.ledger.write() as connection:
        # First, so that a second planner waits here and then finds nothing to do.
        if not sends.begin(connection, send_id, at=at):
            return False
        intended = 0
        for plan in plans:
            intended += freeze.freeze_group(
                connection,
                send_id,
                plan.group,
                routes=routes_of(context, plan.group.channel),
                renderings=plan.renderings,
                batch_size=context.settings.sending.batch_size,
                at=at,
            )
        sends.set_intended(connection, send_id, intended)
        # A send without a single delivery has ended as soon as it began.
        sends.close_if_done(connection, send_id, at)
    context.ledger.refresh_statistics(tables.deliveries)
    _log.info("send %s planned: %s deliveries", send_id, intended, extra={"send": send_id})
    return True


def _hold(context: Context, send_id: int, reason: str) -> bool:
    with context.ledger.write() as connection:
        sends.hold(connection, send_id, reason)
    _log.error("send %s is held: %s", send_id, reason, extra={"send": send_id})
    return False
