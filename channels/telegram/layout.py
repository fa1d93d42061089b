"""Passages of an edition laid out on messages within Telegram's budgets.

What is divided is the digest, not its markup: each message is rendered from whole fragments, so
that every quotation and style is closed where a message ends and opened again in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

from markupsafe import Markup

from channels.telegram.autolink import guard
from channels.telegram.cut import cut
from channels.telegram.limits import MESSAGE, Cost
from channels.telegram.pack import Unit, pack
from channels.telegram.parser import cost
from channels.telegram.styled import Fragment, Run

#: `(opening, paragraphs)` to markup; `opening` is false where a passage goes on in a next message.
PassageTemplate = Callable[[bool, Sequence[Markup]], str]
#: `(passages, number, total)` to the markup of one message.
MessageTemplate = Callable[[Sequence[Markup], int, int], str]

_SEPARATOR = Cost(characters=2, markup_bytes=2)
_LETTER = Fragment((Run("x"),))
#: The marker is measured as (99/99).
_MANY = 99
# How unwelcome the end of a message is, in characters of unevenness.
_BETWEEN_PARAGRAPHS = 400
_WITHIN_PARAGRAPH = 800
_AFTER_HEADING = 8_000


@dataclass(frozen=True, slots=True)
class Passage:
    """A header, an item or a commentary: a template and the fragments that it frames."""

    template: PassageTemplate
    fragments: tuple[Fragment, ...]
    #: Nothing but a title: a message should not end after it.
    is_heading: bool = False

    def render(self, opening: bool, fragments: Sequence[Fragment]) -> Markup:
        """The markup of those `fragments` of this passage that stand in one message."""
        paragraphs = [Markup(fragment.html()) for fragment in fragments]  # noqa: S704
        return Markup(self.template(opening, paragraphs).strip())  # noqa: S704


@dataclass(frozen=True, slots=True)
class _Piece:
    """A unit of one passage."""

    passage: int
    opening: bool
    fragments: tuple[Fragment, ...]
    unit: Unit


def messages(passages: Sequence[Passage], template: MessageTemplate) -> list[str]:
    """The markup of each message. Raises `RenderError` when a heading alone is too long."""
    budget = MESSAGE - _reserve(passages, template)
    pieces = [
        piece
        for index, passage in enumerate(passages)
        for piece in _pieces(index, passage, budget, follows_heading=_follows(passages, index))
    ]
    ranges = pack([piece.unit for piece in pieces], budget)
    return [
        template(_bodies(passages, pieces[part.start : part.stop]), number, len(ranges)).strip()
        for number, part in enumerate(ranges, start=1)
    ]


def _follows(passages: Sequence[Passage], index: int) -> bool:
    return index > 0 and passages[index - 1].is_heading


def _bodies(passages: Sequence[Passage], pieces: Sequence[_Piece]) -> list[Markup]:
    bodies = []
    for index, group in groupby(pieces, key=lambda piece: piece.passage):
        own = list(group)
        inner = list(chain.from_iterable(piece.fragments for piece in own))
        bodies.append(passages[index].render(own[0].opening, inner))
    return bodies


def _reserve(passages: Sequence[Passage], template: MessageTemplate) -> Cost:
    """Room for what surrounds the passages: footer, marker, a quotation opened again."""
    frame = cost(template([Markup("x")], _MANY, _MANY).strip()) - cost("x")
    reopened = Cost()
    for passage in passages:
        reopened = reopened.largest(_frame(passage, opening=False))
    return frame + reopened + _SEPARATOR


def _frame(passage: Passage, *, opening: bool) -> Cost:
    """What the template adds around a paragraph."""
    return cost(passage.render(opening, [_LETTER])) - cost(_LETTER.text)


def _pieces(
    index: int, passage: Passage, budget: Cost, *, follows_heading: bool
) -> Iterator[_Piece]:
    """The passage in pieces that each fit `budget`; the first one carries the headline."""
    if not passage.fragments:
        heading = cost(passage.render(True, [])) + _SEPARATOR
        yield _Piece(index, True, (), Unit(heading))
        return
    opening = _frame(passage, opening=True)
    first = True
    for group in _kept_together(passage.fragments):
        room = budget - opening if first else budget
        for fragments, reluctance in _divide(group, room):
            frame = opening if first else Cost()
            wanted = (_AFTER_HEADING if follows_heading else 0) if first else reluctance
            yield _Piece(index, first, fragments, Unit(_weight(fragments) + frame, wanted))
            first = False


def _divide(group: tuple[Fragment, ...], room: Cost) -> Iterator[tuple[tuple[Fragment, ...], int]]:
    """`group` in parts that fit `room`, each with the reluctance to break before it."""
    if _weight(group).fits(room):
        yield group, _BETWEEN_PARAGRAPHS
        return
    after_heading = False
    for fragment in group:
        pieces = cut(fragment, lambda piece: _weight((_guarded(piece),)).fits(room))
        for position, piece in enumerate(map(_guarded, pieces)):
            before = _WITHIN_PARAGRAPH if position else _BETWEEN_PARAGRAPHS
            yield (piece,), _AFTER_HEADING if after_heading else before
            after_heading = False
        after_heading = fragment.keep_with_next


def _guarded(fragment: Fragment) -> Fragment:
    """`fragment` guarded anew: what Telegram takes for a link depends on the text around it."""
    return replace(fragment, runs=guard(fragment.runs))


def _kept_together(fragments: tuple[Fragment, ...]) -> Iterator[tuple[Fragment, ...]]:
    """Each fragment with the headings before it."""
    group: list[Fragment] = []
    for fragment in fragments:
        group.append(fragment)
        if not fragment.keep_with_next:
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def _weight(fragments: Sequence[Fragment]) -> Cost:
    total = Cost()
    for fragment in fragments:
        total += cost(fragment.html()) + _SEPARATOR
    return total
