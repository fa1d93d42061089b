"""Whether an edition may go out: one small rule for each way a generated post goes wrong.

A rule looks at structure first and at words second. News is full of rate limits, `localhost` and
people who cannot do things; an error message in place of news has no stories and is short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from distributor.digest.findings import quoted
from distributor.digest.model import CodeBlock, Digest, Emphasis, Item, Link, Text
from distributor.digest.plain import block_text, inline_text
from distributor.digest.walk import all_inlines


@dataclass(frozen=True, slots=True)
class HoldReason:
    """Why an edition must not go out: a stable `code`, and what was found where."""

    code: str
    message: str


Rule = Callable[[Digest], HoldReason | None]

_EMPTY_FILE = sha256(b"").hexdigest()
#: Characters. A post without stories that is longer than this is prose; the longest notice
#: instead of news that we know has about 500.
_NOTICE_LENGTH = 1000
#: Characters from the beginning in which a refusal says what it is.
_OPENING_LENGTH = 300

_REFUSAL = re.compile(
    r"\W*(?:"
    r"(?:非常|很|十分)?(?:抱歉|对不起|遗憾)[^。\n]{0,40}(?:无法|不能|没有|未能|未提供|缺少)"
    r"|我(?:暂时)?(?:无法|不能)(?:完成|提供|生成|访问|获取|满足|协助|处理|继续|为您|回答|浏览)"
    r"|(?:好的|收到)[^。！\n]{0,20}(?:指令|要求|任务|请求)"
    r"|作为(?:一个|一名)?(?:AI|人工智能)[^。\n]{0,10}(?:助手|模型)"
    r"|请(?:您)?提供(?:有效|更多|具体|新闻|需要|相关|原始)"
    r"|(?:I['’]m|I am|we['’]re|sorry)[^.\n]{0,20}(?:sorry|unable|cannot|can['’]t|not able)"
    r"|(?:unfortunately,? )?I (?:cannot|can['’]t|can not|won['’]t|do not have|don['’]t have"
    r"|was unable)"
    r" (?:to )?(?:\w+ )?(?:help|assist|fulfil|fulfill|complete|provide|generate|create|process"
    r"|comply|access|browse|produce|write|summari[sz]e|find|any news|real-time)"
    r"|as an? (?:AI|artificial intelligence|large language)\b"
    r"|(?:please|could you) (?:provide|share|paste) "
    r")",
    re.IGNORECASE,
)
#: Words that only somebody who was given a task says to the one who gave it.
_TASK = re.compile(
    r"您(?:的要求|的指令|提供|的请求)|你提供|根据您|我(?:将|很乐意)为您"
    r"|(?:your|this) (?:request|prompt)|instructions|you(?:'ve| have)? provided"
    r"|as an? (?:AI|large) (?:language )?model",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"rate limit (?:reached|exceeded)|too many requests|速率限制错误|请求过于频繁|quota exceeded"
    r"|internal server error|bad gateway|service unavailable|gateway time-?out|上游(?:服务)?错误"
    r"|traceback \(most recent call last\)|\"error\"\s*:|\berror(?: code)?:? *[45]\d\d\b"
    r"|(?:接口|服务|系统)(?:出现)?(?:异常|错误)|环境异常|invalid api key|context length exceeded"
    r"|maximum context length|\w+(?:Error|Exception): ",
    re.IGNORECASE,
)
_NO_NEWS = re.compile(
    r"(?:未能?|没有|并未|尚未|无法)(?:成功)?(?:筛选|发现|找到|检索|收集|抓取|获取|监测|检测|搜集|出现|产生)"
    r"(?:出|到)?[^。！？\n]{0,40}(?:新闻|动态|资讯|消息|内容|更新|进展|事件|论文|文章)"
    r"|(?:没有|无)(?:任何|什么|重要|重大|特别|新的|相关|符合[^。\n]{0,12}|值得[^。\n]{0,12}|的|AI|科技)*"
    r"(?:新闻|动态|资讯|消息|论文)"
    r"|(?:暂无|今日无|尚无|本期无|暂时没有)[^。！？\n]{0,20}(?:新闻|动态|资讯|消息|内容|更新)"
    r"|\b(?:no|without) (?:\w+ ){0,4}(?:news|stories|updates|articles|items|papers)"
    r" (?:\w+ ){0,3}(?:found|available|today|reported|identified|in the|to report|for)"
    r"|\bthere (?:is|are|was|were) no (?:\w+ ){0,4}(?:news|stories|updates|articles|papers)\b",
    re.IGNORECASE,
)
_PLACEHOLDER_HOST = re.compile(
    r"(?:.+\.)?(?:example\.(?:com|org|net)|example|invalid|test|localhost"
    r"|your-?(?:domain|site|website)\.com)|127(?:\.\d{1,3}){3}|0\.0\.0\.0|::1",
    re.IGNORECASE,
)
_ESCAPED_BREAK = re.compile(
    r"(?<=[。！？；：.!?;:)）”\"*])(?:\\r)?\\n(?:(?:\\r)?\\n)*(?![A-Za-z]:)"
)
_ESCAPED_PARAGRAPH = re.compile(r"\\n(?:\\r)?\\n")
_MERGE_TAG = re.compile(
    r"(?<!\$)\{\{-?\s*[A-Za-z_][\w.]*(?:\s*\|[^{}]*)?\s*-?\}\}|\{%-?\s*\w+[^{}%]{0,80}%\}"
    r"|\*\|[A-Z][A-Z0-9_:]*\|\*|%%[A-Za-z_]+%%|<<[A-Z][A-Z0-9_]+>>"
)
#: What Markdown makes of `*|FNAME|*`: emphasis around the bars.
_EMPHASISED_TAG = re.compile(r"\|[A-Z][A-Z0-9_:]*\|")
_POST_IN_CODE = re.compile(r"^(?:---|\+\+\+|#{1,6} )|\]\(https?://|^ *\d+\. ", re.MULTILINE)


def reasons_to_hold(digest: Digest) -> tuple[HoldReason, ...]:
    """Why `digest` must not go out, in the order of the rules; empty when it may."""
    return tuple(reason for rule in RULES if (reason := rule(digest)))


def is_cut_off(digest: Digest) -> HoldReason | None:
    """More markup than can be read: only the beginning would go out."""
    found = next((one.message for one in digest.warnings if one.code == "cut-off"), None)
    return HoldReason("cut-off", f"the file was not read to its end: {found}") if found else None


def is_draft(digest: Digest) -> HoldReason | None:
    """`draft: true` in the front matter."""
    if not digest.draft:
        return None
    return HoldReason("draft", "the front matter says draft: true; remove it to publish")


def is_empty(digest: Digest) -> HoldReason | None:
    """A file of no bytes, or one that leaves nothing to read."""
    if digest.revision == _EMPTY_FILE:
        return HoldReason("empty", "the file is empty")
    if digest.items or _body_text(digest).strip():
        return None
    title = f"only the title {quoted(digest.title)}" if digest.title else "no title and no text"
    return HoldReason("no-content", f"there is nothing to send: {title}")


def is_refusal(digest: Digest) -> HoldReason | None:
    """The words of a program that would not or could not write the edition."""
    opening = block_text(digest.intro)[:_OPENING_LENGTH]
    refusal = _REFUSAL.match(opening)
    if not refusal:
        return None
    if not (_is_notice(digest) or (not _stories(digest) and _TASK.search(opening))):
        return None
    return HoldReason("refusal", f"a refusal instead of news at the beginning: {quoted(opening)}")


def is_error_message(digest: Digest) -> HoldReason | None:
    """The error of a service in place of news."""
    return _notice_that_says(digest, _ERROR, "error-message", "an error message instead of news")


def is_no_news_notice(digest: Digest) -> HoldReason | None:
    """A notice that nothing was found."""
    return _notice_that_says(digest, _NO_NEWS, "no-news", "a notice that there is no news")


def has_placeholder_links(digest: Digest) -> HoldReason | None:
    """Links to example.com (RFC 2606), to this machine, or to nowhere.

    A link in running text whose words are its own address quotes that address, as a story about
    local servers does, and is fine.
    """
    for item in digest.items:
        if item.url and _is_placeholder(item.url):
            place = f"item {item.number} {quoted(inline_text(item.title))}"
            return _placeholder(item.url, place)
    for link in _links(digest):
        words = inline_text(link.children).strip().rstrip("/")
        if _is_placeholder(link.url) and words not in _spellings(link.url):
            return _placeholder(link.url, f"the link {quoted(words)}")
    for warning in digest.warnings:
        # The model keeps no address that is not absolute; the reader's note is all there is.
        if warning.code == "link-to-nowhere":
            return HoldReason("placeholder-link", f"a link to nowhere: {warning.message}")
    return None


def is_code_fence(digest: Digest) -> HoldReason | None:
    """The whole post inside one code fence."""
    codes = [block for block in digest.intro if isinstance(block, CodeBlock)]
    if digest.items or not codes:
        return None
    longest = max(codes, key=lambda code: len(code.text))
    is_most = len(longest.text) * 2 > len(_body_text(digest))
    is_post = longest.language.lower() in {"markdown", "md"} or _POST_IN_CODE.search(longest.text)
    if not (is_most and (is_post or len(digest.intro) == 1)):
        return None
    return HoldReason("code-fence", f"the post is inside a code fence: {quoted(longest.text)}")


def has_literal_newlines(digest: Digest) -> HoldReason | None:
    r"""`\n` written out where lines should end."""
    for text in _texts(digest):
        breaks = list(_ESCAPED_BREAK.finditer(text))
        is_paragraph = any(_ESCAPED_PARAGRAPH.search(found[0]) for found in breaks)
        if is_paragraph or len(breaks) > 1:
            start = max(0, breaks[0].start() - 15)
            return HoldReason(
                "literal-newline", rf"a literal \n in the text: {quoted(text[start : start + 40])}"
            )
    return None


def has_merge_tags(digest: Digest) -> HoldReason | None:
    """Fields of a mailing program that nobody filled in. Code spans may show them."""
    for inline in all_inlines(digest):
        match inline:
            case Text(text) if found := _MERGE_TAG.search(text):
                tag = found[0]
            case Emphasis((Text(text),)) if _EMPHASISED_TAG.fullmatch(text):
                tag = f"*{text}*"
            case _:
                continue
        return HoldReason("merge-tag", f"an unfilled merge tag in the text: {quoted(tag)}")
    if found := _MERGE_TAG.search(digest.title):
        return HoldReason("merge-tag", f"an unfilled merge tag in the title: {quoted(found[0])}")
    return None


RULES: tuple[Rule, ...] = (
    is_draft,
    is_cut_off,
    is_empty,
    is_refusal,
    is_error_message,
    is_no_news_notice,
    has_placeholder_links,
    is_code_fence,
    has_literal_newlines,
    has_merge_tags,
)


def _notice_that_says(
    digest: Digest, words: re.Pattern[str], code: str, what: str
) -> HoldReason | None:
    text = _body_text(digest)
    if not _is_notice(digest) or not (found := words.search(text)):
        return None
    start = max(0, found.start() - 10)
    return HoldReason(code, f"{what}: {quoted(text[start : start + 80])}")


def _is_notice(digest: Digest) -> bool:
    """Whether the post is too short and too plain to be an edition."""
    return not _stories(digest) and len(_body_text(digest)) <= _NOTICE_LENGTH


def _stories(digest: Digest) -> list[Item]:
    """Items that lead somewhere: a refusal may number its reasons, and names no sources."""
    return [item for item in digest.items if item.url]


def _is_placeholder(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return bool(_PLACEHOLDER_HOST.fullmatch(host))


def _placeholder(address: str, place: str) -> HoldReason:
    return HoldReason("placeholder-link", f"{place} leads to a placeholder: {quoted(address)}")


def _spellings(url: str) -> tuple[str, ...]:
    """How running text may write `url` out."""
    bare = url.rstrip("/")
    return bare, bare.partition("://")[2]


def _body_text(digest: Digest) -> str:
    return block_text((*digest.intro, *digest.commentary))


def _texts(digest: Digest) -> Iterator[str]:
    return (inline.text for inline in all_inlines(digest) if isinstance(inline, Text))


def _links(digest: Digest) -> Iterator[Link]:
    return (inline for inline in all_inlines(digest) if isinstance(inline, Link))
