"""What the bot says, in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language; what stands in braces is filled in."""

    language: str
    #: {lists}
    welcome: str
    #: {lists}
    group_welcome: str
    #: {reason}
    suppressed: str
    nothing_open: str
    #: {lists}
    left: str
    was_on_none: str
    no_edition: str
    settings: str
    admins_only: str
    operators_only: str
    unknown: str
    #: What subscribers may say.
    help: str
    #: What operators may say beside.
    help_operator: str
    styles: dict[str, str]
    approve: str
    cancel: str
    pause: str
    resume: str
    retry: str
    #: {send} {title} {lists} {items}
    draft: str
    no_sends: str


def _lines(*lines: str) -> str:
    return "\n".join(lines)


ZH = Words(
    language="zh",
    welcome="已订阅：{lists}。每期新内容会发到这里。",
    group_welcome="新内容会发到这里：{lists}。管理员可以更改或退订。",
    suppressed="这个会话已被停用（{reason}），请联系编辑部。",
    nothing_open="目前没有开放订阅的列表，请联系编辑部。",
    left="已退订：{lists}。想回来随时发 /start。",
    was_on_none="这里没有订阅任何列表。要订阅请发 /start。",
    no_edition="还没有发布过内容，下一期会发到这里。",
    settings="点一下即可更改：要收的列表、样式、语言。",
    admins_only="在群里只有管理员可以这样做。",
    operators_only="这个命令只给管理员用。",
    unknown="没有这个命令。",
    help=_lines(
        "/start 订阅",
        "/latest 看最新一期",
        "/settings 选择列表、样式和语言",
        "/stop 退订",
    ),
    help_operator=_lines(
        "/status 最近的发送",
        "/pause 编号 暂停",
        "/resume 编号 继续",
        "/retry 编号 重试失败的",
    ),
    styles={"collapsed": "折叠", "full": "全文", "headlines": "标题"},
    approve="批准发送",
    cancel="取消",
    pause="暂停",
    resume="继续",
    retry="重试失败的",
    draft="发送 {send} 等待批准\n\n{title}\n{items} 条，发往：{lists}",
    no_sends="还没有任何发送。",
)

EN = Words(
    language="en",
    welcome="You are subscribed to {lists}. New editions will come here.",
    group_welcome="New editions of {lists} will come here. Administrators can change or end that.",
    suppressed="This chat was switched off ({reason}). Please ask the editors.",
    nothing_open="No list is open for subscribing. Please ask the editors.",
    left="Unsubscribed from {lists}. To come back, send /start.",
    was_on_none="Nothing is subscribed to here. To subscribe, send /start.",
    no_edition="There is no edition yet. The next one will come here.",
    settings="Press to change the lists, the style and the language.",
    admins_only="In a group only administrators can do that.",
    operators_only="Only operators can do that.",
    unknown="There is no such command.",
    help=_lines(
        "/start to subscribe",
        "/latest shows the newest edition",
        "/settings to choose lists, style and language",
        "/stop to unsubscribe",
    ),
    help_operator=_lines(
        "/status shows the latest sends",
        "/pause N lets nothing more leave",
        "/resume N continues it",
        "/retry N retries the failed deliveries",
    ),
    styles={"collapsed": "Folded", "full": "In full", "headlines": "Headlines"},
    approve="Approve",
    cancel="Cancel",
    pause="Pause",
    resume="Resume",
    retry="Retry the failed",
    draft="Send {send} waits for approval\n\n{title}\n{items} items, to {lists}",
    no_sends="There are no sends yet.",
)

LANGUAGES = {"zh": "中文", "en": "English"}


def words_for(*languages: str) -> Words:
    """The words of the first language that is given: Chinese, or else English."""
    chosen = next((language for language in languages if language), "")
    return ZH if chosen.lower().split("-")[0] == "zh" else EN
