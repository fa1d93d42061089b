"""Getting one page over HTTP, with limits on its size, on the time, and on whom it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection, port_by_scheme
from urllib3.exceptions import HTTPError

from distributor import __version__
from distributor.digest.sources.model import SourceUnreachable
from distributor.digest.sources.network import Line

_MAX_REDIRECTS = 5
_CHUNK_BYTES = 65_536
_HEADERS = {
    "User-Agent": f"digest-distributor/{__version__}",
    "Accept": "application/feed+json, application/atom+xml, application/rss+xml, "
    "text/markdown, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}


@dataclass(frozen=True, slots=True)
class Limits:
    #: Of the content, unpacked.
    max_bytes: int
    #: For all of it, from the first connection to the last byte.
    seconds: float
    #: Whether machines of this network may be reached.
    allow_private: bool


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server wants to hear to say that nothing has changed (RFC 9110, 13.1)."""

    etag: str = ""
    last_modified: str = ""

    def as_headers(self) -> dict[str, str]:
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Page:
    #: Where it was found in the end, after redirects.
    url: str
    headers: Mapping[str, str]
    content: bytes
    validators: Validators


def download(url: str, limits: Limits, validators: Validators) -> Page | None:
    """The page at `url`; None when it has not changed. Raises `SourceUnreachable`.

    Environment variables for proxies are left alone: a proxy would look names up by itself.
    """
    with Line(seconds=limits.seconds, allow_private=limits.allow_private) as line:
        adapter = _Adapter(line)
        try:
            return _follow(adapter, url, limits, validators)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise SourceUnreachable(f"{url} {_cause(error, line)}") from error
        finally:
            adapter.close()
            # A cut connection may look like the end of the page.
            if line.expired:
                raise SourceUnreachable(
                    f"{url} was not there in full within {limits.seconds:g} seconds; "
                    "raise timeout_seconds of this source if it needs longer"
                )


def _follow(adapter: _Adapter, url: str, limits: Limits, validators: Validators) -> Page | None:
    """The page that `url` leads to. A session would read a redirect's body, of whatever size."""
    place = url
    headers = {**_HEADERS, **validators.as_headers()}
    for _ in range(_MAX_REDIRECTS + 1):
        request = requests.Request("GET", place, headers=headers).prepare()
        with adapter.send(request, stream=True, timeout=limits.seconds) as answer:
            if answer.is_redirect:
                place = urljoin(place, answer.headers["location"])
                if urlsplit(place).scheme not in ("http", "https"):
                    break
                continue
            if answer.status_code == requests.codes.not_modified:
                return None
            if answer.status_code != requests.codes.ok:
                words = responses.get(answer.status_code, "with a code of its own")
                raise SourceUnreachable(
                    f"{url} answers {answer.status_code}, {words}; check the address"
                )
            given = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
            content = _content(answer, url, limits)
            return Page(place, answer.headers, content, Validators(*given))
    raise SourceUnreachable(
        f"{url} redirects more than {_MAX_REDIRECTS} times, or to no http address; "
        "name the final address"
    )


def _content(answer: requests.Response, url: str, limits: Limits) -> bytes:
    content = bytearray()
    while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > limits.max_bytes:
            raise SourceUnreachable(
                f"{url} is larger than max_bytes of this source, {limits.max_bytes:,}"
            )
    return bytes(content)


def _cause(error: Exception, line: Line) -> str:
    match error:
        case ValueError():
            return "is or leads to something that is no web address; name the final address"
        case requests.exceptions.SSLError():
            return "has no valid certificate; check its address and that machine's clock"
        case requests.Timeout():
            return f"does not answer within {line.seconds:g} seconds"
        case _:
            return f"breaks off its answer ({type(error).__name__}); it is asked again later"


class _OnLine:
    """A connection of urllib3 that is made by a `Line`, so to an address that was looked at."""

    host: str
    port: int

    def __init__(self, *arguments: Any, line: Line, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._line = line

    def _new_conn(self) -> Any:
        return self._line.connect(self.host, self.port)


class _HttpConnection(_OnLine, HTTPConnection):
    pass


class _HttpsConnection(_OnLine, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class _Adapter(HTTPAdapter):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: object = None,  # noqa: ARG002
        cert: Any = None,
    ) -> HTTPConnectionPool:
        host, tls = self.build_connection_pool_key_attributes(
            request, True if verify is None else verify, cert
        )
        # Without a port, the end of an IPv6 address would be taken for one.
        port = host["port"] or port_by_scheme[host["scheme"]]
        if host["scheme"] == "https":
            return _HttpsPool(host["host"], port, line=self._line, **tls)
        return _HttpPool(host["host"], port, line=self._line)
