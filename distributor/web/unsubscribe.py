"""Leaving a list from an edition: a page that asks, and the request that does it (RFC 8058)."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from channels import registry
from distributor.audience import unsubscribe
from distributor.audience.errors import InvalidToken
from distributor.audience.memberships import LeftBy
from distributor.audience.tokens import UnsubscribeTokens
from distributor.audience.unsubscribe import Unsubscribable
from distributor.ledger.database import Ledger
from distributor.web.pages import Pages, reader_words
from distributor.web.words import words_for


class UnsubscribePages:
    """Serves `/unsubscribe/{token}`.

    GET changes nothing, because link scanners follow every link. POST leaves at once, without
    cookie, login or redirect; the token alone decides, so its body is not read, whether a mail
    program sent `List-Unsubscribe=One-Click` in it or the page's own button nothing.
    """

    def __init__(self, ledger: Ledger, pages: Pages, tokens: UnsubscribeTokens) -> None:
        self._ledger = ledger
        self._pages = pages
        self._tokens = tokens

    @property
    def routes(self) -> list[Route]:
        path = "/unsubscribe/{token}"
        return [Route(path, self.ask), Route(path, self.leave, methods=["POST"])]

    def ask(self, request: Request) -> Response:
        try:
            claim = self._tokens.read(request.path_params["token"])
            with self._ledger.read() as c:
                found = unsubscribe.look_up(c, claim)
        except InvalidToken:
            return self._bad_link(request, status=404)
        if not found.on:
            return self._nothing_to_leave(found)
        words = words_for(found.language)
        html = self._pages.html(
            "public/unsubscribe.html.j2",
            words=words,
            address=_masked(found),
            lists=words.joined.join(found.on),
        )
        return self._pages.respond(html)

    def leave(self, request: Request) -> Response:
        by = LeftBy.PAGE if request.query_params.get("by") == LeftBy.PAGE else LeftBy.ONE_CLICK
        try:
            claim = self._tokens.read(request.path_params["token"])
            with self._ledger.write() as c:
                found = unsubscribe.look_up(c, claim)
                unsubscribe.unsubscribe(c, claim, by, datetime.now(UTC))
        except InvalidToken:
            return self._bad_link(request, status=400)
        if not found.on:
            return self._nothing_to_leave(found)
        words = words_for(found.language)
        lists = words.joined.join(found.on)
        return self._pages.message(
            words,
            words.left_title.format(lists=lists),
            words.left_text.format(address=_masked(found), lists=lists),
            note=words.left_note,
        )

    def _nothing_to_leave(self, found: Unsubscribable) -> Response:
        words = words_for(found.language)
        address = _masked(found)
        if not found.left:
            text = words.test_text.format(address=address)
            return self._pages.message(words, words.test_title, text)
        text = words.already_text.format(address=address, lists=words.joined.join(found.left))
        return self._pages.message(words, words.already_title, text)

    def _bad_link(self, request: Request, status: int) -> Response:
        words = reader_words(request)
        return self._pages.message(words, words.bad_link_title, words.bad_link_text, status=status)


def _masked(found: Unsubscribable) -> str:
    """The address so that its owner knows it, and who was forwarded the edition does not."""
    shown = registry.get(found.channel).show_address(found.address)
    local, at, domain = shown.rpartition("@")
    return f"{local[:1]}…@{domain}" if local and at else shown
