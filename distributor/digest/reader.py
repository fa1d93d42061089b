"""Reads a digest: a Markdown post becomes a `Digest`.

Whatever can be read is read, and what was dropped or guessed is listed in `Digest.warnings`.
Whether an edition may go out is judged by `publishable`, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from markdown_it.tree import SyntaxTreeNode

from distributor.digest.blocks import words_of
from distributor.digest.dates import find_date, parse_date, zone_for
from distributor.digest.decoding import UnreadableDigest, decode
from distributor.digest.findings import Findings, quoted
from distributor.digest.front_matter import FrontMatter, split_front_matter
from distributor.digest.language import detect_language, named_language
from distributor.digest.markdown import parse_markdown
from distributor.digest.model import Digest
from distributor.digest.plain import block_text, inline_text
from distributor.digest.structure import Outline, outline

__all__ = ["UnreadableDigest", "read", "read_file", "read_source"]

#: A title made from the first line of a post is cut to this many characters.
_MAX_GUESSED_TITLE = 80
#: Far more than any edition has.
_MAX_BYTES = 16 * 2**20


def read_file(path: Path) -> Digest:
    """The digest in the file `path`. Raises `UnreadableDigest` when there is none to read."""
    return read(read_source(path), path.name)


def read_source(path: Path) -> bytes:
    """The bytes of the file `path`. Raises `UnreadableDigest` when there are none to read."""
    try:
        _check_file(path)
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableDigest(f"{path} does not exist; check the path") from None
    except IsADirectoryError:
        raise UnreadableDigest(f"{path} is a directory; name a Markdown file in it") from None
    except PermissionError:
        raise UnreadableDigest(f"{path} may not be read; check its permissions") from None
    except (OSError, ValueError) as error:
        raise UnreadableDigest(f"{path} cannot be read: {error}; check the path") from None


def _check_file(path: Path) -> None:
    """Refuse what would be waited for without end, and what is no edition for its size."""
    found = path.stat()
    if not (path.is_file() or path.is_dir()):
        raise UnreadableDigest(f"{path} is no regular file; save the edition to one")
    if found.st_size > _MAX_BYTES:
        size, limit = found.st_size / 2**20, _MAX_BYTES // 2**20
        raise UnreadableDigest(
            f"{path} has {size:,.0f} MB, and {limit} MB is the limit for an edition; check the path"
        )


def read(data: bytes, name: str) -> Digest:
    """The digest that `data` holds.

    `name` is the file's name: it may tell the date, and errors name it. Raises
    `UnreadableDigest` only for bytes that are no text in any encoding.
    """
    findings = Findings()
    fields, body = split_front_matter(decode(data, name, findings), findings)
    nodes = parse_markdown(body)
    position, heading = _title_heading(nodes)
    title = fields.text("title") or heading
    if heading and _same(title, heading):
        nodes = [*nodes[:position], *nodes[position + 1 :]]
    parts = outline(nodes, findings)
    title = title or _guessed_title(parts, findings)
    language = _language(fields, title, parts, findings)
    return Digest(
        revision=sha256(data).hexdigest(),
        title=title,
        date=_date(fields, (title, heading, Path(name).stem), language, findings),
        language=language,
        categories=fields.words("categories", "category", "tags"),
        intro=parts.intro,
        sections=parts.sections,
        items=parts.items,
        commentary=parts.commentary,
        draft=fields.text("draft").lower() in {"true", "yes", "1"},
        warnings=findings.as_warnings(),
    )


def _title_heading(nodes: Sequence[SyntaxTreeNode]) -> tuple[int, str]:
    """Position and words of the heading that the post begins with; no words if it has none.

    A story's heading is no title, and neither is a section's: it has others of its rank.
    """
    position = next((n for n, node in enumerate(nodes) if node.type != "hr"), 0)
    if not nodes or nodes[position].type != "heading":
        return 0, ""
    heading = nodes[position]
    is_story = any(child.type == "link" for child in heading.walk())
    is_only = sum(node.type == "heading" and node.tag == heading.tag for node in nodes) == 1
    words = " ".join(words_of(heading).split())
    return (position, words) if is_only and not is_story else (0, "")


def _guessed_title(parts: Outline, findings: Findings) -> str:
    """The first line of the intro, else the first story's title; empty when there is neither."""
    lines = block_text(parts.intro).strip().split("\n", maxsplit=1)
    if not lines[0] and parts.items:
        lines = [inline_text(parts.items[0].title)]
    line = " ".join(lines[0].split())
    if line:
        findings.add("guessed-title", f"no title; took the first line: {quoted(line)}")
    return line if len(line) <= _MAX_GUESSED_TITLE else f"{line[: _MAX_GUESSED_TITLE - 1]}…"


def _language(fields: FrontMatter, title: str, parts: Outline, findings: Findings) -> str:
    if named := fields.text("language", "lang"):
        if language := named_language(named):
            return language
        findings.add("language", f"{quoted(named)} is no language tag; detected instead")
    bodies = (block for item in parts.items for block in item.body)
    return detect_language(
        "\n".join(
            (
                title,
                block_text(parts.intro),
                *(inline_text(item.title) for item in parts.items),
                block_text(bodies),
                block_text(parts.commentary),
            )
        )
    )


def _date(
    fields: FrontMatter, hints: Sequence[str], language: str, findings: Findings
) -> datetime | None:
    """The date that the front matter gives, else the first that a hint names."""
    zone = zone_for(language)
    if written := fields.text("date", "published", "publishdate", "pubdate", "created"):
        if moment := parse_date(written, zone):
            return moment
        findings.add("date", f"{quoted(written)} is no date")
    for hint in hints:
        if moment := find_date(hint, zone):
            findings.add("guessed-date", f"no date; took it from {quoted(hint)}")
            return moment
    return None


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()
