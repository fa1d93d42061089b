"""Blocks and inlines of a digest in the small Markdown of chat robots.

Their renderers know bold, links, quotes and lists, and hardly agree on escapes. So whatever in the
text could be read as markup, or mention somebody, is replaced by its full-width twin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from distributor.digest.model import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Strikethrough,
    Strong,
    Table,
    Text,
)
from distributor.digest.plain import inline_text
from distributor.digest.shorten import one_line, tidy

_TWINS = str.maketrans({"*": "＊", "`": "｀", "[": "［", "]": "］", "~": "～"})
#: What begins a tag or a mention such as `<@all>`.
_TAG = re.compile(r"<(?=[@/!?A-Za-z])")
#: Underscores within a word are none of anybody's markup.
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINE_START = re.compile(r"(?m)^[#>+-](?=[\s#>]|$)|^(?:---+|===+)$")
_LINE_TWINS = {"#": "＃", ">": "＞", "+": "＋", "-": "－", "=": "＝"}
_URL_UNSAFE = {" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "[": "%5B", "]": "%5D"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one platform's Markdown knows beyond bold, links and quotes."""

    #: Code spans between backticks.
    code: bool = True
    #: What separates two lines that belong together.
    newline: str = "\n"
    #: What separates two paragraphs of one story.
    paragraph: str = "\n"


def escape(text: str) -> str:
    """`text` tidied, with nothing left in it that could be markup."""
    plain = _TAG.sub("＜", _UNDERSCORE.sub("＿", tidy(text).translate(_TWINS)))
    return _LINE_START.sub(lambda found: _LINE_TWINS[found[0][0]] + found[0][1:], plain)


def link(text: str, url: str) -> str:
    """A link with `text` as its words, on one line."""
    safe = "".join(_URL_UNSAFE.get(character, character) for character in url)
    return f"[{one_line(escape(text))}]({safe})"


def quote(text: str, dialect: Dialect) -> str:
    """`text`, which is markup already, as a quotation."""
    return dialect.newline.join(f"> {line}" for line in text.splitlines() if line.strip())


def paragraphs(blocks: Iterable[Block], dialect: Dialect) -> Iterator[str]:
    """One text for each block that says something."""
    for block in blocks:
        if text := _block(block, dialect).strip():
            yield text


def _block(block: Block, dialect: Dialect) -> str:
    match block:
        case Paragraph(children):
            return _inlines(children, dialect)
        case Heading(_, children):
            return _bold(_inlines(children, dialect))
        case Quote(blocks):
            return quote("\n".join(paragraphs(blocks, dialect)), dialect)
        case CodeBlock(text, _):
            return dialect.newline.join(escape(text).splitlines())
        case ListBlock(items, start):
            return dialect.newline.join(
                f"{'-' if start is None else f'{start + offset}.'} "
                f"{' '.join(paragraphs(item, dialect))}"
                for offset, item in enumerate(items)
            )
        case Table(rows, _):
            return dialect.newline.join(
                " · ".join(_inlines(cell, dialect) for cell in row) for row in rows
            )
        case Rule():
            return ""
    assert_never(block)


def _inlines(nodes: Iterable[Inline], dialect: Dialect) -> str:
    return "".join(_inline(node, dialect) for node in nodes)


def _inline(node: Inline, dialect: Dialect) -> str:
    match node:
        case Text(text):
            return _flowing(text)
        case Code(text):
            return _code(text) if dialect.code and text.strip() else _flowing(text)
        case LineBreak():
            return dialect.newline
        case Image(_, alt):
            return _flowing(alt)
        case Strong(children) | Emphasis(children):
            # Chinese has no italics: both kinds of stress are bold.
            return _bold(_flowing(inline_text(children)))
        case Strikethrough(children):
            return _inlines(children, dialect)
        case Link(url, children):
            return link(inline_text(children) or url, url)
    assert_never(node)


def _code(text: str) -> str:
    """A code span, in which everything but a tag or a backtick is kept as it is."""
    return f"`{_TAG.sub('＜', one_line(text).replace('`', '｀'))}`"


def _bold(text: str) -> str:
    return f"**{text.strip()}**" if text.strip() else ""


def _flowing(text: str) -> str:
    """Escaped, with the spaces at its ends kept: it goes on within a line."""
    body = escape(" ".join(text.splitlines()))
    if not body:
        return " " if text else ""
    return " " * text[:1].isspace() + body + " " * text[-1:].isspace()
