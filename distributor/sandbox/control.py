"""The control API: sets faults, and tells tests and drills what arrived. JSON in and out."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from distributor.sandbox.faults import Fault, FaultBook
from distributor.sandbox.store import NO_LIMIT, Platform, Received, Store


class Control:
    """Everything below `/control/`."""

    def __init__(self, store: Store, faults: FaultBook) -> None:
        self._store = store
        self._faults = faults

    def routes(self) -> list[BaseRoute]:
        """The routes to mount."""
        return [
            Route("/control/faults", self.add_fault, methods=["POST"]),
            Route("/control/faults", self.list_faults, methods=["GET"]),
            Route("/control/faults", self.clear_faults, methods=["DELETE"]),
            Route("/control/messages", self.list_messages, methods=["GET"]),
            Route("/control/messages", self.clear_messages, methods=["DELETE"]),
            Route("/control/attempts", self.attempts, methods=["GET"]),
        ]

    async def add_fault(self, request: Request) -> Response:
        """Put the fault in the body in force; answers 201 with its id, 400 with what is wrong."""
        try:
            fault = Fault.model_validate_json(await request.body())
        except ValidationError as error:
            problems = [f"{_place(e['loc'])}{e['msg']}" for e in error.errors()]
            return JSONResponse({"error": "; ".join(problems)}, 400)
        return JSONResponse({"id": self._faults.add(fault)}, 201)

    async def list_faults(self, _request: Request) -> Response:
        """Every fault in force."""
        faults = self._faults.all().items()
        return JSONResponse([{"id": id_, **fault.model_dump(mode="json")} for id_, fault in faults])

    async def clear_faults(self, _request: Request) -> Response:
        """Behave well again."""
        return JSONResponse({"removed": self._faults.clear()})

    async def list_messages(self, request: Request) -> Response:
        """Accepted messages, oldest first; `platform`, `address`, `after` and `limit` narrow."""
        query = request.query_params
        try:
            platform = Platform(query["platform"]) if query.get("platform") else None
            after, limit = int(query.get("after", 0)), int(query.get("limit", NO_LIMIT))
        except ValueError:
            names = ", ".join(Platform)
            problem = f"platform is one of {names}; after and limit are whole numbers"
            return JSONResponse({"error": problem}, 400)
        messages = self._store.messages(platform, query.get("address") or None, after, limit)
        return JSONResponse([_shown(message) for message in messages])

    async def clear_messages(self, _request: Request) -> Response:
        """Forget every message and every count of refusals."""
        return JSONResponse({"removed": self._store.clear()})

    async def attempts(self, _request: Request) -> Response:
        """How many each platform accepted, and refused by code."""
        refusals = self._store.refusals()
        return JSONResponse(
            {p: {"accepted": self._store.count(p), "refused": refusals[p]} for p in Platform}
        )


def _shown(message: Received) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": message.id,
        "platform": message.platform,
        "address": message.address,
        "at": message.at.isoformat(),
        "summary": message.summary,
        "message_id": message.message_id,
        "warnings": list(message.warnings),
        "body": message.content,
    }
    match message.platform:
        case Platform.SMTP:
            shown |= {"subject": message.summary, "raw": f"/mail/{message.id}.eml"}
        case Platform.TELEGRAM:
            shown["text"] = message.content.get("text") or message.content.get("caption", "")
    return shown


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) + ": " if location else ""
