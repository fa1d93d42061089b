"""Syntax nodes of Markdown to blocks and inlines of the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from distributor.digest.addresses import is_relative, leads_nowhere, safe_url
from distributor.digest.cjk_emphasis import is_cjk
from distributor.digest.findings import Findings, quoted
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
from distributor.digest.nodes import Node
from distributor.digest.raw_html import tag_name, wordless_element

_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_CODE_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
_WRAPPERS: dict[str, Callable[[tuple[Inline, ...]], Inline]] = {
    "strong": Strong,
    "em": Emphasis,
    "s": Strikethrough,
}


def words_of(node: Node) -> str:
    """The literal characters below `node`, without markup."""
    if node.type in {"softbreak", "hardbreak"}:
        return "\n"
    if node.type in {"text", "code_inline"}:
        return node.content
    return "".join(words_of(child) for child in node.children)


def inline_nodes(node: Node) -> list[Node]:
    """The inline nodes of a paragraph, heading or table cell.

    The empty texts that emphasis leaves behind are left out.
    """
    children = node.children[0].children if node.children else []
    return [child for child in children if child.type != "text" or child.content]


class Converter:
    """Builds the model's values; what it drops is noted in `findings`.

    `base_url` is the address of the site that relative addresses belong to; empty when unknown.
    """

    def __init__(self, findings: Findings, base_url: str = "") -> None:
        self._findings = findings
        self._base_url = base_url

    def blocks(self, nodes: Iterable[Node]) -> tuple[Block, ...]:
        """The blocks of `nodes`; those with nothing to read are left out."""
        return tuple(block for node in nodes if (block := self._block(node)) is not None)

    def inlines(self, nodes: Sequence[Node]) -> tuple[Inline, ...]:
        """The inlines of sibling `nodes`, without white space at either end."""
        return trimmed(self._siblings(nodes))

    def address(self, text: str) -> str | None:
        """The safe form of a link's address; None, and a finding, for one that is not safe."""
        url = safe_url(text, self._base_url)
        if url is None and is_relative(text):
            self._findings.add(
                "relative-link",
                f"dropped the address {quoted(text)}, which names no site; set reading.base_url",
            )
        elif url is None:
            is_blank = text.strip().lower().startswith("about:")
            code = "link-to-nowhere" if is_blank else "dropped-link"
            self._findings.add(code, f"dropped the address {quoted(text)}")
        return url

    def source(self, address: str) -> str | None:
        """Where a story leads that links to `address`: None, and a finding, when nowhere."""
        if leads_nowhere(address):
            self._findings.add("link-to-nowhere", f"dropped the address {quoted(address)}")
            return None
        return self.address(address)

    def _block(self, node: Node) -> Block | None:
        match node.type:
            case "paragraph":
                children = self.inlines(inline_nodes(node))
                return Paragraph(children) if children else None
            case "heading":
                children = self.inlines(inline_nodes(node))
                return Heading(int(node.tag[1]), children) if children else None
            case "blockquote":
                blocks = self.blocks(node.children)
                return Quote(blocks) if blocks else None
            case "bullet_list" | "ordered_list":
                return self._list(node)
            case "fence" | "code_block":
                language = _CODE_LANGUAGE.match(node.info.strip())
                return CodeBlock(node.content, language[0] if language else "")
            case "table":
                return self._table(node)
            case "hr":
                return Rule()
            case _:
                self._note_html(node.content)
                return None

    def _list(self, node: Node) -> ListBlock | None:
        items = tuple(b for item in node.children if (b := self.blocks(item.children)))
        start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        return ListBlock(items, start) if items else None

    def _table(self, node: Node) -> Table:
        rows = (row for part in node.children for row in part.children)
        return Table(
            tuple(tuple(self.inlines(inline_nodes(cell)) for cell in row.children) for row in rows)
        )

    def _siblings(self, nodes: Sequence[Node]) -> tuple[Inline, ...]:
        built: list[Inline] = []
        closing_tags = _last_closing_tags(nodes)
        resume = 0
        for index, node in enumerate(nodes):
            if index < resume:
                continue
            if node.type == "html_inline":
                built.extend(self._tag(node.content))
                resume = closing_tags.get(wordless_element(node.content), 0)
            else:
                built.extend(self._inline(nodes, index))
        return merged(built)

    def _tag(self, markup: str) -> tuple[Inline, ...]:
        if tag_name(markup) == "br":
            return (LineBreak(),)
        self._note_html(markup)
        return ()

    def _inline(self, nodes: Sequence[Node], index: int) -> tuple[Inline, ...]:
        node = nodes[index]
        match node.type:
            case "text":
                return (Text(node.content),) if node.content else ()
            case "code_inline":
                return (Code(node.content),)
            case "softbreak":
                return (Text(_joint(nodes, index)),)
            case "hardbreak":
                return (LineBreak(),)
            case "image":
                return self._image(node)
            case "link":
                return self._link(node)
            case kind:
                children = self._siblings(node.children)
                return (_WRAPPERS[kind](children),) if children else ()

    def _image(self, node: Node) -> tuple[Inline, ...]:
        alt = words_of(node)
        url = self.address(str(node.attrs["src"]))
        if url and not url.startswith("mailto:"):
            return (Image(url, alt),)
        return (Text(alt),) if alt else ()

    def _link(self, node: Node) -> tuple[Inline, ...]:
        children = trimmed(self._siblings(node.children))
        url = self.address(str(node.attrs["href"]))
        if url is None:
            return children
        return (Link(url, children or (Text(url),)),)

    def _note_html(self, markup: str) -> None:
        self._findings.add("raw-html", f"dropped raw HTML {quoted(markup)}")


