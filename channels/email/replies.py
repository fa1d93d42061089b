"""What an SMTP reply, or the lack of one, means for a delivery.

The meaning follows the enhanced status code (RFC 3463) where there is one, then the reply code
(RFC 5321), and the command that was answered: the same refusal is the sender's fault after
MAIL, and the address's after RCPT.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from channels.base import Fault, Outcome, Verdict
from channels.email import refusal_words, status_codes
from channels.email.client import NO_CODE
from distributor.suppression import SuppressionReason

#: First digits of reply codes (RFC 5321, section 4.2.1).
_YES, _NOT_NOW, _NEVER = 2, 4, 5

_MAX_REPLY = 500
#: At the beginning of a line (RFC 2034, section 4), IronPort with `#`; or as qmail: `(#5.1.1)`.
_ENHANCED = re.compile(rf"(?:(?:^|\n)\s*#?|\(#)({status_codes.STATUS})")
#: Addressing and mailbox status (RFC 3463): about the recipient, whatever the words are.
_ABOUT_ADDRESS = ("4.1.", "4.2.", "5.1.", "5.2.")


class Phase(Enum):
    """What the server was answering."""

    #: Greeting, EHLO, STARTTLS or AUTH.
    OPENING = auto()
    #: MAIL.
    SENDER = auto()
    #: RCPT.
    RECIPIENT = auto()
    #: DATA, or the message itself after its final dot.
    CONTENT = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply: its code and its words, lines joined by newlines."""

    code: int
    text: str

    @property
    def is_positive(self) -> bool:
        """The server did what was asked."""
        return self.code // 100 == _YES

    @property
    def is_final(self) -> bool:
        """A clear yes or no: neither a request to go on nor something unreadable."""
        return self.code // 100 in (_YES, _NOT_NOW, _NEVER)

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code, where it agrees with the reply code."""
        found = _ENHANCED.search(self.text)
        return found[1] if found and found[1][0] == str(self.code)[0] else None

    @property
    def label(self) -> str:
        """A code to group by: `smtp-550-5.1.1`, or `smtp-550` without an enhanced code."""
        if self.code == NO_CODE:
            return "smtp-unreadable"
        return f"smtp-{self.code}-{self.enhanced}" if self.enhanced else f"smtp-{self.code}"


@dataclass(frozen=True, slots=True)
class _Meaning:
    fault: Fault
    suppress: SuppressionReason | None = None


_DEAD = _Meaning(Fault.RECIPIENT, suppress=SuppressionReason.ADDRESS_DEAD)
_FULL = _Meaning(Fault.RECIPIENT, suppress=SuppressionReason.MAILBOX_FULL)
#: Refused for good for a reason that nobody tells; again and again, it is the address.
_REFUSED = _Meaning(Fault.RECIPIENT, suppress=SuppressionReason.REFUSED_REPEATEDLY)
#: This address, and nothing about whether there is anybody.
_RECIPIENT = _Meaning(Fault.RECIPIENT)
_DESTINATION = _Meaning(Fault.DESTINATION)
_PROVIDER = _Meaning(Fault.PROVIDER)
_CONTENT = _Meaning(Fault.CONTENT)
#: Our reputation, authentication, size, commands: whoever is at that domain would be refused too.
_ACCOUNT = _Meaning(Fault.ACCOUNT)

#: Permanent refusals by enhanced status code; a whole class is written `5.7`.
_BY_STATUS = {
    "5.1.1": _DEAD,  # no such mailbox
    "5.1.2": _DEAD,  # no such domain
    "5.1.3": _DEAD,  # not an address
    "5.1.6": _DEAD,  # moved, no forwarding
    "5.1.7": _ACCOUNT,  # our sender address is malformed
    "5.1.8": _ACCOUNT,  # our sender domain does not exist
    "5.1.10": _DEAD,  # null MX: the domain takes no mail
    "5.2.1": _DEAD,  # mailbox disabled
    "5.2.2": _FULL,
    "5.3.4": _ACCOUNT,  # message too big
    "5.5": _ACCOUNT,  # a command or parameter that was not understood
    "5.6": _CONTENT,
    # Policy: reputation, SPF, DKIM, DMARC, reverse DNS, TLS, and the providers' own codes.
    "5.7": _ACCOUNT,
}

#: "Undefined protocol status": Outlook answers so for a mailbox that does not exist, so it must
#: not stop everyone else's mail as the rest of 5.5 does.
_UNDEFINED_PROTOCOL = "5.5.0"
#: How Exchange says that a mailbox or group takes mail from some senders only: in words, and with
#: codes of its own. It looks like a policy of the whole system, but is this recipient's choice.
_RESTRICTED_STATUS = re.compile(r"5\.7\.1(?:2\d|3[3-6])")
_RESTRICTED = "RESOLVER.RST."
#: The relay's own disk is full, or it takes nothing at all now (RFC 3463, section 3.4).
_SYSTEM_NOT_NOW = frozenset(("4.3.1", "4.3.2"))
#: RFC 5321, section 3.8: the relay ends the session.
_CLOSING = 421

#: Authentication is required, too weak, or wrong, whatever the enhanced code says.
_AUTHENTICATION = frozenset((530, 534, 535, 538))
#: Commands or parameters that were not understood: permanent, without an enhanced code.
_BAD_PARAMETER = 501
#: "Exceeded storage allocation" (RFC 5321, section 4.2.2).
_NO_STORAGE = 552
_SYNTAX = frozenset((500, 501, 502, 503, 504))


def accepted(reply: Reply, message_id: str) -> Outcome:
    """The relay took responsibility for the message."""
    return Outcome(Verdict.SENT, "ok", reply_text(reply.text), message_id=message_id)


def refused(phase: Phase, reply: Reply) -> Outcome:
    """The server said no, for now (4xx) or for good (5xx)."""
    text = reply_text(f"{reply.code} {reply.text}")
    if _refuses_the_account(phase, reply):
        return _not_until_put_right(reply.label, text)
    is_final = reply.code // 100 == _NEVER
    meaning = _meaning(phase, reply) if is_final else _meaning_for_now(phase, reply)
    verdict = Verdict.FAILED if is_final else Verdict.RETRYING
    return Outcome(verdict, reply.label, text, fault=meaning.fault, suppress=meaning.suppress)


def returned(status: str, words: str) -> Outcome:
    """What it means that a message came back later with `status` (RFC 3463) and `words`.

    The same rules as for a refusal at once, except that nothing can be tried again, and that what
    was given up after a refusal for now, or after none, is no strike: an outage is nobody's fault.
    """
    status = status_codes.more_precise(status, words)
    said = status_codes.refusal_code(words)
    phase = Phase.CONTENT if refusal_words.answers_data(words) else Phase.RECIPIENT
    outcome = refused(phase, _as_reply(status, said, words))
    fault, suppress = outcome.fault, outcome.suppress
    if suppress is _REFUSED.suppress and _is_given_up(status, said, words):
        fault, suppress = _DESTINATION.fault, None
    return Outcome(
        Verdict.FAILED,
        f"dsn-{status}" if status else "dsn",
        reply_text(words),
        fault=fault,
        suppress=suppress,
    )


def unreachable(text: str) -> Outcome:
    """No connection could be made."""
    return _passing("smtp-unreachable", text)


def lost(text: str) -> Outcome:
    """The connection went away before the message was handed over completely."""
    return _passing("smtp-lost", text)


def tls_failed(text: str) -> Outcome:
    """The encryption could not be agreed on."""
    return _passing("smtp-tls", text)


def misconfigured(code: str, text: str) -> Outcome:
    """The account's settings do not fit the relay; every delivery would fail so."""
    return _not_until_put_right(code, reply_text(text))


