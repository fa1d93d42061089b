"""An edition as webhook bodies of a WeCom group robot.

Up to `MOST_ITEM_CARDS` items: cards only. Above that, cards would fill a group's screen many
times over: the lead and the commentary stay cards, and every item becomes a headline with its
link in text messages, which people on personal WeChat can read too. A warning says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from channels.base import Edition, Part, RenderError, Rendering
from channels.wechat import limits
from channels.wechat.cards import Card, closing_cards, edition_cards, lead_card
from channels.wechat.headlines import headline_texts

MOST_ITEM_CARDS = 30

_T = TypeVar("_T")
_Bodies = list[dict[str, Any]]


def render(edition: Edition) -> Rendering:
    """The messages in order, each checked against the robot's limits.

    Raises `RenderError` when the edition says nothing or its web address cannot be opened.
    """
    _require_content(edition)
    if len(edition.digest.items) > MOST_ITEM_CARDS:
        bodies, warnings = _headline_messages(edition)
    else:
        bodies, warnings = _card_messages(edition)
    return Rendering(
        parts=tuple(_part(number, body) for number, body in enumerate(bodies, start=1)),
        warnings=tuple(warnings),
    )


def balanced(cards: Sequence[_T], most: int) -> list[Sequence[_T]]:
    """`cards` in order, in as few groups of at most `most` as can be, as equal as can be.

    Nine cards at most eight a group are five and four, so that none ends up alone.
    """
    groups = -(-len(cards) // most)
    size, larger = divmod(len(cards), groups)
    starts = [index * size + min(index, larger) for index in range(groups + 1)]
    return [cards[start:end] for start, end in pairwise(starts)]


def _require_content(edition: Edition) -> None:
    digest = edition.digest
    if not (digest.items or digest.intro or digest.commentary):
        raise RenderError("The edition has no items and no text, so there is nothing to send.")
    if not limits.is_link(edition.web_url, limits.WEB_URL_BYTES):
        raise RenderError(
            "Cards open the web edition, so it needs an http or https address of at most "
            f"{limits.WEB_URL_BYTES:,} bytes; {edition.web_url[:80]!r} is none. "
            "Check the public address in the settings."
        )


def _card_messages(edition: Edition) -> tuple[_Bodies, list[str]]:
    cards = edition_cards(edition)
    return _news(cards), _card_warnings(cards)


def _headline_messages(edition: Edition) -> tuple[_Bodies, list[str]]:
    cards = (lead_card(edition), *closing_cards(edition))
    texts, noted = headline_texts(edition)
    shown = (
        f"{len(edition.digest.items)} items are more than {MOST_ITEM_CARDS} cards: "
        "each is sent as title and link, without its text."
    )
    bodies = _news(cards) + [{"msgtype": "text", "text": {"content": text}} for text in texts]
    return bodies, [shown, *noted, *_card_warnings(cards)]


def _news(cards: Sequence[Card]) -> _Bodies:
    return [
        {"msgtype": "news", "news": {"articles": [card.article for card in group]}}
        for group in balanced(cards, limits.NEWS_ARTICLES)
    ]


def _card_warnings(cards: Sequence[Card]) -> list[str]:
    warnings = [warning for card in cards for warning in card.warnings]
    shortened = ", ".join(card.name for card in cards if card.shortened)
    if shortened:
        warnings.append(f"Only the beginning fits in a card: {shortened}.")
    return warnings


def _part(number: int, body: Mapping[str, Any]) -> Part:
    limits.validate(body)
    return Part(number, body)
