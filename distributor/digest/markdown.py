"""The Markdown that digests are written in: CommonMark with tables, strikethrough and CJK care.

Two rules of CommonMark are off. Indented code: generated posts often indent a body one space
too far, and their words must not turn into code. HTML blocks: see `raw_html`.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from distributor.digest.cjk_emphasis import CjkInlineParser
from distributor.digest.raw_html import dropped_block


def parse_markdown(text: str) -> list[SyntaxTreeNode]:
    """The top-level blocks of `text` as syntax nodes."""
    return SyntaxTreeNode(_parser().parse(text)).children


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
    return parser