def undeliverable(code: str, text: str) -> Outcome:
    """This recipient cannot be sent to; nothing was handed over."""
    return Outcome(Verdict.FAILED, code, reply_text(text), fault=Fault.RECIPIENT)


def lost_after_data(text: str, message_id: str) -> Outcome:
    """The whole message was handed over, but no clear answer came: it may have been accepted."""
    return Outcome(
        Verdict.UNKNOWN,
        "smtp-lost-after-data",
        reply_text(text),
        message_id=message_id,
        fault=Fault.PROVIDER,
    )


def reply_text(text: str) -> str:
    """`text` on one line without control characters, at most 500 characters."""
    line = " ".join(text.split())
    line = "".join(char if char.isprintable() else "�" for char in line)
    return line if len(line) <= _MAX_REPLY else line[: _MAX_REPLY - 1] + "…"


def _passing(code: str, text: str) -> Outcome:
    return Outcome(Verdict.RETRYING, code, reply_text(text), fault=Fault.PROVIDER)


def _not_until_put_right(code: str, text: str) -> Outcome:
    """Nobody can be sent to until a person corrects the account: no recipient has failed yet."""
    return Outcome(Verdict.RETRYING, code, text, fault=Fault.ACCOUNT)


def _as_reply(status: str, said: str, words: str) -> Reply:
    """The reply that a returned message tells of, which `said` is the code of, if any is told."""
    default = "550" if status.startswith("5") else "450"
    if not status or status_codes.is_general(status):
        # Made up by the system that reports, which knows no more than the reply code.
        return Reply(int(said or default), words)
    code = said if said[:1] == default[:1] else default
    return Reply(int(code), f"{status} {words}")


