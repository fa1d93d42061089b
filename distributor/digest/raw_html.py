"""Raw HTML in Markdown: comments and players go whole, other tags go and leave their words.

CommonMark makes one HTML block of everything from a tag to the next empty line, headings and
text included. Digests put text right below an `<audio>` player, and that text must be read.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

#: Elements whose content is not words for a reader.
_WORDLESS = "audio|canvas|embed|iframe|math|noscript|object|script|select|style|svg|template|video"
_BLOCK_START = re.compile(rf"<(?:(!--)|({_WORDLESS})(?=[\s/>]|$))", re.IGNORECASE)
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
_WORDLESS_NAME = re.compile(_WORDLESS)


def wordless_element(tag: str) -> str:
    """`script` for an opening `<script …>` whose content must be dropped too, else empty."""
    is_opening = not tag.startswith("</") and not tag.endswith("/>")
    name = tag_name(tag)
    return name if is_opening and _WORDLESS_NAME.fullmatch(name) else ""


def tag_name(tag: str) -> str:
    """`br` for `<br/>`, `p` for `</p>`; empty for a comment."""
    match = _TAG.match(tag)
    return match[1].lower() if match else ""


def dropped_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a comment or a wordless element, from its first line to its last.

    What cannot be closed, or shares its last line with text, is left to the inline rules.
    """
    position = state.bMarks[start] + state.tShift[start]
    match = _BLOCK_START.match(state.src, position, state.eMarks[start])
    if not match or state.is_code_block(start):
        return False
    closing = "-->" if match[1] else f"</{match[2].lower()}>"
    closed_at = _find(state, closing, match.end())
    if closed_at < 0:
        return False
    last = _line_of(state, closed_at, start, end)
    if last is None or state.src[closed_at + len(closing) : state.eMarks[last]].strip():
        return False
    if not silent:
        token = state.push("html_block", "", 0)
        token.map = [start, last + 1]
        token.content = state.src[position : closed_at + len(closing)]
        state.line = last + 1
    return True


def _find(state: StateBlock, closing: str, position: int) -> int:
    """Where `closing` comes next, or -1.

    The last answer is kept: positions only grow, so that every text is searched once and a
    file full of unclosed elements is read in linear time.
    """
    known: dict[str, int] = state.env.setdefault("closing_tags", {})
    found = known.get(closing)
    if found is None or 0 <= found < position:
        found = _lowered(state).find(closing, position)
        known[closing] = found
    return found


def _lowered(state: StateBlock) -> str:
    """The source in ASCII lower case, position for position."""
    lowered: str = state.env.setdefault("lowered", "")
    if not lowered and state.src:
        lowered = state.src.translate(_ASCII_LOWER)
        state.env["lowered"] = lowered
    return lowered


_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _line_of(state: StateBlock, position: int, start: int, end: int) -> int | None:
    """The line from `start` to before `end` that `position` is in, within the same block."""
    for line in range(start, end):
        if position <= state.eMarks[line]:
            return line
    return None
