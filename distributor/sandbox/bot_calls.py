"""One call of the Bot API, whatever way its parameters came."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from distributor.sandbox.telegram_rules import bad_request


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, and the parameters as text."""

    bot_id: int
    parameters: dict[str, str]
    uploads: dict[str, bytes]

    def text(self, name: str) -> str:
        """A parameter, or an empty text."""
        return self.parameters.get(name, "")

    def number(self, name: str) -> int:
        """A whole number, or 0."""
        value = self.text(name)
        return int(value) if re.fullmatch(r"-?\d{1,18}", value) else 0

    def is_set(self, name: str) -> bool:
        """Whether a Boolean parameter is true."""
        return self.text(name).lower() in ("true", "1")

    def json(self, name: str) -> Any:
        """An object or list, or None. Raises `Refusal` when it is not JSON."""
        if not self.text(name):
            return None
        try:
            return json.loads(self.text(name))
        except ValueError as error:
            raise bad_request(f"can't parse {name} JSON object") from error

    def digest(self) -> str:
        """Tells messages apart, so that a fault can count by message."""
        payload = json.dumps(self.parameters, sort_keys=True).encode()
        return hashlib.sha256(payload + b"".join(self.uploads.values())).hexdigest()


async def read_call(request: Request, bot_id: int) -> Call:
    """Parameters from the query, JSON, a form or multipart, as the Bot API takes them all."""
    values: dict[str, str] = dict(request.query_params)
    uploads: dict[str, bytes] = {}
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = await request.json()
        except ValueError as error:
            raise bad_request("can't parse request as a JSON object") from error
        if not isinstance(body, dict):
            raise bad_request("can't parse request as a JSON object")
        values |= {key: _as_text(value) for key, value in body.items() if value is not None}
        return Call(bot_id, values, uploads)
    async with request.form() as form:
        for key, value in form.items():
            if isinstance(value, UploadFile):
                uploads[key] = await value.read()
            else:
                values[key] = value
    return Call(bot_id, values, uploads)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
