"""What is measured, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from distributor.operations.exposition import CONTENT_TYPE


class MetricsPage:
    """Serves `/metrics`."""

    def __init__(self, measure: Callable[[], str]) -> None:
        self._measure = measure

    @property
    def routes(self) -> list[Route]:
        return [Route("/metrics", self.all)]

    def all(self, _request: Request) -> Response:
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return Response(self._measure(), headers=headers)
