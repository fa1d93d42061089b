"""Styled text: the form between a digest and Telegram's markup that can be cut anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Flag, auto
from html import escape


class Style(Flag):
    """How a run looks."""

    PLAIN = 0
    BOLD = auto()
    ITALIC = auto()
    STRIKE = auto()
    CODE = auto()
    #: A code block of its own lines.
    PRE = auto()


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that look alike and lead to the same place."""

    text: str
    style: Style = Style.PLAIN
    #: An address that Telegram accepts as a link, or empty.
    url: str = ""
    #: Programming language of a code block.
    language: str = ""

    @property
    def is_atomic(self) -> bool:
        """Whether a cut inside would break something: a link label or a code span."""
        return bool(self.url) or Style.CODE in self.style


@dataclass(frozen=True, slots=True)
class Fragment:
    """A paragraph, list, table or code block; several of them make a passage."""

    runs: tuple[Run, ...]
    #: Shown as a quotation.
    quoted: bool = False
    #: A heading: the end of a message must not follow.
    keep_with_next: bool = False

    @property
    def text(self) -> str:
        """The visible characters."""
        return "".join(run.text for run in self.runs)

    def slice(self, start: int, end: int) -> Fragment:
        """The characters from `start` to `end`, in the same styles, trimmed."""
        return replace(self, runs=trim(cut_runs(self.runs, start, end)), keep_with_next=False)

    def html(self) -> str:
        """The fragment in Telegram's HTML."""
        body = runs_html(self.runs)
        return f"<blockquote>{body}</blockquote>" if self.quoted else body


def cut_runs(runs: Iterable[Run], start: int, end: int) -> tuple[Run, ...]:
    """The characters from `start` to `end` of all `runs` together."""
    pieces = []
    offset = 0
    for run in runs:
        text = run.text[max(0, start - offset) : max(0, end - offset)]
        offset += len(run.text)
        if text:
            pieces.append(replace(run, text=text))
    return tuple(pieces)


def trim(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """`runs` without white space at both ends."""
    text = "".join(run.text for run in runs)
    start = len(text) - len(text.lstrip())
    return cut_runs(runs, start, max(start, len(text.rstrip())))


# Links stand outside, because a link must stay one link; a style may be closed and reopened.
# Code allows nothing around it but a quotation.
_TAGS = ((Style.BOLD, "b"), (Style.ITALIC, "i"), (Style.STRIKE, "s"))
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{1,32}", re.ASCII)


def runs_html(runs: Iterable[Run]) -> str:
    """`runs` with as few tags as possible, properly nested."""
    return "".join(_nest(runs))


def _nest(runs: Iterable[Run]) -> Iterator[str]:
    opened: list[tuple[str, str]] = []
    for run in runs:
        wanted = _tags(run)
        common = _common(opened, wanted)
        yield "".join(close for _, close in reversed(opened[common:]))
        yield "".join(open_ for open_, _ in wanted[common:])
        yield escape(run.text)
        opened = wanted
    yield "".join(close for _, close in reversed(opened))


def _common(opened: list[tuple[str, str]], wanted: list[tuple[str, str]]) -> int:
    pairs = zip(opened, wanted, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(opened), len(wanted)))


def _tags(run: Run) -> list[tuple[str, str]]:
    """The opening and closing tags around `run`, from the outermost."""
    if Style.PRE in run.style:
        language = run.language if _LANGUAGE.fullmatch(run.language) else ""
        if not language:
            return [("<pre>", "</pre>")]
        return [(f'<pre><code class="language-{language}">', "</code></pre>")]
    if Style.CODE in run.style:
        return [("<code>", "</code>")]
    link = [(f'<a href="{escape(run.url)}">', "</a>")] if run.url else []
    return link + [(f"<{tag}>", f"</{tag}>") for style, tag in _TAGS if style in run.style]
