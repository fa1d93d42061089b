"""DingTalk's error codes for group robots: what each one is about and what to do.

https://open.dingtalk.com/document/robots/custom-robot-access
"""

from __future__ import annotations

from channels.errcodes import Errcodes, Kind, Meaning
from distributor.suppression import SuppressionReason

_CONTENT = Meaning(
    Kind.BUG,
    "DingTalk refuses what the message says or links to. Look at the edition's links and words; "
    "the "
    "answer names the kind.",
    "钉钉拒绝了消息中的内容或外链，请检查该期文稿的链接与用词，返回信息说明了类型。",
)

DINGTALK = Errcodes(
    "dingtalk",
    {
        -1: Meaning(
            Kind.RETRY,
            "DingTalk is busy. It is tried again by itself.",
            "钉钉系统繁忙，会自动重试。",
        ),
        410100: Meaning(
            Kind.RETRY,
            "Over the rate: a robot may post 20 messages a minute, and is blocked for ten minutes "
            "when it posts more. It is tried again after that.",
            "发送过快（每分钟 20 条），机器人被限流 10 分钟，之后自动重试。",
            retry_after=600,
        ),
        130101: Meaning(
            Kind.RETRY,
            "Over the rate: the robot is blocked for ten minutes. It is tried again after that.",
            "发送过快，机器人被限流 10 分钟，之后自动重试。",
            retry_after=600,
        ),
        300001: Meaning(
            Kind.TARGET,
            "There is no robot with this token. The address is suppressed; subscribe the new one.",
            "access_token 不存在。该地址已停用，请登记新机器人的地址。",
            suppress=SuppressionReason.ROBOT_REMOVED,
        ),
        400101: Meaning(
            Kind.TARGET,
            "There is no robot with this token. The address is suppressed; subscribe the new one.",
            "access_token 不存在。该地址已停用，请登记新机器人的地址。",
            suppress=SuppressionReason.ROBOT_REMOVED,
        ),
        400013: Meaning(
            Kind.TARGET,
            "The group was dissolved. The address is suppressed.",
            "群已被解散。该地址已停用。",
            suppress=SuppressionReason.ROBOT_REMOVED,
        ),
        400102: Meaning(
            Kind.TARGET,
            "The robot is switched off. Switch it on in the group's settings, then retry.",
            "机器人已停用。请在群设置中启用后重试。",
        ),
        400106: Meaning(
            Kind.TARGET,
            "The robot was removed from its group. The address is suppressed.",
            "机器人不存在。该地址已停用。",
            suppress=SuppressionReason.ROBOT_REMOVED,
        ),
        310000: Meaning(
            Kind.TARGET,
            "The robot's security settings refuse it; the answer says which. Keywords: add a "
            "word of "
            "every edition's title. Signature: give the secret with the address (TOKEN:SECRET) and "
            "check this machine's clock. IP: add this server's address.",
            "未通过机器人的安全设置，返回信息说明了原因。关键词：请添加每期标题都有的词；加签：请"
            "以 "
            "TOKEN:SECRET 登记密钥并检查本机时钟；IP：请添加服务器地址。",
        ),
        400105: Meaning(
            Kind.BUG,
            "The message is of a type that is not known. This is a fault of our rendering.",
            "消息类型不支持。这是本程序渲染的缺陷。",
        ),
        40035: Meaning(
            Kind.BUG,
            "An argument is missing or malformed. This is a fault of our rendering.",
            "参数缺失或格式错误。这是本程序渲染的缺陷。",
        ),
        460101: Meaning(
            Kind.BUG,
            "The message is longer than 20,000 bytes. This is a fault of our rendering.",
            "消息超过 20000 字节。这是本程序渲染的缺陷。",
        ),
        430101: _CONTENT,
        430102: _CONTENT,
        430103: _CONTENT,
        430104: _CONTENT,
    },
)
