"""Tables as HTML for mail programs: cells side by side where there is room for their words.

A word that breaks inside is hard to read, and a message that scrolls sideways is worse. So the
width that a table needs is estimated from its longest words. The style sheet stacks the rows of a
wide one on phones, and those of a vast one everywhere; where there are no style sheets, the words
of a vast one may break.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, repeat, zip_longest

from markupsafe import Markup

from channels.email.wording import Words
from distributor.digest.model import Inline, Table
from distributor.digest.plain import inline_text

Cell = tuple[Inline, ...]

#: Pixels inside a card: on a screen of 320, and on the narrowest where no rows are stacked (641).
_PHONE, _WIDEST = 270, 559
#: Pixels of a bold letter at the cells' 15, of a capital, and of a cell's padding and lines.
_CHARACTER, _CAPITAL, _AROUND = 8.5, 11, 21

#: Where a line may end: at space, after a hyphen, beside any character of Chinese and its kin.
_BREAKS = re.compile(
    "[\\s\u00ad\u200b]|(?<=-)(?![0-9])|[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]"
)


class _Kind(StrEnum):
    """How much room a table needs, as the classes of its element."""

    #: A phone holds it.
    SMALL = "data"
    #: The message's column holds it.
    WIDE = "data wide"
    VAST = "data vast"


@dataclass(frozen=True, slots=True)
class TableHtml:
    """Renders tables with one language's words; `inlines` gives the content of a cell."""

    words: Words
    inlines: Callable[[Cell], Markup]

    def render(self, table: Table) -> Markup:
        """`table` as an element."""
        kind = _kind_of(table)
        header = next(iter(table.rows), ()) if table.has_header else ()
        rows = table.rows[1:] if header else table.rows
        labels = [self._label(cell) for cell in header] if kind is not _Kind.SMALL else []
        lines = [self._names(header)] if header else []
        lines += [self._row(row, labels) for row in rows]
        return Markup('<table class="{}" cellpadding="0" cellspacing="0">{}</table>').format(
            kind, Markup("").join(lines)
        )

    def _names(self, header: tuple[Cell, ...]) -> Markup:
        cells = Markup("").join(
            Markup('<th class="cell" scope="col">{}</th>').format(self.inlines(cell))
            for cell in header
        )
        return Markup('<tr class="names">{}</tr>').format(cells)

    def _row(self, row: tuple[Cell, ...], labels: Iterable[Markup]) -> Markup:
        cells = Markup("").join(
            self._value(cell, label)
            for cell, label in zip(row, chain(labels, repeat(Markup(""))), strict=False)
        )
        return Markup("<tr>{}</tr>").format(cells)

    def _value(self, cell: Cell, label: Markup) -> Markup:
        """An empty one has no label either, so that it takes no room where rows are stacked."""
        value = self.inlines(cell).strip()
        return Markup('<td class="cell">{}{}</td>').format(label if value else "", value)

    def _label(self, name: Cell) -> Markup:
        """A column's name before a value of it, hidden where the rows are not stacked."""
        label = inline_text(name).strip()
        if not label:
            return Markup("")
        return Markup('<span class="label muted">{}</span>').format(
            self.words.labelled.format(label=label)
        )


def _kind_of(table: Table) -> _Kind:
    columns = zip_longest(*table.rows, fillvalue=())
    needed = sum(_AROUND + max(map(_longest_word, column)) for column in columns)
    if needed <= _PHONE:
        return _Kind.SMALL
    return _Kind.WIDE if needed <= _WIDEST else _Kind.VAST


def _longest_word(cell: Cell) -> float:
    """About how many pixels wide the longest piece is that no line breaks in."""
    # A full-width character with a closing mark behind it is as wide as four others.
    return max(4 * _CHARACTER, *map(_width, _BREAKS.split(inline_text(cell))))


def _width(word: str) -> float:
    capitals = sum(map(str.isupper, word))
    return capitals * _CAPITAL + (len(word) - capitals) * _CHARACTER
