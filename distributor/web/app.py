"""The web application, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.applications import Starlette

from channels.base import Publisher
from distributor.audience.tokens import UnsubscribeTokens
from distributor.engine.context import utc_now
from distributor.ledger.database import Ledger
from distributor.ledger.sends import Send
from distributor.operations.remarks import Remark
from distributor.operations.roster import Roster
from distributor.templating import Templates
from distributor.web import errors
from distributor.web.editions import Editions
from distributor.web.health import Health
from distributor.web.metrics import MetricsPage
from distributor.web.pages import Pages
from distributor.web.pictures import EditionPictures
from distributor.web.status import StatusPages
from distributor.web.unsubscribe import UnsubscribePages


def create_app(
    ledger: Ledger,
    templates: Templates,
    publisher: Publisher,
    secret: str,
    *,
    look: Callable[[], Roster],
    remark: Callable[[Send], Sequence[Remark]],
    public_url: str = "",
    measure: Callable[[], str] | None = None,
    base_url: str = "",
    now: Callable[[], datetime] = utc_now,
) -> Starlette:
    """The status pages, the web editions, unsubscribing and health, as one ASGI application.

    `secret` is what unsubscribe tokens were signed with, 16 bytes or more; `look` tells who is
    alive, `remark` what an operator should know of a send's edition; `public_url` is where readers
    reach the pages; `measure` gives the text of `/metrics`, which is not served without it;
    `base_url` is the site that relative links of an edition belong to. The endpoints that read the
    ledger are plain functions, which Starlette runs in its thread pool.
    """
    pages = Pages(templates, publisher)
    routes = [
        *StatusPages(ledger, pages, look, remark, now).routes,
        *Editions(ledger, pages, base_url).routes,
        *EditionPictures(ledger, templates, publisher, public_url, base_url).routes,
        *UnsubscribePages(ledger, pages, UnsubscribeTokens(secret)).routes,
        *Health(ledger, look).routes,
    ]
    if measure is not None:
        routes += MetricsPage(measure).routes
    return Starlette(
        routes=routes,
        exception_handlers=errors.handlers(pages),
    )
