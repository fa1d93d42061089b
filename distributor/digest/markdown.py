"""The Markdown that digests are written in: CommonMark with tables, strikethrough and CJK care.

Two rules of CommonMark are off. Indented code: generated posts often indent a body one space
too far, and their words must not turn into code. HTML blocks: see `raw_html`. Prose right above a
`---` is a paragraph and a rule, although CommonMark makes a heading of it.
"""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from distributor.digest.bare_urls import link_bare_urls
from distributor.digest.cjk_emphasis import CjkInlineParser
from distributor.digest.nodes import Node, tree_of
from distributor.digest.raw_html import dropped_block

#: What stands above a `---` and is longer than this, or ends a sentence, is no heading.
_LONGEST_HEADING = 60
_SENTENCE_END = re.compile(r"[。：:；;，,.]\W{0,2}$")
_LINK_ADDRESS = re.compile(r"\]\([^()\s]{0,2000}\)")


def parse_markdown(text: str) -> list[Node]:
    """The top-level blocks of `text` as syntax nodes."""
    return tree_of(_parser().parse(text))


class _DigestMarkdown(MarkdownIt):
    """Takes every address as it is written.

    Addresses are judged and encoded in one place, `addresses.safe_url`, so that a link that is
    refused there leaves its words and not its syntax.
    """

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


@cache
def _parser() -> MarkdownIt:
    parser = _DigestMarkdown("commonmark")
    parser.inline = CjkInlineParser()
    # A new inline parser has every rule on; the preset knows which ones belong to CommonMark.
    parser.configure("commonmark")
    parser.enable(["table", "strikethrough"])
    parser.disable("code")
    parser.block.ruler.at(
        "html_block", dropped_block, {"alt": ["paragraph", "reference", "blockquote"]}
    )
    parser.core.ruler.after("block", "prose_above_rule", _part_prose_from_rule)
    parser.core.ruler.after("inline", "bare_urls", link_bare_urls)
    return parser


def _part_prose_from_rule(state: StateCore) -> None:
    """Core rule: a setext heading that reads like prose becomes a paragraph and a rule."""
    tokens: list[Token] = []
    for position, token in enumerate(state.tokens):
        is_setext = token.type.startswith("heading") and token.markup == "-"
        offset = 1 if token.nesting > 0 else -1
        if not is_setext or not _is_prose(state.tokens[position + offset].content):
            tokens.append(token)
            continue
        token.type, token.tag = token.type.replace("heading", "paragraph"), "p"
        tokens.append(token)
        if token.nesting < 0:
            tokens.append(Token("hr", "hr", 0, markup="---", block=True, level=token.level))
    state.tokens = tokens


def _is_prose(source: str) -> bool:
    words = _LINK_ADDRESS.sub("]", source)
    return len(words) > _LONGEST_HEADING or "\n" in words or bool(_SENTENCE_END.search(words))
