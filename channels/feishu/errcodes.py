"""Feishu's error codes for group robots: what each one is about and what to do.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

from __future__ import annotations

from channels.errcodes import Errcodes, Kind, Meaning
from distributor.suppression import SuppressionReason

FEISHU = Errcodes(
    "feishu",
    {
        11232: Meaning(
            Kind.RETRY,
            "Over the rate: a robot may post 100 messages a minute and 5 a second. It is tried "
            "again "
            "by itself.",
            "发送过快（每分钟 100 条、每秒 5 条），会自动重试。",
            retry_after=60,
        ),
        19001: Meaning(
            Kind.TARGET,
            "There is no robot with this token: it is wrong, or the robot was removed from its "
            "group. The address is suppressed; subscribe the new robot's address.",
            "机器人 token 无效或已被移出群。该地址已停用，请登记新机器人的地址。",
            suppress=SuppressionReason.ROBOT_REMOVED,
        ),
        19021: Meaning(
            Kind.TARGET,
            "The signature does not match: give the robot's secret with its address "
            "(TOKEN:SECRET), and check this machine's clock.",
            "签名校验失败：请以 TOKEN:SECRET 的形式登记签名密钥，并检查本机时钟。",
        ),
        19022: Meaning(
            Kind.TARGET,
            "This server's IP address is not on the robot's list. Add it in the robot's settings.",
            "服务器 IP 不在机器人的白名单中，请到机器人设置里添加。",
        ),
        19024: Meaning(
            Kind.TARGET,
            "The message holds none of the robot's keywords. Add a word of every edition's title "
            "to "
            "them, or choose signing instead.",
            "消息不含机器人设置的关键词。请把每期标题都有的词设为关键词，或改用签名校验。",
        ),
        9499: Meaning(
            Kind.BUG,
            "The body is not what Feishu takes. This is a fault of our rendering: report it with "
            "the "
            "edition.",
            "请求体格式错误。这是本程序渲染的缺陷，请附上该期文稿报告。",
        ),
        11246: Meaning(
            Kind.BUG,
            "The card's content is not what Feishu takes. This is a fault of our rendering: report "
            "it with the edition.",
            "卡片内容格式错误。这是本程序渲染的缺陷，请附上该期文稿报告。",
        ),
        -1: Meaning(
            Kind.RETRY,
            "Feishu is busy. It is tried again by itself.",
            "飞书系统繁忙，会自动重试。",
        ),
    },
)
