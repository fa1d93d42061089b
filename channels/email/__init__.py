"""The email channel: one multipart message per subscriber, handed to an SMTP relay."""

from channels.email.channel import EmailChannel

CHANNEL = EmailChannel()
