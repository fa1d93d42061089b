"""Makes HTML responses: templates filled, and the headers that keep every page safe."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from channels.base import Publisher
from distributor.templating import Templates
from distributor.web.filters import FILTERS
from distributor.web.words import Words, words_for

PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


class Pages:
    """Renders templates below `templates/`; each page carries its style and loads nothing."""

    def __init__(self, templates: Templates, publisher: Publisher) -> None:
        self._environment = templates.environment.overlay()
        self._environment.filters = {**templates.environment.filters, **FILTERS}
        style = templates.render("web/style.css.j2")
        self._common = {"style": Markup(style), "publisher": publisher}  # noqa: S704
        self._headers = _headers(style)

    def html(self, template: str, **values: object) -> str:
        """The page `template` as text."""
        return self._environment.get_template(template).render(**self._common, **values)

    def respond(
        self, html: str, status: int = 200, headers: Mapping[str, str] = PRIVATE
    ) -> HTMLResponse:
        """A page as a response; unless told otherwise nobody keeps or indexes it."""
        return HTMLResponse(html, status, {**self._headers, **headers})

    def message(
        self, words: Words, title: str, text: str, *, note: str = "", status: int = 200
    ) -> HTMLResponse:
        """A page that says one thing."""
        html = self.html("public/message.html.j2", words=words, title=title, text=text, note=note)
        return self.respond(html, status)


def reader_words(request: Request) -> Words:
    """Words in the language that the reader's browser asks for first."""
    return words_for(request.headers.get("accept-language", ""))


def _headers(style: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        # The address of an unsubscribe page is a key: it must not travel to other hosts.
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
