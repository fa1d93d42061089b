"""Shows an Official Account's article the way WeChat does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape

from distributor.sandbox.store import Received

_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>
body {{ margin: 0; background: #fff; color: #1f2328; font: 16px/1.75 'PingFang SC',
'Hiragino Sans GB', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif; overflow-wrap: anywhere; }}
main {{ max-width: 677px; margin: 0 auto; padding: 24px 16px 40px; }}
h1 {{ font-size: 22px; line-height: 1.4; margin: 0 0 12px; }}
.by {{ color: #576b95; font-size: 15px; margin: 0 0 22px; }}
.by span {{ color: #8a8f99; }}
.more {{ color: #576b95; margin: 28px 0 0; }}
</style></head>
<body><main><h1>{title}</h1><p class="by">{author} <span>{date}</span></p>
{content}
<p class="more">阅读原文</p></main></body></html>"""


@dataclass(frozen=True, slots=True)
class Publication:
    """A draft, or what became of it."""

    id: int
    at: datetime
    account: str
    #: draft, publishing, published or sent to all.
    state: str
    title: str
    summary: str
    #: The cover as a data address.
    cover: str
    #: Where 阅读原文 leads.
    source_url: str
    #: Characters of the content.
    size: int
    #: A whole page with the article.
    framed: str
    warnings: tuple[str, ...]


def publication(message: Received) -> Publication:
    """`message` for the page."""
    content, article = message.content, message.content["article"]
    html = str(article["content"])
    for url, shown in content["pictures"].items():
        html = html.replace(escape(url), shown)
    return Publication(
        id=message.id,
        at=message.at,
        account=message.address,
        state=content["state"],
        title=article["title"],
        summary=str(article.get("digest") or ""),
        cover=content["cover"],
        source_url=str(article.get("content_source_url") or ""),
        size=len(str(article["content"])),
        framed=_PAGE.format(
            title=escape(article["title"]),
            author=escape(str(article.get("author") or "")),
            date=message.at.astimezone().strftime("%Y-%m-%d"),
            content=html,
        ),
        warnings=message.warnings,
    )
