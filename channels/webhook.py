"""Posts JSON to a platform and tells apart what certainly was not sent from what may have been."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from channels.base import AccountUnreachable

#: Everything in an address that is a secret on one platform or another.
_SECRETS = re.compile(
    r"(?<=[?&])(key|access_token|corpsecret|secret|sign)=[^&\s'\"()]+|(?<=/bot/v2/hook/)[^\s'\"?()]+"
)


class _SecretFilter(logging.Filter):
    """Hides keys and tokens in the addresses that urllib3 logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _SECRETS.sub(lambda m: f"{m[1]}=…" if m[1] else "…", record.getMessage())
        record.args = ()
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_SecretFilter())


class NotSent(Exception):
    """No connection: provably nothing has left. The text names the kind of error alone."""


class NotAnswered(Exception):
    """The request has left and no answer came: the platform may have acted upon it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body read as UTF-8, whatever it claims to be."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def json(self) -> dict[str, Any] | None:
        """The JSON object in the body; None when it is something else, such as a page."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def without(self, secret: str, instead: str) -> Answer:
        """The same with `secret` replaced."""
        return Answer(self.status, self.body.replace(secret.encode(), instead.encode()))


class _Body(io.BytesIO):
    """A request body that knows whether any of it was taken to be sent.

    It is taken only after the connection stands and TLS has been agreed upon, so an error before
    that is proof that the platform has nothing.
    """

    taken = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.taken = True
        return super().read(size)


class Poster:
    """Open connections to one platform. Used by one thread at a time; connects when first used."""

    def __init__(self, base_url: str, timeout_seconds: float) -> None:
        """`timeout_seconds`: longest wait for a connection, and for each piece of the answer."""
        self._base_url = base_url
        self._timeout = timeout_seconds
        self._session = requests.Session()

    def post_json(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Post `body`. Raises `NotSent` or `NotAnswered`; every answer is returned."""
        return self._post(path, query, encode(body), "application/json; charset=utf-8")

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """Ask for something. Raises as `post_json` does; asking again is always safe."""
        return self._request("GET", path, query, None, "")

    def post_file(
        self, path: str, query: Mapping[str, str], *, field: str, name: str, content: bytes
    ) -> Answer:
        """Post a picture as a form. Raises as `post_json` does."""
        kind = "image/png" if name.endswith(".png") else "image/jpeg"
        form = requests.Request("POST", self._base_url, files={field: (name, content, kind)})
        prepared = form.prepare()
        assert isinstance(prepared.body, bytes)  # noqa: S101 - a form with a file is encoded whole
        return self._post(path, query, prepared.body, prepared.headers["Content-Type"])

    def close(self) -> None:
        """Close what is open; a later call connects again."""
        self._session.close()

    def _post(
        self, path: str, query: Mapping[str, str], content: bytes, content_type: str
    ) -> Answer:
        return self._request("POST", path, query, _Body(content), content_type)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: _Body | None,
        content_type: str,
    ) -> Answer:
        try:
            response = self._session.request(
                method,
                self._base_url + path,
                params=dict(query),
                data=body,
                headers={"Content-Type": content_type} if body else None,
                timeout=self._timeout,
                # A redirect would hand the secrets in the address to another host.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The error's text holds the address with its secrets; its kind says enough.
            kind = type(error).__name__
            if body is not None and body.taken:
                raise NotAnswered(f"{kind}: the connection ended without an answer.") from None
            raise NotSent(f"{kind}: no connection to {self._base_url}.") from None
        return Answer(response.status_code, response.content)


def reach(base_url: str, timeout_seconds: float, account: str) -> str:
    """A sentence about what answers at `base_url`, without a key. Raises `AccountUnreachable`.

    A robot has no call that posts nothing, so whether its key works shows only with a message.
    """
    started = time.monotonic()
    try:
        response = requests.get(base_url, timeout=timeout_seconds, allow_redirects=False)
    except requests.RequestException as error:
        raise AccountUnreachable(
            f"{base_url} does not answer ({type(error).__name__}). Check the network, "
            f"the proxy settings and base_url of the account {account!r}."
        ) from None
    milliseconds = (time.monotonic() - started) * 1000
    return (
        f"{base_url} answered HTTP {response.status_code} in {milliseconds:.0f} ms. "
        "Whether a robot's key works shows with its first message."
    )


def encode(body: Mapping[str, Any]) -> bytes:
    """The exact bytes of a call: UTF-8, because some calls refuse escapes."""
    return json.dumps(body, ensure_ascii=False).encode()
