"""Which pictures there are, by the file names under which they are served."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributor.pictures.canvas import Canvas
    from distributor.pictures.subject import Subject

COVER, THUMB, CARD = "cover.png", "thumb.png", "card.png"
WIDE, POSTER = "wide.png", "poster.png"
#: The set that every edition has. Its stories have `story-1.png` and `tile-1.png` each.
FIXED = (COVER, THUMB, CARD, WIDE, POSTER)
_OF_STORY = re.compile(r"(story|tile)-([1-9]\d{0,3})\.png")


def story_picture(number: int) -> str:
    """The name of the large picture of story `number`."""
    return f"story-{number}.png"


def tile_picture(number: int) -> str:
    """The name of the small picture of story `number`."""
    return f"tile-{number}.png"


def draw(name: str, subject: Subject) -> bytes:
    """The picture `name` as a PNG file. Raises `KeyError` when the edition has none of it."""
    if (of_story := _OF_STORY.fullmatch(name)) is not None:
        return _draw_of_story(of_story[1], int(of_story[2]), subject).png()
    return _fixed()[name](subject).png()


def _fixed() -> Mapping[str, Callable[[Subject], Canvas]]:
    from distributor.pictures import landscape
    from distributor.pictures.poster import draw_poster
    from distributor.pictures.squares import draw_thumb

    return MappingProxyType(
        {
            COVER: partial(landscape.draw_landscape, form=landscape.COVER),
            CARD: partial(landscape.draw_landscape, form=landscape.CARD),
            WIDE: partial(landscape.draw_landscape, form=landscape.WIDE),
            THUMB: draw_thumb,
            POSTER: draw_poster,
        }
    )


def _draw_of_story(kind: str, number: int, subject: Subject) -> Canvas:
    from distributor.pictures.squares import draw_tile
    from distributor.pictures.story import draw_story

    item = next((one for one in subject.digest.items if one.number == number), None)
    if item is None:
        raise KeyError(f"the edition has no story {number}")
    return draw_story(subject, item) if kind == "story" else draw_tile(subject, number)
