"""Pages for what went wrong: short words, and never a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from distributor.ledger.database import LedgerUnavailable
from distributor.web.pages import Pages, reader_words

Handler = Callable[[Request, Exception], Awaitable[Response]]

_NOT_FOUND = 404


def handlers(pages: Pages) -> dict[type[Exception], Handler]:
    """What Starlette calls for each kind of error."""

    async def refused(request: Request, error: Exception) -> Response:
        words = reader_words(request)
        status = error.status_code if isinstance(error, HTTPException) else 400
        if status == _NOT_FOUND:
            return pages.message(words, words.not_found_title, words.not_found_text, status=status)
        response = pages.message(words, words.refused_title, words.refused_text, status=status)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    async def unavailable(request: Request, _error: Exception) -> Response:
        words = reader_words(request)
        response = pages.message(words, words.unavailable_title, words.unavailable_text, status=503)
        response.headers["Retry-After"] = "60"
        return response

    async def failed(request: Request, _error: Exception) -> Response:
        words = reader_words(request)
        return pages.message(words, words.failed_title, words.failed_text, status=500)

    async def broke_off(request: Request, error: Exception) -> Response:
        went_away = isinstance(error, OperationalError) and error.connection_invalidated
        return await (unavailable if went_away else failed)(request, error)

    return {
        HTTPException: refused,
        LedgerUnavailable: unavailable,
        OperationalError: broke_off,
        Exception: failed,
    }
