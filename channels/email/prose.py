"""Bounces in words alone, as some mail systems still write, and answers of readers' machines."""

from __future__ import annotations

import re
from email.message import Message
from email.utils import parseaddr

from channels.email import mime, status_codes
from channels.email.fields import addresses_in, one_line
from channels.email.findings import Finding, ReportKind

#: Of a text, in characters: what stands further down is the message returned.
_MAX_PROSE = 20_000
_BOUNCE_WORDS = re.compile(
    r"(?i)undeliver|not be delivered|delivery (status|failure|has failed)|returned mail|"
    r"mail delivery (failed|system|subsystem)|failure notice|unzustellbar|"
    r"退信|投递失败|无法投递|無法傳遞"
)
#: Where the message that came back begins, which says nothing about why it did.
_COPY = re.compile(
    r"(?im)^(?:[-=_*# \t]*(?:below this line is a copy|(?:this|included) is a copy of|"
    r"original message|(?:begin|start) of (?:the )?(?:returned|original)|returned message|"
    r"message headers? follow|(?:your )?unsent message (?:below|follows)|"
    r"ursprüngliche nachricht|原始?邮件)"
    r"|(?:return-path|received|dkim-signature):)"
)
_MAIL_SYSTEMS = frozenset({"mailer-daemon", "postmaster"})
_SYSTEM_NAMES = ("mailer-daemon", "postmaster", "mail delivery")


def read(message: Message) -> Finding:
    """What a message without a machine-readable part says."""
    subject = one_line(mime.header(message, "Subject"))
    text = _before_the_copy(mime.text(message)[:_MAX_PROSE])
    if not _is_bounce(message, subject, text):
        kind = ReportKind.AUTO_REPLY if _is_automatic_reply(message) else ReportKind.OTHER
        return Finding(kind, "", subject, ())
    failed = mime.header(message, "X-Failed-Recipients")
    status = status_codes.in_words(text)
    is_passing = status_codes.reply_code(text).startswith("4") and not status and not failed
    lines = (line for line in text.splitlines() if status_codes.reply_code(line))
    return Finding(
        ReportKind.DELAY if is_passing else ReportKind.BOUNCE,
        status,
        one_line(next(lines, subject)),
        tuple(addresses_in(failed or text)),
    )


def _before_the_copy(text: str) -> str:
    copy = _COPY.search(text)
    return text[: copy.start()] if copy else text


def _is_bounce(message: Message, subject: str, text: str) -> bool:
    """Whether a mail system gave up, in whatever language it says so."""
    if "X-Failed-Recipients" in message:
        return True
    if _is_of_a_mail_system(message) and status_codes.reply_code(text).startswith("5"):
        return True
    # Their subjects quote ours, and may quote a bounce.
    if _is_automatic_reply(message):
        return False
    return bool(_BOUNCE_WORDS.search(subject)) and _is_from_a_machine(message)


def _is_of_a_mail_system(message: Message) -> bool:
    """Sent by a mail system itself, and not by the person who answers for it."""
    _, address = parseaddr(mime.header(message, "From"))
    local = address.rpartition("@")[0] or address
    return local.lower() in _MAIL_SYSTEMS and _return_path(message) in ("", "<>")


def _is_from_a_machine(message: Message) -> bool:
    """Whether it comes from nobody: a null return path, or a mail system's usual names."""
    sender = mime.header(message, "From").lower()
    return _return_path(message) == "<>" or any(name in sender for name in _SYSTEM_NAMES)


def _return_path(message: Message) -> str:
    return mime.header(message, "Return-Path").strip()


def _is_automatic_reply(message: Message) -> bool:
    """As RFC 3834, section 5 marks it, or as systems did before."""
    return (
        mime.header(message, "Auto-Submitted").strip().lower().startswith("auto-replied")
        or mime.header(message, "Precedence").strip().lower() == "auto_reply"
        or any(name in message for name in ("X-Autoreply", "X-Auto-Response-Suppress"))
    )
