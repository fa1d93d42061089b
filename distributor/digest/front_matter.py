"""Front matter: the fields above a post, in YAML (`---`), TOML (`+++`), JSON (`{ … }`) or lines.

Values come as the strings that were written, so that a date keeps its exactness and a version
number its zeros. What no parser accepts is read line by line.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import yaml

from distributor.digest.findings import Findings, quoted

Value = str | tuple[str, ...]

#: PyYAML reads about 1 MB in 20 seconds; no honest front matter is longer than this.
_MAX_CHARACTERS = 32_000
_FIELD = re.compile(r"[ \t]*([^\W\d][\w-]{0,40})[ \t]*[:：=](?!//)[ \t]*(.*)")
_ENTRY = re.compile(r"[ \t]*-[ \t]+(.*)")
#: Fields that lines without any fence can begin with, as Pelican and MultiMarkdown write them.
_PELICAN_FIRST = {"title", "date", "category", "tags", "slug", "author", "authors", "layout"}
_PELICAN_NEEDED = {"title", "date"}
_OPENING = re.compile(r"(-{3,}|\+{3})[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Fields by name, in lower case and without `_` and `-`. Empty when the file has none."""

    fields: Mapping[str, Value] = field(default_factory=dict)

    def text(self, *names: str) -> str:
        """The first of `names` that has words, on one line; empty when none has."""
        for name in names:
            value = self.fields.get(name, "")
            if isinstance(value, str) and value.strip():
                return " ".join(value.split())
        return ""

    def words(self, *names: str) -> tuple[str, ...]:
        """The first of `names` that has values, as a list without repetitions."""
        for name in names:
            value = self.fields.get(name, ())
            values = re.split("[,，、]", value) if isinstance(value, str) else value
            if found := tuple(dict.fromkeys(v.strip() for v in values if v.strip())):
                return found
        return ()


def split_front_matter(text: str, findings: Findings) -> tuple[FrontMatter, str]:
    """The front matter of `text` and what follows it; never raises."""
    start = text.lstrip("\n \t")
    if start.startswith("{"):
        return _split_json(start, text)
    first, _, rest = start.partition("\n")
    opening = _OPENING.fullmatch(first.rstrip())
    if opening is None:
        return _split_lines(start) or (FrontMatter(), text)
    language = opening[2] if opening[2] in _FORMATS else ""
    if opening[2] and not language:
        if not _FIELD.fullmatch(opening[2]):
            return FrontMatter(), text
        findings.add("front-matter", f"the first line holds a field: {quoted(first)}")
        rest = f"{opening[2]}\n{rest}"
    fences, parse = _FORMATS[language or opening[1][:3]]
    return _split_fenced(rest, fences, parse, findings) or (FrontMatter(), text)


def _split_lines(start: str) -> tuple[FrontMatter, str] | None:
    """`Title: …` lines up to the first empty one; None when these are words of the post."""
    head, _, body = start.partition("\n\n")
    if len(head) > _MAX_CHARACTERS:
        return None
    first = _FIELD.match(head)
    if first is None or first[1].lower() not in _PELICAN_FIRST:
        return None
    if not all(_FIELD.fullmatch(line) or line[:1].isspace() for line in head.split("\n")):
        return None
    fields = _parse_lines(head)
    return (FrontMatter(fields), body) if _PELICAN_NEEDED & fields.keys() else None


def _split_json(start: str, text: str) -> tuple[FrontMatter, str]:
    try:
        loaded, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return FrontMatter(), text
    fields = _as_fields(loaded)
    return (FrontMatter(fields), start[end:]) if "title" in fields else (FrontMatter(), text)


