"""Emphasis beside Chinese, Japanese and Korean characters.

CommonMark tells an opening `**` from a closing one by the spaces and punctuation around it.
Chinese text has no spaces, so `**“智能体”**的` and `**Claude（克劳德）**发布` stay literal there.
This follows https://github.com/tats-u/markdown-cjk-friendly: full-width punctuation counts as a
letter, and a CJK character next to the marks allows what a space would.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

_WIDE = {"W", "F"}
#: Marks in a run that ends one strong and starts another.
_CLOSED_AND_OPENED = 4
_HALF_WIDTH_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u20a9\uff61-\uffdc]")


@cache
def is_cjk(character: str) -> bool:
    """Whether `character` is East Asian: wide, full-width, or the half-width form of one."""
    return (
        unicodedata.east_asian_width(character) in _WIDE and unicodedata.category(character) != "So"
    ) or bool(_HALF_WIDTH_EAST_ASIAN.match(character))


class CjkInlineParser(ParserInline):
    """The inline parser with emphasis and strikethrough that work in CJK text."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _CjkState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _CjkState(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        """Whether the run of marks at `start` can open or close, and how long it is."""
        end = start
        while end < self.posMax and self.src[end] == self.src[start]:
            end += 1
        before = self.src[start - 1] if start > 0 else " "
        after = self.src[end] if end < self.posMax else " "
        left = _flanks(inner=after, outer=before)
        right = _flanks(inner=before, outer=after)
        if end - start == _CLOSED_AND_OPENED and left and right:
            # `**甲****乙**` closes one strong and opens the next; as one run it would do neither.
            end -= 2
        can_open = left and (canSplitWord or not right or _is_punctuation(before))
        can_close = right and (canSplitWord or not left or _is_punctuation(after))
        return Scanned(can_open, can_close, end - start)


def _flanks(*, inner: str, outer: str) -> bool:
    """Whether marks between the two characters can belong to the text on the `inner` side."""
    if isWhiteSpace(ord(inner)):
        return False
    if not _is_punctuation(inner) or is_cjk(inner):
        return True
    return isWhiteSpace(ord(outer)) or _is_punctuation(outer) or is_cjk(outer)


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)
