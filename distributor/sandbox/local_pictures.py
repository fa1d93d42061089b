"""Pictures of cards that this machine's own web pages serve, to be shown inside a page.

As WeCom's servers would, the sandbox fetches them; but only from this machine and only the
pictures of editions. All others are named and not loaded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

_OWN = re.compile(
    r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?/editions/[0-9a-f]{16,64}/[a-z0-9-]+\.png"
)
_TIMEOUT_SECONDS = 2
_MOST_BYTES = 2_000_000
_KEPT = 500

#: The picture at an address as a data address; empty when there is none to show.
Pictures = Callable[[str], str]


def no_pictures(url: str) -> str:  # noqa: ARG001
    """Shows none of them."""
    return ""


class LocalPictures:
    """Remembers what was asked for, so that it can be fetched outside of the event loop."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._wanted: set[str] = set()

    def __call__(self, url: str) -> str:
        if url in self._known:
            return self._known[url]
        if _OWN.fullmatch(url):
            self._wanted.add(url)
        return ""

    def fetch_wanted(self) -> bool:
        """Fetch what was asked for since; whether there was anything. Takes seconds at most."""
        import requests

        wanted, self._wanted = self._wanted, set()
        if len(self._known) > _KEPT:
            self._known.clear()
        with requests.Session() as session:
            for url in wanted:
                try:
                    answer = session.get(url, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
                except requests.RequestException:
                    # The web pages do not run: the others would not be had either.
                    break
                if answer.ok and len(answer.content) <= _MOST_BYTES:
                    encoded = base64.b64encode(answer.content).decode()
                    self._known[url] = f"data:image/png;base64,{encoded}"
        return bool(wanted)
