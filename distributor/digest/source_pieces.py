"""The source of a post in its pieces: code, which stays as it is, and what stands between.

Comments, of HTML, of Liquid and of MDX, are left out: what they hold is written for nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from distributor.digest.findings import Findings

#: What costs time to read: line ends, marks of Markdown, tags and addresses. An edition of two
#: hundred stories has about five thousand; this many take some two seconds.
_MOST_MARKS = 30_000
_MARK = re.compile(r"[\n\[*_`<>!#|~&{:\\]|//")
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+){0,4}(`{3,}|~{3,})")
_COMMENT = re.compile(r"(?P<html><!--)|(?P<mdx>\{/\*)|(?P<liquid>\{%-?\s{0,9}comment\s{0,9}-?%\})")
_COMMENT_END = {"html": "-->", "mdx": "*/}", "liquid": "endcomment"}
_LIQUID_END = re.compile(r"\s*-?%\}")


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Every piece of `text` in order, with whether it is a fenced code block."""
    prose: list[str] = []
    code: list[str] = []
    fence = ""
    for line in _Lines(text):
        mark = _FENCE.match(line)
        if fence:
            code.append(line)
            if _closes(fence, mark, line):
                yield True, "".join(code)
                fence = ""
        elif _opens(mark, line):
            yield False, "".join(prose)
            prose, code, fence = [], [line], mark[1] if mark else ""
        else:
            prose.append(line)
    yield (True, "".join(code)) if fence else (False, "".join(prose))


def within_reason(text: str, findings: Findings) -> str:
    """The beginning of `text` that can be read in reasonable time: nearly always all of it."""
    last = next(islice(_MARK.finditer(text), _MOST_MARKS, None), None)
    if last is None:
        return text
    left = len(text) - last.start()
    findings.add("cut-off", f"too much markup; left out the last {left:,} characters")
    return text[: last.start()]


def _opens(mark: re.Match[str] | None, line: str) -> bool:
    return mark is not None and "`" not in line[mark.end() :]


def _closes(fence: str, mark: re.Match[str] | None, line: str) -> bool:
    return mark is not None and mark[1].startswith(fence) and not line[mark.end() :].strip()


class _Lines:
    """The lines of a text. Outside of code blocks, comments are gone, however long."""

    def __init__(self, text: str) -> None:
        self._text = text
        #: Behind the last of each, no comment of its kind can be closed any more.
        self._last_ends = {kind: text.rfind(end) for kind, end in _COMMENT_END.items()}

    def __iter__(self) -> Iterator[str]:
        fence = ""
        position = 0
        while position < len(self._text):
            end = self._line_end(position)
            line = self._text[position:end]
            mark = _FENCE.match(line)
            if fence:
                fence = "" if _closes(fence, mark, line) else fence
            elif mark and _opens(mark, line):
                fence = mark[1]
            else:
                line, end = self._without_comments(position, end)
            position = end
            if line:
                yield line

    def _line_end(self, position: int) -> int:
        return self._text.find("\n", position) + 1 or len(self._text)

    def _without_comments(self, start: int, end: int) -> tuple[str, int]:
        """The line from `start` to `end` without comments, and where the next one begins."""
        kept: list[str] = []
        position = start
        while (found := _COMMENT.search(self._text, position, end)) is not None:
            closed = self._closing(found)
            in_code = self._text.count("`", start, found.start()) % 2
            if closed < 0 or in_code:
                kept.append(self._text[start : found.end()])
                start = position = found.end()
                continue
            kept.append(self._text[start : found.start()])
            start = position = closed
            if closed > end:
                end = self._line_end(closed)
        kept.append(self._text[start:end])
        return "".join(kept), end

    def _closing(self, found: re.Match[str]) -> int:
        """Where the comment that `found` opens has ended; -1 when it never does."""
        kind = found.lastgroup or ""
        if found.end() > self._last_ends[kind]:
            return -1
        end = self._text.find(_COMMENT_END[kind], found.end()) + len(_COMMENT_END[kind])
        tail = _LIQUID_END.match(self._text, end) if kind == "liquid" else None
        return tail.end() if tail else end
