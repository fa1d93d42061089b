"""The HTTP of python-telegram-bot over aiohttp, which takes less than half of httpx' CPU."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from channels.telegram.account import TelegramAccount

#: A wait for a free connection this long, in seconds, means that more threads than
#: `connections` use the account.
_POOL_SECONDS = 10.0
#: What is read of a message that was posted.
_READ = ("message_id", "date", "chat", "photo")


class AiohttpRequest(BaseRequest):
    """One session a bot, opened by its first call, on the loop of that call.

    Errors are python-telegram-bot's, each with aiohttp's as its cause: that one tells whether a
    byte of the request can have left.
    """

    __slots__ = ("_account", "_proxy", "_session")

    def __init__(self, account: TelegramAccount) -> None:
        self._account = account
        # Once, because aiohttp would look the environment up anew for each request.
        self._proxy = account.proxy or _proxy_of_environment(account.base_url)
        self._session: aiohttp.ClientSession | None = None

    async def initialize(self) -> None:
        """Nothing to do: the session is opened when it is needed."""

    async def shutdown(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def read_timeout(self) -> float | None:
        """In seconds."""
        return self._account.read_timeout_seconds

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - aiohttp knows none
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - it is the account's
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ARG002
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        wait = self._account.read_timeout_seconds
        if isinstance(read_timeout, int | float):
            wait = read_timeout
        try:
            async with self._opened().request(
                method,
                url,
                timeout=self._timeout(wait),
                proxy=self._proxy,
                **_body(request_data),
            ) as answer:
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise TimedOut from error
        except aiohttp.ClientError as error:
            raise NetworkError(f"{type(error).__name__}: {error}") from error

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer, of a posted message only what somebody reads.

        Its fifty entities, each turned into an object, would cost as much as the posting.
        """
        answer = BaseRequest.parse_json_payload(payload)
        posted = answer.get("result")
        if isinstance(posted, dict) and "message_id" in posted:
            answer["result"] = {key: posted[key] for key in _READ if key in posted}
        return answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._account.connections),
                headers={"User-Agent": self.USER_AGENT},
            )
        return self._session

    def _timeout(self, read_seconds: float) -> aiohttp.ClientTimeout:
        connect_seconds = self._account.connect_timeout_seconds
        return aiohttp.ClientTimeout(
            total=_POOL_SECONDS + connect_seconds + 2 * read_seconds,
            connect=_POOL_SECONDS + connect_seconds,
            sock_connect=connect_seconds,
            sock_read=read_seconds,
        )


def _proxy_of_environment(url: str) -> str | None:
    """`HTTPS_PROXY` and its like, unless `NO_PROXY` names the host."""
    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _body(data: RequestData | None) -> dict[str, Any]:
    """As JSON, which for Chinese is a third of what a form would be; files as a form."""
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": data.json_payload, "headers": {"Content-Type": "application/json"}}
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, kind) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=kind)
    return {"data": form}
