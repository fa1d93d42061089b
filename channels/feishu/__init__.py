"""The Feishu channel (Lark outside of China): cards for group robots."""

from channels.feishu.channel import FeishuChannel

CHANNEL = FeishuChannel()

__all__ = ["CHANNEL"]
