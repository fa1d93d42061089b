"""The Telegram channel: HTML posts through a bot, checked with Telegram's own parser."""

from channels.base import Channel
from channels.telegram.channel import TelegramChannel

CHANNEL: Channel = TelegramChannel()
