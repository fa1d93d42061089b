"""The HTML that people write into Markdown, as Markdown: links, lists, headings, pictures.

Only tags that stand for something Markdown has are turned; `raw_html` sees to the others.
"""

from __future__ import annotations

import re
from html import unescape

_ATTRIBUTE = r"\s*=\s*(?:\"([^\"]{0,2000})\"|'([^']{0,2000})'|([^\s\"'<>]{1,2000}))"
_HREF = re.compile(rf"\shref{_ATTRIBUTE}", re.IGNORECASE)
_SOURCE = re.compile(rf"\ssrc{_ATTRIBUTE}", re.IGNORECASE)
_ALT = re.compile(rf"\salt{_ATTRIBUTE}", re.IGNORECASE)
_TAG = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|<(?P<slash>/?)(?P<name>a|li|ul|ol|h[1-6]|b|strong|img|p|div|center|details|summary|section"
    r"|article|header|footer|main|dl|dt|dd|table|thead|tbody"
    r"|tr|th|td)(?P<rest>(?:\s[^<>]{0,4000})?)/?>",
    re.IGNORECASE,
)
_MARKS = {"b": "**", "strong": "**", "summary": "**"}
_BLOCKS = {
    *("p", "div", "center", "details", "section", "article", "header", "footer", "main", "dl"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_LAYOUT = re.compile(r"<(?:p|div|h[1-6])[\s>]", re.IGNORECASE)
_INDENTATION = re.compile(r"^[ \t]+(?=<)", re.MULTILINE)


def as_markdown(prose: str) -> str:
    """`prose`, which holds no code block, with its HTML written as Markdown."""
    if "<" not in prose:
        return prose
    prose = _with_flat_tables(prose)
    return _TAG.sub(_Turning(prose), prose)


def _with_flat_tables(prose: str) -> str:
    """`prose` with the tags of each table that lays out blocks at the beginning of their lines."""
    parts: list[str] = []
    lowered, position = prose.lower(), 0
    while (start := lowered.find("<table", position)) >= 0:
        end = lowered.find("</table", start)
        if end < 0:
            break
        table = prose[start:end]
        is_layout = _LAYOUT.search(table) is not None
        parts += prose[position:start], _INDENTATION.sub("", table) if is_layout else table
        position = end
    return "".join((*parts, prose[position:]))


class _Turning:
    """Turns one tag after another, and remembers which ones are open."""

    def __init__(self, prose: str) -> None:
        self._prose = prose
        self._targets: list[str | None] = []
        self._depth = 0
        #: Behind the last of them, no link can be closed any more.
        self._last_link_end = prose.lower().rfind("</a")

    def __call__(self, match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        name, is_end = match["name"].lower(), bool(match["slash"])
        if name == "a":
            return self._link_end() if is_end else self._link_start(match)
        if name == "img":
            return _picture(match["rest"])
        if name in _MARKS:
            return _MARKS[name] if self._touches_words(match, is_end) else match[0]
        if name in _BLOCKS:
            return "\n\n" if self._is_alone(match) else match[0]
        return self._structure(name, is_end)

    def _structure(self, name: str, is_end: bool) -> str:
        """What stands for a tag of a list or a heading."""
        if name in {"ul", "ol"}:
            self._depth = max(0, self._depth + (-1 if is_end else 1))
            return "\n\n" if is_end and not self._depth else "\n"
        if name == "li":
            return "" if is_end else f"\n{'  ' * min(max(self._depth - 1, 0), 10)}- "
        return "\n\n" if is_end or not name[1:].isdigit() else f"\n\n{'#' * int(name[1])} "

    def _link_start(self, match: re.Match[str]) -> str:
        href = _HREF.search(match["rest"])
        if match.end() > self._last_link_end:
            return match[0]
        address = unescape(_value(href)) if href else None
        self._targets.append(address)
        return "" if address is None else "["

    def _link_end(self) -> str:
        address = self._targets.pop() if self._targets else None
        if address is None:
            return ""
        return f"](<{_clean(address)}>)"

    def _is_alone(self, match: re.Match[str]) -> bool:
        """Whether nothing stands before the tag on its line."""
        start = self._prose.rfind("\n", max(0, match.start() - 200), match.start()) + 1
        before = self._prose[start : match.start()]
        return not before.strip() and not before[:1].isspace()

    def _touches_words(self, match: re.Match[str], is_end: bool) -> bool:
        """Whether emphasis marks would work here: they need words right beside them."""
        beside = (
            self._prose[match.start() - 1 : match.start()]
            if is_end
            else self._prose[match.end() : match.end() + 1]
        )
        return bool(beside) and not beside.isspace()


def _picture(attributes: str) -> str:
    source, alt = _SOURCE.search(attributes), _ALT.search(attributes)
    if source is None:
        return ""
    address = _clean(_value(source))
    words = re.sub(r"[\[\]\n]", " ", _value(alt) if alt else "")
    return f"![{words}](<{address}>)"


def _clean(address: str) -> str:
    """`address` without what would end a link in Markdown."""
    return re.sub(r"[<>\s]", "", address)


def _value(attribute: re.Match[str]) -> str:
    return (attribute[1] or attribute[2] or attribute[3] or "").strip()
