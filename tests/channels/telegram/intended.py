"""What a part's markup means to say, read without Telegram: by Python's own HTML parser."""

from __future__ import annotations

from html.parser import HTMLParser

_KINDS = {"b": "Bold", "i": "Italic", "s": "Strikethrough", "code": "Code"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: list[tuple[str, str, str]] = []
        self._open: list[tuple[str, str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        kind = _KINDS.get(tag, "")
        if tag == "a":
            kind = "TextUrl"
        elif tag == "blockquote":
            kind = "ExpandableBlockQuote" if "expandable" in given else "BlockQuote"
        elif tag == "pre":
            kind = "Pre"
        self._open.append((kind, given.get("href") or "", len(self.text)))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        kind, url, start = self._open.pop()
        if kind == "Code" and self._open and self._open[-1][0] == "Pre":
            return
        if self.text[start:]:
            self.entities.append((kind, self.text[start:], url))

    def handle_data(self, data: str) -> None:
        self.text += data


def intended(html: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The visible text, and (kind, covered text, address) of its formatting in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text, sorted(reader.entities)