def merged(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """`inlines` with neighbouring texts made one."""
    texts: list[str] = []
    result: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, Text):
            texts.append(inline.text)
            continue
        if texts:
            result.append(Text("".join(texts)))
            texts.clear()
        result.append(inline)
    if texts:
        result.append(Text("".join(texts)))
    return tuple(result)


def trimmed(inlines: Sequence[Inline]) -> tuple[Inline, ...]:
    """`inlines` without white space and line breaks at their ends."""
    start, end = 0, len(inlines)
    while start < end and _is_blank(inlines[start]):
        start += 1
    while start < end and _is_blank(inlines[end - 1]):
        end -= 1
    rest = list(inlines[start:end])
    if rest and isinstance(rest[0], Text):
        rest[0] = Text(rest[0].text.lstrip())
    if rest and isinstance(rest[-1], Text):
        rest[-1] = Text(rest[-1].text.rstrip())
    return tuple(rest)


def unwrapped(title: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """`title` without the strong that holds the whole of it: a title is strong by itself."""
    match title:
        case (Strong(children),):
            return trimmed(children)
        case _:
            return title


def _is_blank(inline: Inline) -> bool:
    return isinstance(inline, LineBreak) or (isinstance(inline, Text) and not inline.text.strip())


def _last_closing_tags(nodes: Sequence[Node]) -> dict[str, int]:
    """Where each closing tag among `nodes` stands last, by the name of its element."""
    return {
        tag_name(node.content): index
        for index, node in enumerate(nodes)
        if node.type == "html_inline" and node.content.startswith("</")
    }


def _joint(nodes: Sequence[Node], index: int) -> str:
    """What stands for a line end in the source: a space, but nothing between CJK characters."""
    before = words_of(nodes[index - 1])[-1:] if index else ""
    after = words_of(nodes[index + 1])[:1] if index + 1 < len(nodes) else ""
    return "" if _runs_on(before) and _runs_on(after) else " "


def _runs_on(character: str) -> bool:
    return bool(character) and is_cjk(character) and not _HANGUL.match(character)