def _is_given_up(status: str, said: str, words: str) -> bool:
    """Whether it was the time that ran out, and not a server that said no."""
    is_expired = status_codes.is_expired(status) or refusal_words.is_expired(words)
    return is_expired or said.startswith("4")


def _refuses_the_account(phase: Phase, reply: Reply) -> bool:
    """Whether the server refuses us whomever we write to, until a person does something."""
    # Postfix denies relaying with a 454 too, which waiting does not change.
    if reply.is_final and _denies_relaying(reply):
        return True
    if reply.code // 100 != _NEVER:
        return False
    if phase is Phase.OPENING or reply.code in _AUTHENTICATION:
        return True
    # Once a recipient was named, nothing else is: what is refused to that one alone would make
    # them the probe of the resting account again and again, and nobody else would be sent to.
    return phase is Phase.SENDER and _meaning(phase, reply).fault is Fault.ACCOUNT


def _denies_relaying(reply: Reply) -> bool:
    is_about_address = (reply.enhanced or "").startswith(_ABOUT_ADDRESS)
    return not is_about_address and refusal_words.denies_relaying(reply.text)


def _meaning(phase: Phase, reply: Reply) -> _Meaning:
    """Whose fault a permanent refusal is."""
    status = reply.enhanced or ""
    known = _BY_STATUS.get(status) or _BY_STATUS.get(status.rpartition(".")[0])
    known = None if status == _UNDEFINED_PROTOCOL else known
    if phase is Phase.SENDER:
        # Whatever is refused before a recipient was named cannot be the recipient's fault.
        return _CONTENT if known is _CONTENT else _ACCOUNT
    if _RESTRICTED_STATUS.fullmatch(status) or _RESTRICTED in reply.text:
        return _RECIPIENT
    if known:
        return known
    # After RCPT a 501 is about how the address is written.
    about_address = phase is Phase.RECIPIENT and reply.code == _BAD_PARAMETER
    if not status and reply.code in _SYNTAX and not about_address:
        return _ACCOUNT
    if phase is Phase.CONTENT and not status:
        return _CONTENT
    return _meaning_untold(phase, reply)


def _meaning_untold(phase: Phase, reply: Reply) -> _Meaning:
    """What a refusal of a recipient means whose code says no more than that."""
    status = reply.enhanced or ""
    is_about_address = phase is Phase.RECIPIENT or status.startswith(_ABOUT_ADDRESS)
    if not is_about_address or refusal_words.is_about_us(reply.text):
        return _RECIPIENT
    return _FULL if reply.code == _NO_STORAGE and not status else _REFUSED


def _meaning_for_now(phase: Phase, reply: Reply) -> _Meaning:
    """Whose matter a refusal for now is.

    Once a recipient was named, the relay works and it is about the way from there; unless it
    says that it takes nothing at all, or ends the session.
    """
    status = reply.enhanced or ""
    if phase not in (Phase.RECIPIENT, Phase.CONTENT) or reply.code // 100 != _NOT_NOW:
        return _PROVIDER
    if status == "4.2.2":
        return _FULL
    if status.startswith(_ABOUT_ADDRESS):
        return _RECIPIENT
    if reply.code == _CLOSING or status in _SYSTEM_NOT_NOW:
        return _PROVIDER
    return _DESTINATION
