"""What site generators and editors write between the words, taken out before Markdown is read.

Shortcodes of Hugo, tags of Liquid, Nunjucks and Hexo, components of MDX, attributes of kramdown,
containers of Docusaurus, wiki-links of Obsidian, and footnotes. An expression that is none of a
generator's own, such as `{{ name }}`, is left for `publishable` to find.
"""

from __future__ import annotations

import re
from functools import partial

from distributor.digest.findings import Findings, quoted

#: Names that belong to a generator; any other is a field that a mailing program fills in.
_OWN_NAME = (
    r"(?:site|page|post|layout|include|content|collections?|pagination|paginator|params|metadata"
    r"|meta|jekyll|config|theme|eleventy|forloop|env|pkg|\.[A-Z$]\w*|\$\.\w+)"
)
#: Their words stay: a wiki-link's, an address, what stands in quotation marks.
_WORDS = ("alias", "name", "page", "path", "literal")
#: Nothing is left of these.
_DROPPED = ("shortcode", "statement", "variable", "component", "embed")
_TAG = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|\{\{<\s*(?:rel)?ref\s+[\"'](?P<page>[^\"'\n]{1,300})[\"']\s*>\}\}"
    r"|\{%-?\s*(?:link|post_url)\s+(?P<path>[^\s%]{1,300})\s*-?%\}"
    r"|(?P<shortcode>\{\{(?:<[^{}]{0,1000}>|%[^{}]{0,1000}%)\}\})"
    r"|(?P<statement>\{%[^%{}]{0,500}%\})"
    r"|\{\{-?\s*[\"'](?P<literal>[^\"'\n{}]{1,300})[\"'][^{}\n]{0,200}\}\}"
    rf"|(?P<variable>\{{\{{-?\s*{_OWN_NAME}\b[^{{}}\n]{{0,200}}\}}\}})"
    r"|(?P<component>(?<!\\)</?[A-Z][\w.]{0,60}(?=[\s/>])[^<>`]{0,2000}>)"
    r"|(?P<attributes>\{:[^{}\n]{0,200}\}|[ \t]\{#[\w-]{1,100}\}(?=[ \t]*$))"
    r"|(?P<embed>!\[\[[^\[\]\n]{1,300}\]\])"
    r"|\[\[(?P<name>[^\[\]|\n]{1,300})(?:\|(?P<alias>[^\[\]\n]{1,300}))?\]\](?![(\[])"
    r"|\[\^(?P<mark>[\w-]{1,40})\]:?",
    re.MULTILINE,
)
_MODULE_LINE = re.compile(
    r"^(?:import\s+(?:[\w*{}\s,$]{1,300}\sfrom\s+)?[\"'][^\"'\n]{1,300}[\"'];?"
    r"|export\s+(?:const|let|default|function)\s[^\n]{0,1000})[ \t]*$",
    re.MULTILINE,
)
_CONTAINER = re.compile(r"^[ \t]*:{3,}[^\n]*$|(?<=^> )\[![A-Z]{3,10}\][ \t]*$", re.MULTILINE)
#: Two backslashes between two lines, where CommonMark has one.
_KRAMDOWN_BREAK = re.compile(r"(?<=[ \t])\\\\(?=[ \t]*\n[ \t]*\S)")
_TOC_MARK = re.compile(
    r"^[ \t]*(?:[*-][ \t]+toc[ \t]*\n\{:toc[^}\n]*\}|\[toc\])[ \t]*$", re.MULTILINE | re.IGNORECASE
)


def without_generator_tags(prose: str, findings: Findings) -> str:
    """`prose`, which holds no code block, without tags or with the words they stand for."""
    prose = _KRAMDOWN_BREAK.sub(r"\\", _TOC_MARK.sub("", prose))
    prose, modules = _MODULE_LINE.subn("", prose)
    if modules:
        findings.add("generator-tag", f"dropped {modules} lines that import or export a module")
    return _CONTAINER.sub("", _TAG.sub(partial(_replacement, findings=findings), prose))


def _replacement(match: re.Match[str], findings: Findings) -> str:
    found = match.groupdict()
    if found["code"]:
        return match[0]
    if found["mark"]:
        return f"\\[{found['mark']}\\]"
    if words := next(filter(None, (found[name] for name in _WORDS)), ""):
        return words
    if any(found[kind] for kind in _DROPPED):
        findings.add("generator-tag", f"dropped the tag {quoted(match[0])}")
    return ""