def _split_fenced(
    rest: str,
    fences: tuple[str, ...],
    parse: Callable[[str], object],
    findings: Findings,
) -> tuple[FrontMatter, str] | None:
    """The fields up to a closing fence, or None when this is a rule and no front matter."""
    lines = rest.split("\n")
    end = next((n for n, line in enumerate(lines) if _is_fence(line, fences)), None)
    if end is None:
        end = _end_of_fields(lines)
        body = "\n".join(lines[end:])
        if end:
            findings.add("front-matter", "front matter has no closing line; read up to its end")
    else:
        body = "\n".join(lines[end + 1 :])
    source = "\n".join(lines[:end])
    if not source.strip():
        return None
    fields = _parsed(source, parse, findings)
    return (FrontMatter(fields), body) if fields else None


def _is_fence(line: str, fences: tuple[str, ...]) -> bool:
    closing = line.rstrip()
    return closing in fences or (len(closing) > len(fences[0]) and not closing.strip("-"))


def _end_of_fields(lines: list[str]) -> int:
    """How many lines from the first are fields or entries of a list."""
    for number, line in enumerate(lines):
        if not (_FIELD.fullmatch(line) or _ENTRY.fullmatch(line)):
            return number
    return len(lines)


def _parsed(source: str, parse: Callable[[str], object], findings: Findings) -> dict[str, Value]:
    if len(source) <= _MAX_CHARACTERS:
        try:
            return _as_fields(parse(source))
        except (ValueError, RecursionError, yaml.YAMLError):
            pass
    fields = _parse_lines(source)
    if fields:
        findings.add("front-matter", "front matter is malformed; read line by line")
    return fields


def _parse_yaml(source: str) -> object:
    # BaseLoader builds strings, lists and mappings only, which makes it as safe as SafeLoader.
    return yaml.load(source, Loader=yaml.BaseLoader)  # noqa: S506


def _parse_toml(source: str) -> object:
    return tomllib.loads(source)


#: By the fence, or by the language that is named behind it: its closing fences, and its parser.
_FORMATS: Mapping[str, tuple[tuple[str, ...], Callable[[str], object]]] = {
    "---": (("---", "..."), _parse_yaml),
    "+++": (("+++",), _parse_toml),
    "yaml": (("---",), _parse_yaml),
    "toml": (("---",), _parse_toml),
    "json": (("---",), json.loads),
}


def _parse_lines(source: str) -> dict[str, Value]:
    """Every `name: value` line and the `- entry` lines below one; other lines are skipped.

    An indented field belongs to another one, and says something only where nothing else does.
    """
    fields: dict[str, Value] = {}
    indented: dict[str, Value] = {}
    name = ""
    for line in source.split("\n"):
        if match := _FIELD.fullmatch(line):
            name = _key(match[1])
            (indented if line[:1].isspace() else fields)[name] = _bare_value(match[2])
        elif name in fields and (entry := _ENTRY.fullmatch(line)):
            before = fields[name]
            fields[name] = (*(before if isinstance(before, tuple) else ()), _unquoted(entry[1]))
    return indented | fields


def _key(name: str) -> str:
    return re.sub(r"[_\-\s]", "", name).lower()


def _bare_value(text: str) -> Value:
    stripped = text.strip()
    if stripped.startswith("[") and stripped.endswith("]"):
        return tuple(_unquoted(part) for part in stripped[1:-1].split(","))
    return _unquoted(stripped)


def _unquoted(text: str) -> str:
    stripped = text.strip()
    is_quoted = len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'"
    return stripped[1:-1].strip() if is_quoted else stripped


def _as_fields(loaded: object) -> dict[str, Value]:
    """Top-level scalars and lists of scalars of a mapping, and what Zola calls taxonomies."""
    if not isinstance(loaded, dict):
        return {}
    fields: dict[str, Value] = {}
    for name, value in loaded.items():
        if isinstance(value, list):
            fields[_key(str(name))] = tuple(_scalar(v) for v in value if _is_scalar(v))
        elif _is_scalar(value):
            fields[_key(str(name))] = _scalar(value)
        elif _key(str(name)) == "taxonomies":
            fields = _as_fields(value) | fields
    return fields


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | date)


def _scalar(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
