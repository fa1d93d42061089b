"""An edition as the messages of a WeCom robot or app, in one of the profiles.

Every item is in the messages, whole or, where a message has not enough room, as title and link.
An edition of more than `MOST_ITEMS` would fill a group's screen many times over: it becomes its
headlines with their links, and a warning says so.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeVar

from channels.base import Edition, Part, Rendering
from channels.packing import Packed
from channels.stories import marked_messages, require_content
from channels.wechat.messages import limits
from channels.wechat.messages.cards import (
    Card,
    closing_cards,
    full_text_card,
    item_cards,
    lead_card,
)
from channels.wechat.messages.limits import Target
from channels.wechat.messages.marked import style_of
from channels.wechat.messages.plain import full_texts, headline_texts

MOST_ITEMS = 30
#: Stories of a brief; its eighth card leads to the whole edition.
BRIEF_ITEMS = 7

_T = TypeVar("_T")
_Bodies = list[dict[str, Any]]
_Rendered = tuple[_Bodies, Sequence[str]]


def render(edition: Edition, profile: str = "cards", target: Target = limits.ROBOT) -> Rendering:
    """The messages in order, each checked against the target's limits.

    A profile that the target has not is replaced by the nearest one, with a warning. Raises
    `RenderError` when the edition says nothing or its web address cannot be opened.
    """
    require_content(edition, limits.WEB_URL_BYTES)
    chosen, substituted = _available(profile, target)
    bodies, warnings = _PROFILES[chosen](edition, target)
    for body in bodies:
        limits.validate(body, target)
    parts = tuple(Part(number, body) for number, body in enumerate(bodies, start=1))
    return Rendering(parts, (*substituted, *_many_items(edition, chosen), *warnings))


def balanced(cards: Sequence[_T], most: int) -> list[Sequence[_T]]:
    """`cards` in order, in as few groups of at most `most` as can be, as equal as can be.

    Nine cards at most eight a group are five and four, so that none ends up alone.
    """
    groups = -(-len(cards) // most)
    size, larger = divmod(len(cards), groups)
    starts = [index * size + min(index, larger) for index in range(groups + 1)]
    return [cards[start:end] for start, end in pairwise(starts)]


def _available(profile: str, target: Target) -> tuple[str, tuple[str, ...]]:
    instead = profile
    if profile == "markdown_v2" and not target.has_markdown_v2:
        instead = "markdown"
    elif profile == "image" and not target.has_inline_images:
        instead = "cards"
    if instead == profile:
        return profile, ()
    return instead, (f"An {target.name} cannot post {profile}, so it posts {instead}.",)


def _has_many_items(edition: Edition) -> bool:
    return len(edition.digest.items) > MOST_ITEMS


def _many_items(edition: Edition, profile: str) -> tuple[str, ...]:
    if not _has_many_items(edition) or profile in ("brief", "image"):
        return ()
    count = len(edition.digest.items)
    return (
        f"{count} items are more than {MOST_ITEMS}: "
        "each is sent as title and link, without its text.",
    )


def _cards(edition: Edition, target: Target) -> _Rendered:  # noqa: ARG001
    lead, closing = lead_card(edition), closing_cards(edition)
    if _has_many_items(edition):
        texts = headline_texts(edition)
        bodies = [*_news([[lead]]), *_texts(texts), *_news([closing] if closing else [])]
        return bodies, (*texts.warnings, *_card_warnings((lead, *closing)))
    cards = (*item_cards(edition), *closing)
    groups = balanced(cards, limits.NEWS_ARTICLES) if cards else []
    return _news([[lead], *groups]), _card_warnings((lead, *cards))


def _brief(edition: Edition, target: Target) -> _Rendered:
    items = item_cards(edition)
    if not items:
        return _cards(edition, target)
    shown = items[:BRIEF_ITEMS]
    left_out = len(items) - len(shown)
    warnings = list(_card_warnings(shown))
    if left_out:
        warnings.insert(
            0, f"A brief shows {len(shown)} cards; {left_out} more are in the full text."
        )
    return _news([[*shown, full_text_card(edition)]]), warnings


def _markdown(edition: Edition, target: Target) -> _Rendered:
    return _marked(edition, target, "markdown")


def _markdown_v2(edition: Edition, target: Target) -> _Rendered:
    return _marked(edition, target, "markdown_v2")


def _marked(edition: Edition, target: Target, kind: str) -> _Rendered:
    packed = marked_messages(edition, style_of(kind, target), headlines=_has_many_items(edition))
    bodies: _Bodies = [{"msgtype": kind, kind: {"content": text}} for text in packed.messages]
    return bodies, packed.warnings


def _text(edition: Edition, target: Target) -> _Rendered:  # noqa: ARG001
    packed = full_texts(edition, headlines=_has_many_items(edition))
    return _texts(packed), packed.warnings


def _image(edition: Edition, target: Target) -> _Rendered:  # noqa: ARG001
    from channels.drawing import subject_of
    from distributor.pictures.long import draw_long

    picture = draw_long(subject_of(edition))
    image = {
        "base64": base64.b64encode(picture.png).decode(),
        "md5": hashlib.md5(picture.png, usedforsecurity=False).hexdigest(),
    }
    return [{"msgtype": "image", "image": image}], picture.warnings


def _news(groups: Sequence[Sequence[Card]]) -> _Bodies:
    return [
        {
            "msgtype": "news",
            "news": {
                "articles": [card.article(leads=place == 0) for place, card in enumerate(group)]
            },
        }
        for group in groups
    ]


def _texts(packed: Packed) -> _Bodies:
    return [{"msgtype": "text", "text": {"content": text}} for text in packed.messages]


def _card_warnings(cards: Sequence[Card]) -> list[str]:
    warnings = [warning for card in cards for warning in card.warnings]
    shortened = ", ".join(card.name for card in cards if card.shortened)
    if shortened:
        warnings.append(f"Only the beginning fits in a card: {shortened}.")
    return warnings


_PROFILES: Mapping[str, Callable[[Edition, Target], _Rendered]] = MappingProxyType(
    {
        "cards": _cards,
        "brief": _brief,
        "markdown": _markdown,
        "markdown_v2": _markdown_v2,
        "text": _text,
        "image": _image,
    }
)
