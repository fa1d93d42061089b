"""The fixed words of the public pages, in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Words:
    """Words in one language; braces stand for what is filled in."""

    #: BCP 47 tag for the page's `lang`.
    tag: str
    no_title: str
    commentary: str
    image: str
    joined: str
    ask_title: str
    ask_text: str
    ask_note: str
    ask_button: str
    left_title: str
    left_text: str
    left_note: str
    already_title: str
    already_text: str
    test_title: str
    test_text: str
    bad_link_title: str
    bad_link_text: str
    not_found_title: str
    not_found_text: str
    unavailable_title: str
    unavailable_text: str
    failed_title: str
    failed_text: str
    refused_title: str
    refused_text: str

    def day(self, moment: datetime) -> str:
        """The date in words, in the edition's own time zone."""
        if self is CHINESE:
            weekday = "一二三四五六日"[moment.weekday()]
            return f"{moment.year}年{moment.month}月{moment.day}日 星期{weekday}"
        return f"{moment:%A}, {moment.day} {moment:%B %Y}"


CHINESE = Words(
    tag="zh-CN",
    no_title="未命名的一期",
    commentary="点评",
    image="图片",
    joined="、",
    ask_title="退订「{lists}」？",
    ask_text="{address} 将不再收到「{lists}」的内容。",
    ask_note="想继续收到，关闭本页即可，什么都不会改变。",
    ask_button="确认退订",
    left_title="已退订「{lists}」",
    left_text="{address} 不会再收到「{lists}」的内容。",
    left_note="此刻正在投递的一期仍可能送达。",
    already_title="此前已经退订",
    already_text="{address} 早已不在「{lists}」中，无需再做什么。",
    test_title="没有需要退订的内容",
    test_text="这是一次测试投递，{address} 没有因此加入任何列表。",
    bad_link_title="这个退订链接无效",
    bad_link_text="链接可能在转发或复制时被截断。请打开最近一期中的退订链接再试一次。",
    not_found_title="这里没有内容",
    not_found_text="链接可能不完整，或者这一期不在这里。请回到收到的那一期，重新打开链接。",
    unavailable_title="暂时无法提供服务",
    unavailable_text="数据库目前连接不上，什么都没有改变。请过几分钟再试。",
    failed_title="出了点问题",
    failed_text="这个页面没能显示，问题已记录在服务端日志中。请稍后再试。",
    refused_title="无法处理这个请求",
    refused_text="这个地址不接受这种请求。请从收到的内容或本站页面上的链接重新进入。",
)

ENGLISH = Words(
    tag="en",
    no_title="Untitled edition",
    commentary="Commentary",
    image="Image",
    joined=", ",
    ask_title="Unsubscribe from {lists}?",
    ask_text="{address} will no longer get {lists}.",
    ask_note="To keep getting it, close this page. Nothing changes.",
    ask_button="Unsubscribe",
    left_title="You have left {lists}",
    left_text="{address} will not get {lists} again.",
    left_note="An edition that is on its way at this moment may still arrive.",
    already_title="You had already left",
    already_text="{address} is no longer on {lists}. There is nothing more to do.",
    test_title="There is nothing to leave",
    test_text="This was a test message. It did not put {address} on any list.",
    bad_link_title="This unsubscribe link does not work",
    bad_link_text=(
        "It may have been cut short when it was copied or forwarded. "
        "Open the unsubscribe link in the newest edition and try again."
    ),
    not_found_title="There is nothing here",
    not_found_text=(
        "The link may be incomplete, or the edition is not kept here. "
        "Open the link in the edition you received again."
    ),
    unavailable_title="Not available right now",
    unavailable_text=(
        "The database cannot be reached. Nothing was changed. Try again in a few minutes."
    ),
    failed_title="Something went wrong",
    failed_text="This page could not be shown. The server's log says why. Try again later.",
    refused_title="This request cannot be handled",
    refused_text=(
        "This address does not take such requests. "
        "Come back by a link in an edition or on one of our pages."
    ),
)


def words_for(language: str) -> Words:
    """The words for a BCP 47 tag or an `Accept-Language` header: Chinese, or else English."""
    return CHINESE if language.strip().lower().startswith("zh") else ENGLISH
