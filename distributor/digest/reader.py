"""Reads a digest: a Markdown post becomes a `Digest`.

Whatever can be read is read, and what was dropped or guessed is listed in `Digest.warnings`.
Whether an edition may go out is judged by `publishable`, not here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from distributor.digest.blocks import Converter, words_of
from distributor.digest.dates import find_date, parse_date, zone_for
from distributor.digest.decoding import UnreadableDigest, decode
from distributor.digest.findings import Findings, quoted
from distributor.digest.front_matter import FrontMatter, split_front_matter
from distributor.digest.generator_tags import without_generator_tags
from distributor.digest.html_markup import as_markdown
from distributor.digest.language import detect_language, named_language
from distributor.digest.markdown import parse_markdown
from distributor.digest.model import Digest, Heading
from distributor.digest.nodes import Node
from distributor.digest.plain import block_text, inline_text
from distributor.digest.source_pieces import pieces, within_reason
from distributor.digest.structure import Outline, outline

__all__ = ["UnreadableDigest", "name_of", "read", "read_file", "read_source"]

_TITLE_FIELDS = ("title", "subject", "headline", "标题", "name")
_DATE_FIELDS = (
    "date",
    "pubdate",
    "pubdatetime",
    "publishdate",
    "published",
    "publishedat",
    "publishedon",
    "datepublished",
    "issuedate",
    "日期",
    "created",
    "createdat",
    "datetime",
    "day",
)
#: Folders above a file that may tell its date, itself included: `2024/11/18/index.md`.
_MAX_FOLDERS = 4
#: Characters of the intro in which a date is the edition's own.
_OPENING_LENGTH = 300
#: A title made from the first line of a post is cut to this many characters.
_MAX_GUESSED_TITLE = 80
#: The end of a line before `1、…`, which Markdown takes for more of the same paragraph.
_NUMBERED_LINE = re.compile(r"(?<=\S)\n(?=\d{1,3}、)")
#: What the files of any series may be called.
_COMMON_NAME = re.compile(
    r"(?:index|readme|issue|weekly|daily|news(?:letter)?|digest|post|report|week|vol|no)(?![a-z])",
    re.IGNORECASE,
)
#: Far more than any edition has.
_MAX_BYTES = 16 * 2**20


def read_file(path: Path, base_url: str = "") -> Digest:
    """The digest in the file `path`. Raises `UnreadableDigest` when there is none to read."""
    return read(read_source(path), name_of(path), base_url)


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


def name_of(path: Path) -> str:
    """The file's name, with as many of its folders as it takes to tell a date: `2024/11/18.md`."""
    for parts in range(1, _MAX_FOLDERS + 1):
        tail = "/".join(path.parts[-parts:])
        if find_date(tail, UTC):
            return tail
    return path.name


def read(data: bytes, name: str, base_url: str = "") -> Digest:
    """The digest that `data` holds.

    `name` is the file's name: it may tell title and date, and errors name it. Relative addresses
    belong to `base_url`. Raises `UnreadableDigest` only for bytes that are no text in any encoding.
    """
    findings = Findings()
    convert = Converter(findings, base_url)
    fields, body = split_front_matter(decode(data, name, findings), findings)
    nodes = parse_markdown(_prepared(body, findings))
    position, heading = _title_heading(nodes)
    title = fields.text(*_TITLE_FIELDS) or heading
    if heading and _same(title, heading) and _is_only_of_its_rank(nodes, position):
        nodes = [*nodes[:position], *nodes[position + 1 :]]
    parts = _without_repeated_title(outline(nodes, findings, convert), title)
    title = title or _guessed_title(parts, name, findings)
    language = _language(fields, title, parts, findings)
    opening = block_text(parts.intro)[:_OPENING_LENGTH]
    return Digest(
        revision=sha256(data).hexdigest(),
        title=title,
        date=_date(fields, (title, heading, _stem(name), opening), language, findings),
        language=language,
        categories=fields.words("categories", "category", "tags", "topics"),
        intro=parts.intro,
        sections=parts.sections,
        items=parts.items,
        commentary=parts.commentary,
        draft=_is_draft(fields),
        warnings=findings.as_warnings(),
    )


