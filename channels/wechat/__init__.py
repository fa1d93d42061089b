"""The WeChat channel: news cards for WeCom group robots, and an article to look at."""

from channels.wechat.channel import WeChatChannel

CHANNEL = WeChatChannel()

__all__ = ["CHANNEL"]
