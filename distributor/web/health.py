"""Two questions that machines ask: is the process up, and can it do its work."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from distributor.ledger.database import Ledger, LedgerUnavailable
from distributor.ledger.tables import sends


class Health:
    """Serves `/healthz` and `/readyz`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @property
    def routes(self) -> list[Route]:
        return [Route("/healthz", self.up), Route("/readyz", self.ready)]

    async def up(self, _request: Request) -> Response:
        return _answer(200, status="up")

    def ready(self, _request: Request) -> Response:
        try:
            with self._ledger.read() as c:
                c.execute(sa.select(sends.c.id).limit(1))
        except (LedgerUnavailable, SQLAlchemyError):
            # Where the database is, and why it is away, is for the log and `doctor`.
            return _answer(503, status="unavailable", reason="the ledger cannot be used")
        return _answer(200, status="ready")


def _answer(status_code: int, **values: str) -> Response:
    return JSONResponse(values, status_code, {"Cache-Control": "no-store"})