def _prepared(body: str, findings: Findings) -> str:
    """The words of a post, without what generators and editors write between them."""
    return "".join(
        piece
        if is_code
        else _NUMBERED_LINE.sub("\n\n", as_markdown(without_generator_tags(piece, findings)))
        for is_code, piece in pieces(within_reason(body, findings))
    )


def _title_heading(nodes: Sequence[Node]) -> tuple[int, str]:
    """Position and words of the heading that names the post; no words if it has none.

    It is the first of the first rank, or else the first of all. A story's heading is no title,
    and neither is one that only links to the post itself.
    """
    headings = [n for n, node in enumerate(nodes) if node.type == "heading"]
    top = [n for n in headings if nodes[n].tag == "h1"]
    plain = [n for n in top if not _has_link(nodes[n])]
    for position in (*plain, *(top if len(top) == 1 else ()), *headings[:1]):
        if words := " ".join(words_of(nodes[position]).split()):
            is_story = _has_link(nodes[position]) and len(top) != 1
            is_title = not is_story and not _is_section(nodes, position)
            return (position, words) if is_title else (0, "")
    return 0, ""


def _is_section(nodes: Sequence[Node], position: int) -> bool:
    """Whether a heading is one of several, and words stand above it: it names a section."""
    above = (words_of(node) for node in nodes[:position] if node.type != "heading")
    has_words = any(re.search(r"\w", words) for words in above)
    return has_words and not _is_only_of_its_rank(nodes, position)


def _has_link(node: Node) -> bool:
    return any(child.type == "link" for child in node.walk())


def _is_only_of_its_rank(nodes: Sequence[Node], position: int) -> bool:
    tag = nodes[position].tag
    return sum(node.type == "heading" and node.tag == tag for node in nodes) == 1


def _without_repeated_title(parts: Outline, title: str) -> Outline:
    """`parts` without a heading on top of the intro that only says the title again."""
    match parts.intro:
        case (Heading(_, words), *rest) if _same(inline_text(words), title):
            return replace(parts, intro=tuple(rest))
        case _:
            return parts


def _guessed_title(parts: Outline, name: str, findings: Findings) -> str:
    """The first line of the intro, else the file's name, else the first story's title."""
    line = block_text(parts.intro).strip().partition("\n")[0]
    named = re.sub(r"[-_]+", " ", _stem(name.rpartition("/")[2])).strip()
    where = "first line"
    is_prose = not line or line.rstrip().endswith(("。", "."))
    if is_prose and parts.items and _has_own_words(named):
        line, where = named, "name of the file"
    elif not line and parts.items:
        line, where = inline_text(parts.items[0].title), "first item"
    line = " ".join(line.split())
    if line:
        findings.add("guessed-title", f"no title; took the {where}: {quoted(line)}")
    if len(line) <= _MAX_GUESSED_TITLE:
        return line
    sentence = re.match(r".{8,}?(?:[。！？]|[.!?](?= ))", line[:_MAX_GUESSED_TITLE])
    return sentence[0] if sentence else f"{line[: _MAX_GUESSED_TITLE - 1]}…"


def _has_own_words(named: str) -> bool:
    """Whether the name of a file says more than that it is one of many."""
    return bool(re.search(r"[^\W\d_]", _COMMON_NAME.sub("", named)))


def _stem(name: str) -> str:
    """`name` without its ending."""
    return re.sub(r"\.[A-Za-z]{1,8}$", "", name)


def _is_draft(fields: FrontMatter) -> bool:
    return (
        fields.text("draft").lower() in {"true", "yes", "1"}
        or fields.text("published").lower() in {"false", "no"}
        or fields.text("status").lower() in {"draft", "hidden"}
    )


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
    for written in filter(None, map(fields.text, _DATE_FIELDS)):
        if moment := parse_date(written, zone):
            return moment
        if written.lower() not in {"true", "false", "yes", "no"}:
            findings.add("date", f"{quoted(written)} is no date")
    for hint in hints:
        if moment := find_date(hint, zone):
            findings.add("guessed-date", f"no date; took it from {quoted(hint)}")
            return moment
    return None


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()
