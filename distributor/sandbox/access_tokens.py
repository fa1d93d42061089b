"""Access tokens as WeCom and WeChat issue them: one at a time for each client, for two hours."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_LIFE_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class _Issued:
    token: str
    until: float


class AccessTokens:
    """The valid tokens, by who asked for them. A restart of the sandbox ends them all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._issued: dict[str, _Issued] = {}

    def issue(self, client: str, *, anew: bool = False) -> Mapping[str, object]:
        """The client's token with its time left; a new one when that is over or asked for."""
        now = self._clock()
        issued = self._issued.get(client)
        if issued is None or issued.until <= now or anew:
            issued = _Issued(secrets.token_urlsafe(32), now + _LIFE_SECONDS)
            self._issued[client] = issued
        return {"access_token": issued.token, "expires_in": round(issued.until - now)}

    def client_of(self, token: str) -> str | None:
        """Who was given `token`; None when it is none or too old."""
        now = self._clock()
        for client, issued in self._issued.items():
            if issued.token == token and issued.until > now:
                return client
        return None
