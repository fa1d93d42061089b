"""What one message may hold, and what a piece of markup takes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Cost:
    """What Telegram counts. Costs of pieces that stand side by side add up."""

    #: Unicode code points of the visible text.
    characters: int = 0
    #: Formatting entities, those that Telegram adds by itself (hashtags) included.
    entities: int = 0
    #: Size of the entities as they are stored; long link addresses weigh most.
    entity_bytes: int = 0
    #: UTF-8 size of the markup.
    markup_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.characters + other.characters,
            self.entities + other.entities,
            self.entity_bytes + other.entity_bytes,
            self.markup_bytes + other.markup_bytes,
        )

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.characters - other.characters,
            self.entities - other.entities,
            self.entity_bytes - other.entity_bytes,
            self.markup_bytes - other.markup_bytes,
        )

    def fits(self, budget: Cost) -> bool:
        """Whether no count is over that of `budget`."""
        return (
            self.characters <= budget.characters
            and self.entities <= budget.entities
            and self.entity_bytes <= budget.entity_bytes
            and self.markup_bytes <= budget.markup_bytes
        )

    def largest(self, other: Cost) -> Cost:
        """The larger of the two in every count."""
        return Cost(
            max(self.characters, other.characters),
            max(self.entities, other.entities),
            max(self.entity_bytes, other.entity_bytes),
            max(self.markup_bytes, other.markup_bytes),
        )


#: One text message. 4096 is documented (https://core.telegram.org/bots/api#sendmessage), after
#: 100 entities the rest are dropped silently, near 9,500 bytes of entities the answer is
#: ENTITIES_TOO_LONG, and markup over 32,768 bytes is refused unread: the last ones were
#: measured, so some room is left.
MESSAGE = Cost(characters=4096, entities=95, entity_bytes=9_000, markup_bytes=32_768)

#: What stands below a photo: https://core.telegram.org/bots/api#sendphoto.
CAPTION = replace(MESSAGE, characters=1024)

#: Link addresses over this many bytes leave too little room for the rest of a message.
LONGEST_URL_BYTES = 4_096
