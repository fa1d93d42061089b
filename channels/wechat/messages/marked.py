"""WeCom's Markdown: version 1 with its font colours, and version 2 without.

https://developer.work.weixin.qq.com/document/path/91770#markdown类型
"""

from __future__ import annotations

from channels.marked import Dialect
from channels.stories import Style
from channels.wechat.messages.limits import Target


def style_of(kind: str, target: Target) -> Style:
    """How `markdown` or `markdown_v2` is written for the target."""
    plain = kind == "markdown_v2"
    return Style(Dialect(), target.markdown_bytes, muted=str if plain else _comment)


def _comment(text: str) -> str:
    return f'<font color="comment">{text}</font>'
