"""The syntax of a post as a tree, built from the parser's flat list of tokens.

markdown-it has such a tree too; this one holds only what the reader asks for, and asking is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from markdown_it.token import Token

_NO_ATTRIBUTES: Mapping[str, str | int | float] = {}


class Node:
    """A block or an inline, named as markdown-it names it: `heading`, `strong`, `text`."""

    __slots__ = ("attrs", "children", "content", "info", "tag", "type")

    def __init__(self, kind: str, token: Token) -> None:
        self.type = kind
        self.tag = token.tag
        self.content = token.content
        self.info = token.info
        self.attrs = token.attrs or _NO_ATTRIBUTES
        self.children: list[Node] = []

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the source."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree_of(tokens: Iterable[Token]) -> list[Node]:
    """The top-level nodes that `tokens` make up."""
    top: list[Node] = []
    open_lists = [top]
    for token in tokens:
        if token.nesting < 0:
            open_lists.pop()
            continue
        node = Node(token.type.removesuffix("_open"), token)
        open_lists[-1].append(node)
        if token.children:
            node.children = tree_of(token.children)
        if token.nesting > 0:
            open_lists.append(node.children)
    return top
