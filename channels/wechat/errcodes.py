"""WeCom's and WeChat's error codes: what each one is about and what to do.

Sources: WeCom developer centre, "全局错误码",
https://developer.work.weixin.qq.com/document/path/90313, and Official Accounts, "全局返回码",
https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html.
"""

from __future__ import annotations

from channels.errcodes import Errcodes, Kind, Meaning
from distributor.suppression import SuppressionReason

_BUSY = Meaning(
    Kind.RETRY,
    "The platform is busy. It is tried again by itself.",
    "平台系统繁忙，会自动重试。",
)
_TOKEN = Meaning(
    Kind.RETRY,
    "The access token is no longer valid. A new one is fetched and the call made again by itself; "
    "when this stays, check whether somebody else fetches tokens for the same account.",
    "access_token 已失效，会自动换新并重试；若反复出现，请检查是否有其他系统在为同一账号刷新 "
    "token。",
)


def _bug(en: str, zh: str) -> Meaning:
    return Meaning(
        Kind.BUG,
        f"{en} This is a fault of our rendering: report it with the edition.",
        f"{zh}这是本程序渲染的缺陷，请附上该期文稿报告。",
    )


WECOM = Errcodes(
    "wecom",
    {
        -1: _BUSY,
        45033: Meaning(
            Kind.RETRY,
            "Too many calls at the same moment. It is tried again by itself.",
            "并发调用超过限制，会自动重试。",
        ),
        45009: Meaning(
            Kind.RETRY,
            "Over the rate: a robot may post 20 messages a minute. It waits a minute or longer; "
            "use "
            "the profile brief if a group gets too many messages.",
            "接口调用超过频率限制（机器人每分钟 20 条）。至少等一分钟后自动重试；消息过多时可改"
            "用 brief 样式。",
            retry_after=60,
        ),
        93000: Meaning(
            Kind.TARGET,
            "There is no robot with this key: it is wrong, or the robot was removed from its "
            "group. "
            "The address is suppressed; add the robot to the group again and subscribe its new "
            "key.",
            "机器人 key 无效或机器人已被移出群。该地址已停用；请在群里重新添加机器人，并登记新的"
            " key。",
            suppress=SuppressionReason.ROBOT_REMOVED,
        ),
        40008: _bug("The message is of a type that is not known.", "消息类型不合法。"),
        44001: _bug("The uploaded file is empty.", "上传的文件为空。"),
        44004: _bug("The message has no text.", "文本内容为空。"),
        45002: _bug("The message is longer than may be.", "消息内容超过长度限制。"),
        45008: _bug("The message has more than 8 articles.", "图文消息超过 8 条。"),
        40058: _bug("An argument is missing, malformed or too long.", "参数缺失、格式错误或超长。"),
        40005: _bug("The picture is of a type that is not taken.", "文件类型不合法。"),
        40009: _bug("The picture is too large.", "图片大小超过限制。"),
        301019: _bug("The picture's MD5 is not that of its bytes.", "图片 MD5 与内容不一致。"),
        47001: _bug("The message is not the JSON that was expected.", "数据格式错误。"),
        40014: _TOKEN,
        42001: _TOKEN,
        41001: _TOKEN,
        40001: Meaning(
            Kind.ACCOUNT,
            "The app's secret is wrong. Copy it from the WeCom console (应用管理) and set it "
            "again.",
            "应用 Secret 错误。请到企业微信管理后台“应用管理”复制正确的 Secret 并重新配置。",
        ),
        40013: Meaning(
            Kind.ACCOUNT,
            "There is no organisation with this corp_id. Copy 企业 ID from 我的企业 in the "
            "console.",
            "企业 ID（corp_id）不正确。请到管理后台“我的企业”页面核对企业 ID。",
        ),
        40056: Meaning(
            Kind.ACCOUNT,
            "There is no app with this agent_id. Copy AgentId from the app's page in the console.",
            "应用 AgentId 不正确。请到管理后台该应用页面核对 AgentId。",
        ),
        301002: Meaning(
            Kind.ACCOUNT,
            "The secret belongs to another app than agent_id. Copy both from the same app's page.",
            "Secret 与 AgentId 不属于同一应用。请从同一个应用页面复制两者。",
        ),
        60020: Meaning(
            Kind.ACCOUNT,
            "This server's IP address is not on the app's list of trusted ones (企业可信IP). The "
            "answer "
            "names it: add it in the app's page of the console.",
            "服务器 IP 不在应用的“企业可信IP”名单中。返回信息里有该 IP，请到应用页面添加。",
        ),
        60011: Meaning(
            Kind.TARGET,
            "The app may not see this member, department or tag. Widen the app's visible range.",
            "应用无权访问该成员、部门或标签。请在管理后台扩大应用的可见范围。",
        ),
        48002: Meaning(
            Kind.ACCOUNT,
            "The app has no right to this call. Give it the right in the console.",
            "应用没有调用该接口的权限。请在管理后台为应用授权。",
        ),
        81013: Meaning(
            Kind.TARGET,
            "None of the members, departments and tags exists or may see the app. Check the user "
            "IDs and the app's visible range.",
            "所有成员、部门、标签均无效或无权限。请核对账号与应用可见范围。",
        ),
        82001: _bug("Nobody was named to send to.", "没有指定接收者。"),
        45024: Meaning(
            Kind.RETRY,
            "The app's quota of messages for today is used up. It is tried again later by itself.",
            "应用今日发送人次已用完，稍后自动重试。",
            retry_after=3600,
        ),
    },
)

