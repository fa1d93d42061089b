"""The DingTalk channel: Markdown and feed cards for group robots."""

from channels.dingtalk.channel import DingTalkChannel

CHANNEL = DingTalkChannel()

__all__ = ["CHANNEL"]
