"""Bounces in words alone, as some mail systems still write, and answers of readers' machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
#: A subject, or a sentence, that says that the other side goes on trying.
_DELAY_SUBJECT = re.compile(r"(?i)\bdelay|\bwarning\b|\bnot yet\b|\bstill trying\b")
_DELAY_WORDS = re.compile(
    r"(?i)\b(?:not yet been|not been delivered yet|delivery (?:is|has been) delayed|"
    r"(?:still|keep|keeps|continue to|continues to) (?:be retr|try|retry)|"
    r"will (?:continue to be|keep on|be) (?:trying|tried again|retr))"
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
    code, answer = _answer(text)
    status = _status(text, code, answer)
    failed = mime.header(message, "X-Failed-Recipients")
    is_delay = not failed and _is_delay(subject, text, code, status)
    return Finding(
        ReportKind.DELAY if is_delay else ReportKind.BOUNCE,
        status,
        one_line(answer or subject),
        tuple(addresses_in(failed or text)),
    )


def _answer(text: str) -> tuple[str, str]:
    """The reply code that a mail system gave and its line: the first that refuses for good.

    A number such as the 412 of “412 lines” looks like one that refuses for now.
    """
    answers = [(code, line) for line in text.splitlines() for code in _reply_codes(line)]
    refusals = (answer for answer in answers if answer[0].startswith("5"))
    return next(refusals, answers[0] if answers else ("", ""))


def _reply_codes(line: str) -> Iterator[str]:
    for word in line.split():
        if code := status_codes.reply_code(word):
            yield code


def _status(text: str, code: str, answer: str) -> str:
    """The status in the answer or, if it says the same as the answer's code, elsewhere."""
    if status := status_codes.in_words(answer):
        return status
    status = status_codes.in_words(text)
    return status if not code or status[:1] == code[0] else ""


def _is_delay(subject: str, text: str, code: str, status: str) -> bool:
    """Whether the other side goes on trying. One that gave up may name a passing reason too."""
    number = code or status
    if number.startswith("5"):
        return False
    if _DELAY_SUBJECT.search(subject):
        return True
    return number.startswith("4") and bool(not status or _DELAY_WORDS.search(text))


def _before_the_copy(text: str) -> str:
    copy = _COPY.search(text)
    return text[: copy.start()] if copy else text


def _is_bounce(message: Message, subject: str, text: str) -> bool:
    """Whether a mail system gave up, in whatever language it says so, or goes on trying."""
    if "X-Failed-Recipients" in message:
        return True
    if _is_of_a_mail_system(message) and _answer(text)[0].startswith("5"):
        return True
    # Their subjects quote ours, and may quote a bounce.
    if _is_automatic_reply(message):
        return False
    if _is_of_a_mail_system(message) and _DELAY_SUBJECT.search(subject):
        return True
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