OFFICIAL = Errcodes(
    "wechat",
    {
        -1: _BUSY,
        40001: Meaning(
            Kind.ACCOUNT,
            "The secret is wrong, or the token belongs to another account. Check app_id and secret "
            "in 开发接口管理.",
            "AppSecret 错误，或 access_token 不属于该公众号。请到“开发接口管理”核对 AppID 与 "
            "AppSecret。",
        ),
        40013: Meaning(
            Kind.ACCOUNT,
            "There is no account with this app_id. Copy AppID from 开发接口管理.",
            "AppID 不正确。请到“开发接口管理”复制 AppID。",
        ),
        40125: Meaning(
            Kind.ACCOUNT,
            "The secret is wrong. Reset AppSecret in 开发接口管理 and set it again.",
            "AppSecret 无效。请到“开发接口管理”重置 AppSecret 并重新配置。",
        ),
        40164: Meaning(
            Kind.ACCOUNT,
            "This server's IP address is not on the account's allow-list. The answer names it: add "
            "it under 开发接口管理 → IP 白名单. Deliveries wait until then.",
            "服务器 IP 不在公众号的 IP 白名单中。返回信息里有该 IP，请到“开发接口管理 → IP白名单”"
            "添加；在此之前投递会等待。",
        ),
        61004: Meaning(
            Kind.ACCOUNT,
            "This server's IP address is not on the allow-list. The answer names it: add it.",
            "服务器 IP 未登记在白名单中。返回信息里有该 IP，请添加。",
        ),
        40014: _TOKEN,
        42001: _TOKEN,
        41001: _TOKEN,
        42007: _TOKEN,
        48001: Meaning(
            Kind.REFUSED,
            "The account has no right to this call: since July 2025 personal and unverified "
            "accounts "
            "may not publish by it. The draft is ready; publish it by hand.",
            "公众号没有该接口的权限：自 2025 年 7 月起个人与未认证账号不能用接口发布。草稿已就绪，"
            "请手动发布。",
        ),
        45009: Meaning(
            Kind.RETRY,
            "Today's quota of this call is used up (draft/add 1,000, submit 100, token 2,000). "
            "It is "
            "tried again later by itself; the quota is renewed at midnight in Beijing.",
            "该接口今日调用次数已用完，北京时间零点恢复，稍后自动重试。",
            retry_after=3600,
        ),
        45011: Meaning(
            Kind.RETRY,
            "Too many calls in a minute. It is tried again by itself.",
            "接口调用太频繁，稍后自动重试。",
            retry_after=60,
        ),
        45028: Meaning(
            Kind.REFUSED,
            "No mass send is left for today or this month. The draft is ready; publish it by "
            "hand, or "
            "retry when the quota is renewed.",
            "群发次数已用完。草稿已就绪，可手动发布，或待额度恢复后重试。",
        ),
        45065: Meaning(
            Kind.ACCEPTED,
            "This mass send was accepted before, so nothing was sent twice.",
            "相同 clientmsgid 的群发此前已被接受，没有重复发送。",
        ),
        45066: Meaning(
            Kind.RETRY,
            "The same mass send was asked for a moment ago. It is tried again by itself.",
            "相同 clientmsgid 重试太快，稍后自动重试。",
            retry_after=60,
        ),
        45067: _bug("The clientmsgid is longer than 64 bytes.", "clientmsgid 超过 64 字节。"),
        40007: Meaning(
            Kind.TARGET,
            "The draft or picture is no longer there: somebody deleted or published it by hand.",
            "草稿或素材已不存在：可能已被手动删除或发布。",
        ),
        40009: _bug("A picture is too large.", "图片大小超过限制。"),
        40005: _bug("A picture is of a type that is not taken.", "文件类型不合法。"),
        44003: _bug("The article is empty.", "图文消息内容为空。"),
        45002: _bug("The article is longer than may be.", "正文超过长度限制。"),
        45003: _bug("The title is longer than may be.", "标题超过长度限制。"),
        45004: _bug("The summary is longer than may be.", "摘要超过长度限制。"),
        45005: _bug("The link to the original is too long.", "原文链接超过长度限制。"),
        45110: _bug("The author's name is longer than may be.", "作者名超过长度限制。"),
        45166: _bug("The article holds what is not allowed in it.", "正文包含不合法的内容。"),
        47001: _bug("The call is not the JSON that was expected.", "数据格式错误。"),
        53503: Meaning(
            Kind.REFUSED,
            "The draft did not pass the check before publishing. Open it in the console, see "
            "why, and "
            "publish it by hand.",
            "该草稿未通过发布检查。请在公众平台打开草稿查看原因并手动发布。",
        ),
        53504: Meaning(
            Kind.REFUSED,
            "The draft can be published in the console only. Publish it by hand.",
            "该草稿只能在公众平台官网使用，请手动发布。",
        ),
        53505: Meaning(
            Kind.REFUSED,
            "The draft must be saved by hand first. Open it in the console, save and publish it.",
            "请在公众平台手动保存该草稿后再发布。",
        ),
    },
    accepted=(0, 45065),
)

DRAFT_READY = Meaning(
    Kind.ACCEPTED,
    "The article is in the account's draft box and nobody has been sent it yet. Open "
    "https://mp.weixin.qq.com/ (草稿箱), look at it, and publish it by hand.",
    "文章已在公众号草稿箱，尚未发布给任何人。请打开 https://mp.weixin.qq.com/ 的“草稿箱”，检查后"
    "手动发布。",
)
