"""Addresses written out in running text become links, as on every site that shows Markdown.

CommonMark links `<https://…>` only. An address ends before white space, quotation marks, brackets
that it did not open, and the first character of Chinese, Japanese or Korean text.
"""

from __future__ import annotations

import re

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from distributor.digest.cjk_emphasis import is_cjk

_URL = re.compile(r"(?<![A-Za-z0-9@/=])https?://[^\s<>\"'`|\\^{}]{3,2000}")
_TRAILING = ".,;:!?*_~"
#: Closing brackets belong to an address that opened them.
_PAIRS = {")": "(", "]": "["}


def link_bare_urls(state: StateCore) -> None:
    """Core rule: splits text at the addresses in it."""
    for token in state.tokens:
        if token.type == "inline" and token.children and "://" in token.content:
            token.children = _linked(token.children)


def _linked(tokens: list[Token]) -> list[Token]:
    result: list[Token] = []
    inside = 0
    for token in tokens:
        inside += (token.type == "link_open") - (token.type == "link_close")
        if token.type == "text" and not inside and "://" in token.content:
            result.extend(_split(token))
        else:
            result.append(token)
    return result


def _split(token: Token) -> list[Token]:
    result: list[Token] = []
    position = 0
    for match in _URL.finditer(token.content):
        url = _ended(match[0])
        if url.endswith("://") or "://" not in url:
            continue
        if before := token.content[position : match.start()]:
            result.append(_text(token, before))
        opening = Token("link_open", "a", 1, attrs={"href": url}, level=token.level, markup="bare")
        closing = Token("link_close", "a", -1, level=token.level, markup="bare")
        result += [opening, _text(token, url), closing]
        position = match.start() + len(url)
    if rest := token.content[position:]:
        result.append(_text(token, rest))
    return result


def _text(token: Token, words: str) -> Token:
    return Token("text", "", 0, level=token.level, content=words)


def _ended(found: str) -> str:
    """The address that `found` begins with."""
    end = next((n for n, character in enumerate(found) if is_cjk(character)), len(found))
    url = found[:end]
    closing = {mark: url.count(mark) - url.count(opened) for mark, opened in _PAIRS.items()}
    length = len(url)
    while length and (url[length - 1] in _TRAILING or closing.get(url[length - 1], 0) > 0):
        length -= 1
        if url[length] in closing:
            closing[url[length]] -= 1
    return url[:length]
