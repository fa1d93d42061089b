"""Two questions that machines ask: is the process up, and can it do its work."""

from __future__ import annotations

from collections.abc import Callable

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from distributor.ledger import migrations
from distributor.ledger.database import Ledger, LedgerUnavailable
from distributor.operations.roster import Roster

#: A database that has not answered by then counts as away, in seconds.
_PATIENCE_SECONDS = 5.0


class Health:
    """Serves `/healthz` and `/readyz`."""

    def __init__(self, ledger: Ledger, look: Callable[[], Roster]) -> None:
        self._ledger = ledger
        self._look = look

    @property
    def routes(self) -> list[Route]:
        return [Route("/healthz", self.up), Route("/readyz", self.ready)]

    async def up(self, _request: Request) -> Response:
        return _answer(200, status="up")

    async def ready(self, _request: Request) -> Response:
        # In a thread of its own, which is not waited for: pages that wait for a database that hangs
        # may have all the others.
        with anyio.move_on_after(_PATIENCE_SECONDS):
            return await anyio.to_thread.run_sync(
                self._examine, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
            )
        return _UNAVAILABLE

    def _examine(self) -> Response:
        try:
            with self._ledger.patience(_PATIENCE_SECONDS), self._ledger.read() as c:
                is_current = migrations.is_current(c)
        except (LedgerUnavailable, SQLAlchemyError):
            return _UNAVAILABLE
        if not is_current:
            reason = "the ledger's schema is not the one of this version"
            return _answer(503, status="unavailable", schema="not current", reason=reason)
        # Pages do without Redis: it is told, and changes nothing.
        redis = "answers" if self._look().redis_answers else "does not answer"
        return _answer(200, status="ready", schema="current", redis=redis)


def _answer(status_code: int, **values: str) -> Response:
    return JSONResponse(values, status_code, {"Cache-Control": "no-store"})


#: Where the database is, and why it is away, is for the log and `doctor`.
_UNAVAILABLE = _answer(503, status="unavailable", reason="the ledger cannot be used")
