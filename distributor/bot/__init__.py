"""The bot: what subscribers and operators can do from within Telegram."""
