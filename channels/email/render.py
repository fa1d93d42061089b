"""From an edition to its email: subject, HTML and text, the same for every reader but for marks.

Everything that is slow happens here, once per send: templates and style inlining.
"""

from __future__ import annotations

import re
from itertools import groupby
from urllib.parse import urlsplit

from channels.base import Edition, Part, RenderError, Rendering
from channels.email.blocks_html import HtmlBlocks, is_safe_url
from channels.email.blocks_text import TextBlocks
from channels.email.headers import clean
from channels.email.inline import inline_styles
from channels.email.personal import Marks
from channels.email.preheader import preheader
from channels.email.shorten import Shortened, shorten
from channels.email.wording import words_for
from distributor.digest.model import Digest, Item

#: Gmail cuts a message off near 102 KB of HTML; the rest is left for what readers' values add.
MAX_HTML_BYTES = 90_000

_CJK = frozenset({"zh", "ja", "ko"})

#: Control characters, surrogates and noncharacters: not allowed in HTML, and the style inliner
#: cannot hold them.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def render(edition: Edition) -> Rendering:
    """One part with the payload `subject`, `title`, `html`, `text`, `publisher`, `list`, `web_url`,
    and the marks' `key`.

    `title` is the subject of readers for whom nothing else is left of it.

    Raises `RenderError` for a digest without a title or without content.
    """
    digest = edition.digest
    title = clean(digest.title)
    if not title:
        raise RenderError("the digest has no title, and an email needs a subject; add a title")
    if not (digest.items or digest.intro or digest.commentary):
        raise RenderError(f"the digest {title!r} has no content; there is nothing to send")
    marks = Marks.of_revision(digest.revision)
    values = _values(edition, marks, Shortened(digest))
    page, warnings = _page(edition, marks)
    payload = {
        "subject": clean(_filled(edition, "email/subject.txt.j2", values)) or title,
        "title": title,
        "html": page,
        "text": _filled(edition, "email/digest.txt.j2", values),
        "publisher": clean(edition.publisher.name),
        "list": edition.list_name,
        "web_url": _web_url(edition),
        "key": marks.key,
    }
    return Rendering(parts=(Part(1, payload),), warnings=warnings)


def _page(edition: Edition, marks: Marks) -> tuple[str, tuple[str, ...]]:
    """The HTML, small enough where that can be had, and what an operator should know about it."""

    def html_of(candidate: Shortened) -> str:
        values = _values(edition, marks, candidate)
        return inline_styles(_filled(edition, "email/digest.html.j2", values))

    page = html_of(Shortened(edition.digest))
    size = len(page.encode())
    if size <= MAX_HTML_BYTES:
        return page, ()
    if not _web_url(edition):
        return page, _too_large(size)
    shortened = shorten(
        edition.digest, lambda candidate: len(html_of(candidate).encode()) <= MAX_HTML_BYTES
    )
    return html_of(shortened), _was_shortened(edition.digest, shortened, size)


def _too_large(size: int) -> tuple[str, ...]:
    return (
        f"the HTML is {size // 1000} KB and Gmail cuts messages off near 102 KB; it was not "
        "shortened, because there is no web edition to lead to",
    )


def _was_shortened(digest: Digest, shortened: Shortened, size: int) -> tuple[str, ...]:
    facts = []
    if shortened.listed:
        facts.append(f"{len(shortened.listed)} of {len(digest.items)} stories are titles in a list")
    if shortened.left_out:
        facts.append(f"{shortened.left_out} of {len(digest.items)} stories are left out")
    if shortened.cuts_prose:
        facts.append("the prose ends early")
    return (
        f"the HTML would be {size // 1000} KB and Gmail cuts messages off near 102 KB, so "
        f"{' and '.join(facts)}; a link leads to the web edition, and the text part has all of it",
    )


def _web_url(edition: Edition) -> str:
    return edition.web_url if is_safe_url(edition.web_url) else ""


def _values(edition: Edition, marks: Marks, shortened: Shortened) -> dict[str, object]:
    """What the templates are filled with; `digest` is what `shortened` left of it."""
    digest, publisher = shortened.digest, edition.publisher
    words = words_for(digest.language)
    return {
        "digest": digest,
        "sections": _by_section(digest),
        "day": words.day(digest.date) if digest.date else "",
        "preheader": preheader(edition.digest),
        "publisher": publisher,
        "web_url": _web_url(edition),
        "words": words,
        "why": words.why.format(reader=marks.reader, publisher=publisher.name),
        "shortened": shortened,
        "marks": marks,
        "as_html": HtmlBlocks(words),
        "as_text": TextBlocks(words),
        "host": source_host,
        "is_safe_url": is_safe_url,
        "is_cjk": digest.language.partition("-")[0].lower() in _CJK,
    }


def _by_section(digest: Digest) -> list[tuple[str | None, list[Item]]]:
    """Items in their order, in runs of the same section."""
    runs = groupby(digest.items, key=lambda item: item.section)
    return [(section, list(items)) for section, items in runs]


def source_host(url: str) -> str:
    """The host that `url` leads to, as readers know it; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _filled(edition: Edition, path: str, values: dict[str, object]) -> str:
    return _UNPRINTABLE.sub("", edition.templates.render(path, **values))
